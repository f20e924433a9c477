"""How the tests of the fire client ask: one fire at a server that does what it is told."""

from routines import fire_api
from routines.fire_api import Answer
from routines.registry import header_versions
from routines.values.tokens import Token
from routines.wire import Route
from tests.hostile import HostileServer, Step

PLAIN = "sk-ant-oat01-Yk3+fQ/9s~test.token_of-this-routine-AbCdEf0123456789"
TOKEN = Token(PLAIN)
_STRAIGHT = Route()
SOON = 0.4  # seconds: the deadline of a fire whose endpoint does not answer
SLACK = 3.0  # beyond it: generous, for slow machines

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def fire(
    base_url: str,
    *,
    routine_id: str = "trig_1",
    text: str = "",
    timeout: float = 5,
    beta_version: str = header_versions.BETA_VERSION,
    api_version: str = header_versions.API_VERSION,
    token: Token = TOKEN,
    route: Route = _STRAIGHT,
) -> Answer:
    return fire_api.fire(
        base_url=base_url,
        routine_id=routine_id,
        token=token,
        beta_version=beta_version,
        api_version=api_version,
        text=text,
        timeout=timeout,
        route=route,
    )


def fire_at(*steps: Step, timeout: float = 5, text: str = "") -> Answer:
    """Fire once at a server that takes these steps, and see that exactly one request came."""
    with HostileServer(*steps) as server:
        result = fire(server.url, timeout=timeout, text=text)
        assert server.requests == 1
    return result
