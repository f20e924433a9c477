"""What gunicorn adds: whom it believes about https and the address, and how its lines look."""

import json
import socket
from pathlib import Path

import httpx

from tests.server.product import Database, serving, wait_until
from tests.server.seed import USERNAME

NOBODY_FIRES = "http://127.0.0.1:9"
SETTINGS = {
    "DASHBOARD_URL": "https://routines.example.com",
    "LOG_FORMAT": "json",
    "WEB_WORKERS": "1",
}
BY_A_PROXY = {"Host": "routines.example.com", "X-Forwarded-Proto": "https"}


def test_a_trusted_proxy_says_https_and_nobody_says_the_address(database: Database, tmp_path: Path):
    with serving(database, NOBODY_FIRES, tmp_path, **SETTINGS) as product:
        plain = httpx.get(f"{product.url}/sign-in/", headers={"Host": "routines.example.com"})
        secure = httpx.get(f"{product.url}/sign-in/", headers=BY_A_PROXY)
        moved = httpx.get(
            f"{product.url}/sign-in/", headers=BY_A_PROXY | {"SCRIPT_NAME": "/elsewhere"}
        )
        strange = httpx.get(
            f"{product.url}/sign-in/", headers=BY_A_PROXY | {"Host": "evil.example.com"}
        )
        with socket.create_connection(("127.0.0.1", httpx.URL(product.url).port or 0)) as raw:
            raw.sendall(b"GET /\x1b[31m\nforged HTTP/1.1\r\n\r\n")
            raw.recv(1_000)
        wait_until(lambda: "Invalid request" in product.log.read_text())
        lines = [json.loads(line) for line in product.log.read_text().splitlines()]

    assert plain.status_code == 400
    assert "came without X-Forwarded-Proto" in plain.text
    warnings = [line["message"] for line in lines if line["level"] == "WARNING"]
    assert any("X-Forwarded-Proto" in one and "FORWARDED_ALLOW_IPS" in one for one in warnings)
    [started] = [line for line in lines if line["message"] == "start"]
    assert started["address"] == "https://routines.example.com"
    assert started["endpoint"] == "127.0.0.1:9"
    assert secure.status_code == 200
    assert secure.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "Secure" in secure.headers["Set-Cookie"]
    assert 'action="/elsewhere' not in moved.text
    assert strange.status_code == 400
    assert {"gunicorn.error", "dashboard.serving.request_log"} <= {line["logger"] for line in lines}
    requests = [line for line in lines if line["message"] == "request"]
    assert secure.headers["X-Request-ID"] in {line["request"] for line in requests}


def test_whoever_is_no_trusted_proxy_is_not_believed(database: Database, tmp_path: Path):
    settings = SETTINGS | {"FORWARDED_ALLOW_IPS": "192.0.2.1"}
    with serving(database, NOBODY_FIRES, tmp_path, **settings) as product:
        claimed = httpx.get(f"{product.url}/sign-in/", headers=BY_A_PROXY)
        said = product.log.read_text()
    assert claimed.status_code == 400
    assert "127.0.0.1, which is not in FORWARDED_ALLOW_IPS" in claimed.text
    assert "127.0.0.1, which is not in FORWARDED_ALLOW_IPS" in said
    assert "Set-Cookie" not in claimed.headers


def test_on_a_socket_for_both_families_a_proxy_is_known_by_its_ipv4_address(
    database: Database, tmp_path: Path
):
    settings = SETTINGS | {"HOST": "::", "FORWARDED_ALLOW_IPS": "127.0.0.1"}
    settings |= {"SIGN_IN_HEADER": "X-Forwarded-User", "TRUSTED_PROXY_ADDRESSES": "127.0.0.1"}
    named = BY_A_PROXY | {"X-Forwarded-User": USERNAME, "X-Forwarded-For": "203.0.113.7"}
    with serving(database, NOBODY_FIRES, tmp_path, **settings) as product:
        page = httpx.get(f"{product.url}/", headers=named)
    assert page.status_code == 200
    assert USERNAME in page.text
