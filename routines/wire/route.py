"""How requests get out of the company's network: through which proxy, and whom TLS trusts."""

import base64
import re
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import proxy_bypass

_USUAL_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_HOW_TO_WRITE = "in a user or password / ? # : @ % are written %2F %3F %23 %3A %40 %25"
_UNREADABLE = f"its host or port cannot be read ({_HOW_TO_WRITE})"
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy that opens tunnels (CONNECT). No `repr` shows its user or its password."""

    scheme: str
    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """`http://[user:password@]host[:port]`, user and password percent-encoded.

        Raise ValueError with a sentence that repeats nothing of the URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(_UNREADABLE) from None
        if parts.scheme not in _USUAL_PORTS:
            raise ValueError("it must begin with http:// or https://")
        if port == 0 or not _HOST.fullmatch(parts.hostname or ""):
            raise ValueError(_UNREADABLE)
        if parts.path not in ("", "/") or "?" in url or "#" in url:
            raise ValueError(f"it must end after the host and port ({_HOW_TO_WRITE})")
        user, password = parts.username or "", parts.password or ""
        if not user and password:
            raise ValueError("it has a password and no user")
        return cls(
            scheme=parts.scheme,
            host=parts.hostname or "",
            port=port or _USUAL_PORTS[parts.scheme],
            user=_decoded(user, may_hold_colon=False),
            password=_decoded(password),
        )

    @property
    def url(self) -> str:
        """Without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def signed_in_as(self, user: str, password: str) -> Self:
        return replace(self, user=user, password=password)

    def authorization(self) -> str:
        """The value of Proxy-Authorization; empty without a user."""
        if not self.user:
            return ""
        return f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"


@dataclass(frozen=True)
class Route:
    """`ca_file` holds certificate authorities that are trusted beside the public ones."""

    proxy: Proxy | None = None
    ca_file: str = ""


def is_in_no_proxy(host: str) -> bool:
    """Whether the environment's NO_PROXY says that `host` is reached without a proxy."""
    return bool(proxy_bypass(host))


def _decoded(text: str, *, may_hold_colon: bool = True) -> str:
    raw = unquote_to_bytes(text)
    if _BROKEN_ESCAPE.search(text) or _CONTROL.search(raw):
        raise ValueError(f"its user or password is not percent-encoded ({_HOW_TO_WRITE})")
    if b":" in raw and not may_hold_colon:
        raise ValueError("its user must hold no colon")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ValueError(
            f"its user or password is not UTF-8, percent-encoded ({_HOW_TO_WRITE})"
        ) from None
