"""docs/proxies/ is what people copy: nginx and HAProxy, from Debian, with exactly these files.

Only what the files themselves say is to be changed is changed: ports and the certificate's path.
"""

import os
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from django.conf import settings as django_settings

from dashboard.serving.headers import MARK
from tests import certificates, daemons
from tests.dashboard.browsing import Page
from tests.factories import PASSWORD
from tests.hostile import HostileServer, answer, closes, says
from tests.server.product import Database, Product, new_database, serving
from tests.server.seed import USERNAME
from tests.server.test_slow_requests import answered

HOST = "routines.example.com"
EXAMPLES = Path("docs/proxies")
CERTIFICATE = f"/etc/ssl/{HOST}"
SLOW = 60


@dataclass
class Proxy:
    https: int
    http: int
    log: Path

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.https}",
            headers={"Host": HOST, "Referer": f"https://{HOST}/"} | headers,
            verify=False,  # noqa: S501  # of a certificate for loopback, by another name
            timeout=60,
        )

    def connection(self) -> socket.socket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loads no authorities
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # says nothing after the handshake
        plain = socket.create_connection(("127.0.0.1", self.https), timeout=60)
        return context.wrap_socket(plain, server_hostname=HOST)


@contextmanager
def nginx(folder: Path, certificate: certificates.Certificate, port: int) -> Iterator[Proxy]:
    https, http = daemons.free_port(), daemons.free_port()
    site = (EXAMPLES / "nginx.conf").read_text()
    for original, here in (
        ("listen 443", f"listen 127.0.0.1:{https}"),
        ("listen 80", f"listen 127.0.0.1:{http}"),
        (f"{CERTIFICATE}.pem", certificate.certificate),
        (f"{CERTIFICATE}.key", certificate.key),
        ("127.0.0.1:8000", f"127.0.0.1:{port}"),
        ("client_header_timeout 10s", "client_header_timeout 600s"),  # however slow this machine is
        ("client_body_timeout 10s", "client_body_timeout 600s"),
    ):
        assert original in site
        site = site.replace(original, here)
    (folder / "site.conf").write_text(site)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"{'user root; ' if os.geteuid() == 0 else ''}"  # `folder` is ours alone
        f"daemon off; pid {folder}/nginx.pid; error_log stderr;"
        f"events {{}} http {{ access_log off; {temporary} include {folder}/site.conf; }}"
    )
    log = folder / "nginx.log"
    command = [daemons.program("nginx"), "-e", "stderr", "-p", str(folder), "-c", str(main)]
    with daemons.running(command, port=https, log=log):
        yield Proxy(https, http, log)


@contextmanager
def haproxy(folder: Path, certificate: certificates.Certificate, port: int) -> Iterator[Proxy]:
    https, http = daemons.free_port(), daemons.free_port()
    both = folder / "both.pem"
    both.write_text(Path(certificate.certificate).read_text() + Path(certificate.key).read_text())
    config = (EXAMPLES / "haproxy.cfg").read_text()
    for original, here in (
        ("bind :443", f"bind 127.0.0.1:{https}"),
        ("bind :80", f"bind 127.0.0.1:{http}"),
        (f"{CERTIFICATE}.pem", str(both)),
        ("127.0.0.1:8000", f"127.0.0.1:{port}"),
        ("timeout http-request 10s", "timeout http-request 600s"),  # however slow this machine is
    ):
        assert original in config
        config = config.replace(original, here)
    path = folder / "haproxy.cfg"
    path.write_text(config)
    log = folder / "haproxy.log"
    command = [daemons.program("haproxy"), "-db", "-f", str(path)]
    with daemons.running(command, port=https, log=log):
        yield Proxy(https, http, log)


PROXIES = {"nginx": nginx, "haproxy": haproxy}
pytestmark = pytest.mark.xdist_group("proxies")  # one product for all of them


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> certificates.Certificate:
    return certificates.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def own_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with new_database(tmp_path_factory.mktemp("behind-proxies")) as database:
        yield database


@pytest.fixture(scope="module")
def product(own_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("behind-proxies")
    settings = {
        "DASHBOARD_URL": f"https://{HOST}",
        "WEB_WORKERS": "1",
        "WEB_THREADS": "3",
    }
    with serving(own_database, "http://127.0.0.1:9", folder, **settings) as product:
        yield product


@pytest.fixture(scope="module", params=PROXIES)
def proxy(request, tmp_path_factory, certificate, product) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp(request.param)
    port = httpx.URL(product.url).port or 0
    with PROXIES[request.param](folder, certificate, port) as proxy:
        yield proxy


def sign_in(client: httpx.Client) -> httpx.Response:
    fields = Page(client.get("/sign-in/")).fields("/sign-in/")
    return client.post("/sign-in/", data=fields | {"login": USERNAME, "password": PASSWORD})


def test_people_sign_in_and_count_by_their_own_address(
    proxy: Proxy, product: Product, own_database: Database
):
    with proxy.client(**{"X-Forwarded-For": "198.51.100.1", "Forwarded": "for=x"}) as client:
        response = sign_in(client)
        assert (response.status_code, response.headers["Location"]) == (302, "/")
        assert client.get("/").status_code == 200
        assert response.headers["Strict-Transport-Security"]
        assert "Secure" in response.headers["Set-Cookie"]
    addresses = own_database.rows("SELECT DISTINCT ip FROM usersessions_usersession")
    assert [str(address).split("/")[0] for (address,) in addresses] == ["127.0.0.1"]
    assert "X-Forwarded-For" not in product.log.read_text()  # no warning of it


def test_plain_http_is_sent_to_https(proxy: Proxy):
    response = httpx.get(f"http://127.0.0.1:{proxy.http}/history/?page=2", headers={"Host": HOST})
    assert response.status_code == 301
    assert response.headers["Location"] == f"https://{HOST}/history/?page=2"


def test_static_files_come_through_and_may_be_kept(proxy: Proxy):
    with proxy.client() as client:
        [stylesheet, *_] = re.findall(r"/static/[^\"]+\.css", client.get("/sign-in/").text)
        response = client.get(stylesheet)
    assert response.status_code == 200
    assert "immutable" in response.headers["Cache-Control"]


def test_no_websocket_is_opened(proxy: Proxy):
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "eHh4eHh4eHh4eHh4eHh4eA==",
    }
    with proxy.client(**upgrade) as client:
        assert client.get("/sign-in/").status_code == 200


def test_a_form_as_large_as_we_take_comes_through_and_a_larger_one_is_413(proxy: Proxy):
    limit = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    with proxy.client() as client:
        large = client.post("/sign-in/", content=b"x" * limit)
        too_large = client.post("/sign-in/", content=b"x" * (limit * 11 // 10))
    assert large.headers["X-Request-ID"]  # the dashboard has answered, whatever it said
    assert too_large.status_code == 413
    assert "X-Request-ID" not in too_large.headers


def test_slow_bodies_stop_no_page(proxy: Proxy):
    begun = f"POST /sign-in/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 400000\r\n\r\nlogin="
    with ExitStack() as stack:
        slow = [stack.enter_context(proxy.connection()) for _ in range(SLOW)]
        for connection in slow:
            connection.sendall(begun.encode() + b"x" * 300_000)  # more than HAProxy buffers
        with proxy.client() as client:
            assert client.get("/sign-in/").status_code == 200
        assert answered(slow) == 0


@pytest.mark.parametrize("name", PROXIES)
def test_what_a_visitor_says_of_themselves_is_replaced(name, tmp_path, certificate):
    """In front of a server that shows what arrives."""
    claimed = {
        "X-Forwarded-For": "198.51.100.1, 198.51.100.2",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example.com",
        "Forwarded": "for=198.51.100.1",
        "X-Forwarded-User": "ada",
        "X-Forwarded-Groups": "claude-admins",
    }
    with (
        HostileServer(says(answer(200, b"ok"))) as server,
        PROXIES[name](tmp_path, certificate, server.port) as proxy,
        proxy.client(**claimed) as client,
    ):
        client.get("/", headers={"Host": f"{HOST}:8443"})
        [request] = server.received
    assert request.header("host") == f"{HOST}:8443"
    assert request.header("x-forwarded-for") == "127.0.0.1"
    assert request.header("x-forwarded-proto") == "https"
    for gone in ("x-forwarded-host", "forwarded", "x-forwarded-user", "x-forwarded-groups"):
        assert not request.header(gone)
    assert b"198.51.100" not in request.head


@pytest.mark.parametrize("name", PROXIES)
def test_a_post_is_never_sent_twice(name, tmp_path, certificate):
    with (
        HostileServer(says(answer(200, b"ok")), closes()) as server,
        PROXIES[name](tmp_path, certificate, server.port) as proxy,
        proxy.client() as client,
    ):
        assert client.get("/").status_code == 200  # so that a kept connection is there
        try:
            assert client.post("/routines/x/fire/", data={"text": "hello"}).status_code == 502
        except httpx.RemoteProtocolError:
            pass  # HAProxy's way to say so on a connection that was used before
        assert [one.head.split(b" ")[0] for one in server.received] == [b"GET", b"POST"]


def test_a_proxys_own_answer_carries_no_mark_and_the_dashboards_keeps_its(proxy: Proxy):
    """So a page can tell the one from the other: static/answers.js."""
    with proxy.client() as client:
        assert client.get("/sign-in/").headers[MARK] == "1"
    with proxy.connection() as connection:
        connection.sendall(b"NONSENSE\r\n\r\n")
        refused = connection.recv(4096)
    assert b" 400 Bad " in refused
    assert MARK.lower().encode() not in refused.lower()


def test_the_files_that_are_not_run_say_so():
    assert "not this file" in (EXAMPLES / "Caddyfile").read_text()


def test_the_limits_that_the_files_name_are_the_dashboards():
    limit = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert f"gt {limit} " in (EXAMPLES / "haproxy.cfg").read_text()
    assert f"client_max_body_size {limit // 1_000_000}m;" in (EXAMPLES / "nginx.conf").read_text()
