"""One HTTP request with a total deadline, a byte cap, and certainty about whether it left.

The only room that imports httpx and httpcore; the fire client and the sign-in at the company's
provider both go through `ask`. What the libraries' defaults leave open is closed here:

- their timeouts are per operation, so a server that drips holds a request for as long as it
  likes: every socket operation is given no more than what is left of one deadline (sockets.py),
  and so are the look-up of a name (resolver.py) and a proxy's answer (tunnel.py);
- their exceptions do not say whether anything was sent, and may hold the whole token: here the
  socket itself notes the first byte written, and no exception of theirs gets out;
- their client follows redirects, keeps cookies, reads .netrc and proxy variables if it is let:
  here there is none, only requests and one pool of connections. The token travels to one host;
- their way through a proxy hands it requests for plain http as they are, token and all: here a
  proxy is asked for a tunnel and nothing else, and sees neither path nor headers.

A request is never sent twice. httpcore retries only a connection that was not established, and
it sends a request on one connection once, also when that connection was kept alive. What a
server had said on such a connection beyond its last answer is no answer to the next request.

Why it is our own: docs/decisions/0018-one-deadline-on-the-wire.md and 0024-through-a-proxy.md.
"""

from routines.wire.client import ask, close_connections, warm_up
from routines.wire.outcomes import AnswerLost, Ended, NotSent, RawAnswer
from routines.wire.route import Proxy, Route, is_in_no_proxy

__all__ = [
    "AnswerLost",
    "Ended",
    "NotSent",
    "Proxy",
    "RawAnswer",
    "Route",
    "ask",
    "close_connections",
    "is_in_no_proxy",
    "warm_up",
]
