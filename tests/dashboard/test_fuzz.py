"""Generated requests to every address, as every role: whatever the bytes, no failure and no token.

Few examples in the suite, the same each time; `make fuzz` tries many, other ones each time. Each is
rolled back, so that none meets what another has done.
"""

import re
import string
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routines.models import Person, Routine
from routines.people import groups
from routines.values.reasons import Reason
from tests.dashboard.browsing import signed_in
from tests.dashboard.walking import patterns
from tests.effort import examples
from tests.factories import create_person, create_run, create_teammate

BASE = Path(__file__).resolve().parents[2]
TOKEN = "sk-ant-oat01-" + "Q7hVw2tR9kLmZ4xPbN0s"
ROLES = ["nobody", "without a role", "teammate", "manager", "admin"]

# Whatever a view or a form may ask for by name, read from the source.
NAMES = sorted(
    {
        name
        for path in (BASE / "dashboard").rglob("*.py")
        for found in re.findall(
            r"(?:GET|POST|query|asked|data)(?:\.get\(|\[)\"([\w-]+)\"|^    (\w+) = (?:forms\.|_)",
            path.read_text(),
            re.MULTILINE,
        )
        for name in found
        if name
    }
    | {"q", "page", "next", "state", "code", "iss", "error", "credential", "remove", "primary_key"}
)
HEADERS = [
    *("HX-Request", "HX-Current-URL", "HX-Current-URL-URI-AutoEncoded", "HX-Target", "HX-Trigger"),
    *("HX-Boosted", "Triggering-Event", "Referer", "Origin", "Accept", "Accept-Encoding", "Cookie"),
    *(
        "Accept-Language",
        "If-Modified-Since",
        "If-None-Match",
        "Range",
        "User-Agent",
        "X-CSRFToken",
    ),
    *(
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Requested-With",
        "Authorization",
        "Content-Length",
    ),
]
TYPES = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "multipart/mixed; boundary=é",
    "application/json",
    "text/plain; charset=utf-7",
    "application/x-www-form-urlencoded; charset=utf-16",
    "",
]

odd_text = st.one_of(
    st.text(
        st.characters(codec="utf-8") | st.sampled_from("\x00\u202e\ufffd\"'<>%&\\"), max_size=40
    ),
    st.sampled_from(
        [
            *("9" * 5_000, "9" * 19, "-1", "0", "1e999", "NaN", "٣", "²", "1_000", " 1 ", "+1"),
            *(
                "0001-01-01",
                "9999-12-31",
                "2026-02-30",
                "10000-01-01",
                "2026-11-24T25:00",
                "2026-W01-1",
            ),
            *(
                "http://[",
                "//[",
                "javascript:x",
                "/\\evil",
                "http://x:y/",
                "%00",
                "%ff%fe",
                "%ud800",
            ),
            *(
                "{}",
                "[]",
                '{"id": 1}',
                '{"a": "\\ud800"}',
                "null",
                "[" * 3_000,
                "1-1",
                "1:2",
                "beta:",
            ),
            *("\u0300" * 3_000, "\u0130", "a" * 70_000, "\r\n", "../../etc", "Europe/", "x:" * 500),
            *(TOKEN, TOKEN[:20] + "\n" + TOKEN[20:], "sk-ant-oat01-", TOKEN.encode().hex()),
        ]
    ),
)
values = odd_text | st.sampled_from(["on", "1", "2", "started", "useful", "7", "all", "none"])
fields = st.dictionaries(st.sampled_from(NAMES) | odd_text, values, max_size=5)
header_values = st.text(st.characters(max_codepoint=255), max_size=40) | odd_text.map(
    lambda text: text.encode("utf-8", "replace").decode("latin-1")[:3_000]
)
headers = st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=4)
bodies = st.one_of(
    fields.map(lambda sent: urlencode(sent, errors="replace").encode()),
    st.binary(max_size=200),
    st.builds(
        lambda name, value: (
            b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n--x--\r\n'
            % (name.encode("utf-8", "replace")[:50], value.encode("utf-8", "replace"))
        ),
        odd_text,
        odd_text,
    ),
    st.sampled_from([b"--x\r\n", b"--x\r\nContent-Disposition: form-data; filename*=x''%\r\n\r\n"]),
)


@pytest.fixture(params=ROLES)
def visitor(request: pytest.FixtureRequest, db: None) -> Person | None:
    if request.param == "nobody":
        return None
    if request.param == "without a role":
        return create_person()
    person: Person = request.getfixturevalue(request.param)
    return person


@pytest.fixture
def known(routine: Routine, admin: Person) -> dict[str, Any]:
    other = create_teammate(username="somebody")
    return {
        "slug": routine.slug,
        "reference": routine.slug,
        "pk": create_run(routine=routine, person=admin, reason=Reason.NO_ANSWER).pk,
        "person": other.pk,
        "group": groups.add("Crew", members=[other], by=admin).pk,
        "account": routine.account_id,
    }


def address(data: st.DataObject, name: str, pattern: URLPattern, known: dict[str, Any]) -> str:
    arguments = {
        key: data.draw(st.just(known.get(key, known["pk"])) | _odd_argument(key))
        for key in pattern.pattern.converters
    }
    path = reverse(name, kwargs=arguments)
    return path + data.draw(st.sampled_from(["", "", "", "%00", "/", "%ff", "x" * 3_000]))


def _odd_argument(key: str) -> st.SearchStrategy[Any]:
    if key in ("slug", "reference"):
        return st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=80)
    return st.sampled_from([0, 10**17, 10**18, 10**19, 10**40])


@settings(
    max_examples=examples(12), suppress_health_check=list(HealthCheck), report_multiple_bugs=False
)
@given(data=st.data())
def test_no_request_of_any_bytes_is_a_failure(
    visitor: Person | None, known: dict[str, Any], data: st.DataObject
):
    name, pattern = data.draw(st.sampled_from(sorted(patterns(get_resolver()), key=lambda p: p[0])))
    url = address(data, name, pattern, known)
    query = urlencode(data.draw(fields), errors="replace")
    query += data.draw(
        st.sampled_from(["", "&%ff=%00", "&" * 50, f"&x={quote('é'.encode('latin-1'))}"])
    )
    method = data.draw(st.sampled_from(["GET", "GET", "POST", "POST", "HEAD", "PUT"]))
    sent = data.draw(headers)
    length = {"CONTENT_LENGTH": sent.pop("Content-Length")} if "Content-Length" in sent else {}
    with transaction.atomic():
        client = signed_in(visitor) if visitor else Client()
        if "Cookie" in sent:
            cookie = "; ".join(f"{key}={one.value}" for key, one in client.cookies.items())
            sent["Cookie"] = f"{cookie}; {sent['Cookie']}"
        response = client.generic(
            method,
            f"{url}?{query}"[:7_900],
            data.draw(bodies) if method == "POST" else b"",
            data.draw(st.sampled_from(TYPES)),
            headers=sent,
            **length,  # type: ignore[arg-type]
        )
        shown = response.getvalue().decode("utf-8", "replace") + str(response.headers)
        transaction.set_rollback(True)
    assert response.status_code < 500
    assert TOKEN not in shown


@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
@given(data=st.data(), sent=fields)
def test_no_form_of_any_values_is_a_failure(
    visitor: Person | None, known: dict[str, Any], data: st.DataObject, sent: dict[str, str]
):
    """As above, but so that more of it gets as far as the forms."""
    name, pattern = data.draw(st.sampled_from(sorted(patterns(get_resolver()), key=lambda p: p[0])))
    arguments = {key: known.get(key, known["pk"]) for key in pattern.pattern.converters}
    htmx = {"HX-Request": "true"} if data.draw(st.booleans()) else {}
    with transaction.atomic():
        client = signed_in(visitor) if visitor else Client()
        ask = client.post if data.draw(st.booleans()) else client.get
        response = ask(reverse(name, kwargs=arguments), sent, headers=htmx)
        shown = response.getvalue().decode("utf-8", "replace") + str(response.headers)
        transaction.set_rollback(True)
    assert response.status_code < 500
    assert TOKEN not in shown
