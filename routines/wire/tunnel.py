"""Asking a proxy for a tunnel to the endpoint (CONNECT), and reading what it answers.

Nothing of the request that the tunnel is for is known here: no token, no path. Whatever the proxy
says or does, nothing was sent; the sentences tell an admin which of the many ways it was.
"""

import re
from collections.abc import Callable

import h11

from routines.wire.outcomes import NotSent
from routines.wire.route import Proxy

_MOST_HEAD_BYTES = 16_384
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,19}")  # of authentication


def open_tunnel(
    proxy: Proxy,
    host: str,
    port: int,
    *,
    user_agent: str,
    write: Callable[[bytes], None],
    read: Callable[[], bytes],
) -> None:
    """Ask for a tunnel to `host`, whose name the proxy looks up; return, or raise NotSent.

    `read` gives an empty string when the proxy has hung up. What `write` and `read` raise passes.
    """
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [("Host", target), ("User-Agent", user_agent)]
    authorization = proxy.authorization()
    if authorization:
        headers.append(("Proxy-Authorization", authorization))
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD_BYTES)
    request = h11.Request(method="CONNECT", target=target, headers=headers)
    write((connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b""))
    answered = False
    while True:
        try:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                received = read()
                if not received:
                    said = "broke off its answer" if answered else "hung up without an answer"
                    raise NotSent(NotSent.Why.PROXY_UNREACHABLE, f"The proxy {said}.")
                answered = True
                connection.receive_data(received)
        except h11.ProtocolError:
            raise _unreadable() from None
        if isinstance(event, h11.Response):
            break  # others before it are interim ones
    if not 200 <= event.status_code < 300:
        raise _refusal(event)
    if connection.trailing_data[0]:  # nobody speaks in a tunnel before its client does
        raise _unreadable()


def _unreadable() -> NotSent:
    detail = "What answered is no HTTP proxy, or its answer is broken."
    return NotSent(NotSent.Why.PROXY_UNREACHABLE, detail)


def _refusal(answer: h11.Response) -> NotSent:
    status = answer.status_code
    detail = f"The proxy answered {status} to CONNECT."
    if status in (401, 407):  # 401: tinyproxy says so of a wrong password
        asked_for = {
            found[0]
            for name, value in answer.headers
            if name == b"proxy-authenticate"
            and (found := _SCHEME.match(value.decode("latin-1").strip()))
        }
        if asked_for and "basic" not in {scheme.casefold() for scheme in asked_for}:
            names = ", ".join(sorted(asked_for))
            detail += f" It asks for {names}; only Basic (user and password) is supported."
        return NotSent(NotSent.Why.PROXY_SIGN_IN, detail)
    why = NotSent.Why.PROXY_FAILED if status >= 500 else NotSent.Why.PROXY_REFUSED
    return NotSent(why, detail)
