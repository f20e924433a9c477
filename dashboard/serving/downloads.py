"""Files that are streamed to whoever asks, a bounded number of them at once."""

import logging
import weakref
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import BoundedSemaphore

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils import timezone

from routines.audit import exports_since
from routines.models import Person

logger = logging.getLogger(__name__)

# Each holds a thread until its reader has it all, and some threads have to answer pages.
MOST_OF_ONE, _SPAN = 20, timedelta(minutes=10)  # of one person
_under_way = BoundedSemaphore(max(1, (settings.WEB_THREADS - settings.PRESSES_IN_FLIGHT) // 2))


class TooManyDownloads(Exception):
    """None was started; `str()` is a sentence that says when to try again."""

    def __init__(
        self,
        sentence: str = "Several exports are under way. Nothing was exported: "
        "try again in a minute.",
    ) -> None:
        super().__init__(sentence)


def stream(
    take: Callable[[], Iterator[str]], *, content_type: str, file_name: str, by: Person
) -> StreamingHttpResponse:
    """What `take` gives, as a file; it is called once there is a place. Raise TooManyDownloads."""
    # Each writes an event of the audit trail, which nobody can take out again.
    if exports_since(timezone.now() - _SPAN, by=by) >= MOST_OF_ONE:
        raise TooManyDownloads(
            f"You have exported {MOST_OF_ONE} times in ten minutes, which is all there can be. "
            "Nothing was exported: try again in ten minutes."
        )
    if not _under_way.acquire(blocking=False):
        raise TooManyDownloads
    try:
        lines = take()
    except BaseException:
        _under_way.release()
        raise
    return StreamingHttpResponse(
        _Download(_marked_if_cut(lines, _CUT[content_type])),
        content_type=f"{content_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


# The last line of a file that could not be finished, in the file's own shape. The connection is
# cut as well, so a browser says that the download failed; a file that was saved says it, too.
_SENTENCE = "This export was cut off: rows are missing. Export once more."
_CUT = {
    "text/csv": f'\r\n"{_SENTENCE}"\r\n',
    "application/jsonl": f'\n{{"error":"{_SENTENCE}"}}\n',
}


def _marked_if_cut(lines: Iterator[str], mark: str) -> Iterator[str]:
    try:
        yield from lines
    except Exception:
        logger.exception("An export was cut off")
        yield mark
        raise


class _Download:
    """Gives its place back when Django closes it with the response, read or not, or drops it."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._give_back = weakref.finalize(self, _under_way.release)

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def close(self) -> None:
        self._give_back()
