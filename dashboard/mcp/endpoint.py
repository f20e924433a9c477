"""`/mcp`: Streamable HTTP without sessions, for both kinds of revisions of the protocol."""

import msgspec
from django.http import HttpResponse, UnreadablePostError

from dashboard.doors.authentication import DoorRequest, opened_by_key
from dashboard.doors.replies import Reply, answer, identified
from dashboard.mcp.tools import server

_DEEPEST = 100  # of what an agent has to say, nothing is nested deeper
_POST_ALONE = Reply(405, "This address takes POST. Nothing was done.", {"Allow": "POST"})
_UNREADABLE = Reply(400, "This is no JSON that can be read. Nothing was done.")


@opened_by_key
def mcp(request: DoorRequest) -> HttpResponse:
    if request.method != "POST":
        return answer(request, _POST_ALONE)
    # The library reads the body as well, and breaks over what these find.
    if not _is_readable(request):
        return answer(request, _UNREADABLE)
    return identified(server(request))


def _is_readable(request: DoorRequest) -> bool:
    try:
        content = msgspec.json.decode(request.body)
    except (ValueError, RecursionError, UnreadablePostError):
        return False
    return _depth(content, _DEEPEST)


def _depth(content: object, left: int) -> bool:
    if not isinstance(content, dict | list):
        return True
    inner = content.values() if isinstance(content, dict) else content
    return left > 0 and all(_depth(one, left - 1) for one in inner)
