"""`make scan`: a web scanner crawls the running product, signed in as each role and as nobody.

wapiti lives in an environment of its own; the product is the one that runs on a
server, on a database of its own, against the practice API. Ends with 1 if there is a finding that
tests/scan/findings.py gives no reason for, or a scan that saw next to nothing.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from routines.demo.content import PASSWORD, PEOPLE
from routines.practice_api import PracticeServer
from tests.scan.findings import without_reason
from tests.server.product import Database, Product, manage, new_database, serving

MODULES = "csp,http_headers,cookieflags,sql,xss,permanentxss,exec,file,redirect,crlf,csrf,methods"
NOBODY, ADMIN = "nobody", "admin"
# What would end the scan's own web session, or shut its person out.
_LEFT_ALONE = ("sign-out/", "web-sessions/*", "password/")
# A kind of attack whose time is over is cut off, sometimes within a write to wapiti's own database,
# which then stays locked: wapiti ends without a report. Such a scan is made anew, from the start.
_OWN_RACE = "sqlite3.OperationalError) database is locked"
_TRIES = 3
_AT_ONCE = 2  # each waits for the product half of its time
_LEAST_PAGES = {NOBODY: 2, "teammate": 10, "manager": 10, ADMIN: 15}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scan", description=__doc__)
    parser.add_argument("--wapiti", required=True, help="the scanner's command")
    parser.add_argument("--seconds", type=int, default=60, help="of crawling, for each role")
    parser.add_argument("--attack", type=int, default=5, help="seconds for each kind of attack")
    parser.add_argument("--only", help="one of: nobody, teammate, manager, admin")
    options = parser.parse_args()
    roles = [options.only] if options.only else [NOBODY, *(demo.username for demo in PEOPLE)]
    with (
        tempfile.TemporaryDirectory() as name,
        PracticeServer() as endpoint,
        # The admin's scan has a product of its own, since it may shut the others out.
        _seeded(Path(name, "own"), endpoint.url) as admins,
        _seeded(Path(name, "shared"), endpoint.url) as shared,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        products = {role: admins if role == ADMIN else shared for role in roles}
        # Signed in before the first attack: guesses at the sign-in form slow down what follows.
        cookies = {
            role: _sign_in(product.url, role)
            for role, product in products.items()
            if role != NOBODY
        }

        def scan(role: str) -> bool:
            folder = Path(name, role)
            folder.mkdir()
            return _scan(products[role], role, cookies.get(role, {}), folder, options)

        # Who may see most takes longest, so the last ones are short.
        failed = list(pool.map(scan, reversed(roles)))
    return 1 if any(failed) else 0


@contextmanager
def _seeded(folder: Path, endpoint: str) -> Iterator[Product]:
    """The product with the demo's content."""
    folder.mkdir()

    def seed(database: Database) -> None:
        manage(database, endpoint, "seed_demo")
        manage(database, endpoint, "collectstatic", "--no-input", "--verbosity=0")

    with new_database(folder, seed) as database, serving(database, endpoint, folder) as product:
        yield product


def _scan(
    product: Product,
    role: str,
    cookies: dict[str, str],
    folder: Path,
    options: argparse.Namespace,
) -> bool:
    started = time.monotonic()
    report = wapiti(product.url, cookies, folder / "report.json", options)
    pages = report["infos"]["crawled_pages_nbr"]
    open_findings = without_reason(report)
    took = time.monotonic() - started
    said = [
        f"{role}: {pages} pages, {len(open_findings)} findings without a reason, {took:.0f} s",
        *(f"  {finding}" for finding in open_findings),
    ]
    failed = bool(open_findings)
    if cookies and not _is_signed_in(product.url, cookies):
        said.append("  the scan lost its sign-in on the way")
        failed = True
    if pages < _LEAST_PAGES[role]:
        said.append(f"  so few pages are no scan: expected {_LEAST_PAGES[role]} at least")
        failed = True
    print("\n".join(said), flush=True)
    return failed


def _sign_in(url: str, username: str) -> dict[str, str]:
    with httpx.Client(base_url=url) as client:
        client.get("/sign-in/")
        fields = {
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
            "login": username,
            "password": PASSWORD,
        }
        response = client.post("/sign-in/", data=fields, headers={"Referer": url})
        assert response.status_code == 302, response.text
        return dict(client.cookies)


def _is_signed_in(url: str, cookies: dict[str, str]) -> bool:
    return httpx.get(f"{url}/history/", cookies=cookies).status_code == 200


def wapiti(
    url: str, cookies: dict[str, str], report: Path, options: argparse.Namespace
) -> dict[str, Any]:
    command = [options.wapiti, "--url", f"{url}/", "--scope", "domain", "--flush-session"]
    command += ["--depth", "2", "--max-scan-time", str(options.seconds)]
    command += ["--max-attack-time", str(options.attack), "--module", MODULES]
    command += ["--skip", "csrfmiddlewaretoken", "--no-bugreport", "--verbose", "0"]
    command += ["--format", "json", "--output", str(report), "--store-session", str(report.parent)]
    for left_alone in _LEFT_ALONE:
        command += ["--exclude", f"{url}/{left_alone}"]
    if cookies:
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        command += ["--header", f"Cookie: {header}"]
    for tries_left in reversed(range(_TRIES)):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if report.exists():
            content: dict[str, Any] = json.loads(report.read_text())
            return content
        if _OWN_RACE not in done.stderr or not tries_left:
            break
        print("wapiti found its own database locked and wrote no report: once more", flush=True)
    sys.exit(f"wapiti wrote no report:\n{done.stdout}\n{done.stderr}")
