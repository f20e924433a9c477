"""An OpenID provider on a socket, small, and as bad as a test wants it.

The people at its sign-in page are played by `authorize`. What a token says and how it is signed is
altered through the attributes.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "routine-dashboard", "the client's secret"  # a test's


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """One for each name; making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class IdentityProvider:
    url: str
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    # What is bad about it
    token_claims: dict[str, Any] = field(
        default_factory=dict
    )  # over the right ones; None: left out
    signing_key: Any = field(default_factory=lambda: key("good"))
    algorithm: str = "RS256"
    token_header: dict[str, Any] = field(default_factory=lambda: {"kid": "good"})
    discovery: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # by path, instead of ours
    # What it has seen
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, location: str, sub: str) -> dict[str, str]:
        """Somebody signs in at the address that the browser was sent to: what comes back."""
        parts = urlsplit(location)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.url}/authorize"
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked | {"sub": sub}
        return {"code": code, "state": asked["state"]}

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "end_session_endpoint": f"{self.url}/end",
        } | self.discovery

    def keys(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(key("good").public_key(), as_dict=True)
        return {"keys": [public | {"kid": "good", "use": "sig", "alg": "RS256"}]}

    def token(self, posted: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(posted.get("code", ""), None)
        verifier = hashlib.sha256(posted.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if (
            asked is None
            or challenge != asked["code_challenge"]
            or posted.get("redirect_uri") != asked["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": asked["sub"],
            "token_type": "Bearer",
            "id_token": self.id_token(asked),
        }

    def id_token(self, asked: dict[str, str]) -> str:
        right = {
            "iss": self.url,
            "sub": asked["sub"],
            "aud": CLIENT_ID,
            "iat": int(time()),
            "exp": int(time()) + 300,
            "nonce": asked["nonce"],
        }
        claims = right | self.people.get(asked["sub"], {}) | self.token_claims
        return jwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            self.signing_key,
            algorithm=self.algorithm,
            headers=self.token_header,
        )


class _Handler(BaseHTTPRequestHandler):
    provider: IdentityProvider

    def do_GET(self) -> None:
        paths: dict[str, Any] = {
            "/.well-known/openid-configuration": self.provider.document,
            "/keys": self.provider.keys,
            "/userinfo": self._userinfo,
        }
        self._answer(200, paths[self.path]())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = self.headers.get("Authorization", "")
        secret = base64.b64encode(f"{CLIENT_ID}:{quote_plus(CLIENT_SECRET)}".encode()).decode()
        posted = {name: values[0] for name, values in parse_qs(body).items()}
        if f"Basic {secret}" != given and posted.get("client_secret") != CLIENT_SECRET:
            self._answer(401, {"error": "invalid_client"})
        else:
            self._answer(*self.provider.token(posted))

    def _userinfo(self) -> dict[str, Any]:
        sub = self.headers["Authorization"].removeprefix("Bearer ")
        return {"sub": sub} | self.provider.people.get(sub, {}) | self.provider.userinfo

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        path = urlsplit(self.path).path
        self.provider.asked.append(path)
        status, body = self.provider.answers.get(path, (status, json.dumps(answer).encode()))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status in (301, 302):
            self.send_header("Location", f"{self.provider.url}/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[IdentityProvider]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        provider = IdentityProvider(url=f"http://127.0.0.1:{server.server_address[1]}")
        server.RequestHandlerClass = type("Handler", (_Handler,), {"provider": provider})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
