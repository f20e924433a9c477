"""What comes in at /mcp, and what does not."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routines.callers import keys
from tests.dashboard.mcp.agent import Agent
from tests.factories import create_admin, create_key_and_secret, create_routine

pytestmark = pytest.mark.django_db

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def test_a_key_of_no_person_is_refused_in_a_sentence():
    _, secret = create_key_and_secret(create_routine())
    answer = Agent(secret).post(LIST)
    assert answer.status_code == 403
    assert "make a personal key" in answer.json()["error"]["message"]


def test_without_a_usable_key_nothing_is_told(client, key):
    for headers in ({}, {"Authorization": "Bearer rdk_x"}, {"Authorization": "Basic x"}):
        answer = client.post("/mcp", LIST, content_type="application/json", headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.json()["error"]["message"]
    keys.revoke(key[0], by=create_admin())
    answer = Agent(key[1]).post(LIST)
    assert answer.status_code == 401
    assert "was revoked" in answer.json()["error"]["message"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_but_post_does_anything(agent, method):
    answer = agent.send(method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://testserver", 200),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
        ("http://testserver.evil.example", 403),
    ],
)
def test_a_page_of_another_site_gets_nothing(agent, settings, origin, status):
    settings.ALLOWED_HOSTS = ["testserver"]
    assert agent.post(LIST, Origin=origin).status_code == status


def test_a_body_that_is_too_large_is_not_read(agent):
    answer = agent.post(b" " * 1_048_577)
    assert answer.status_code == 413


CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
ODD = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a batch": json.dumps([LIST, LIST]).encode(),
    "nested": b"[" * 50_000,
    "nested and closed": b"[" * 50_000 + b"]" * 50_000,
    "nested objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "no UTF-8": b'{"jsonrpc":"2.0","id":1,"method":"\xff"}',
    "a half character": b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}',
    "a large number": b'{"jsonrpc":"2.0","method":"tools/list","id":' + b"9" * 5_000 + b"}",
    "a number beyond 64 bits": b'{"jsonrpc":"2.0","method":"tools/list","id":' + b"9" * 30 + b"}",
    "no id": b'{"jsonrpc":"2.0","id":null,"method":"tools/list"}',
    "a list as id": b'{"jsonrpc":"2.0","id":[],"method":"tools/list"}',
    "params": b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}',
    "no version": b'{"id":1,"method":"tools/list"}',
    "no tool": json.dumps(CALL).encode(),
    "a wrong tool": json.dumps(CALL | {"params": {"name": "rm", "arguments": {}}}).encode(),
    "a tool by number": json.dumps(CALL | {"params": {"name": 1}}).encode(),
    "arguments": json.dumps(CALL | {"params": {"name": "get_run", "arguments": []}}).encode(),
    "a state": json.dumps(
        CALL | {"params": {"name": "get_run", "arguments": {}, "requestState": "x:y:\ud800"}}
    ).encode(),
    "a byte-order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
@pytest.mark.parametrize("version", ["", "2025-06-18", "2026-07-28", "\x00", "x" * 3000])
def test_an_odd_body_is_answered(agent, body, version):
    headers = {"MCP-Protocol-Version": version, "Mcp-Method": "tools/call"} if version else {}
    answer = agent.post(body, **headers)
    assert answer.status_code in (200, 202, 400, 404)
    if answer.status_code != 202:
        assert answer.json()["jsonrpc"] == "2.0"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
TOOLS = st.sampled_from(["list_routines", "fire_routine", "get_run", "list_runs", "cancel_run"])
NAMES = st.sampled_from(
    ["search", "routine", "text", "template", "values", "why", "idempotency_key", "run_id", "limit"]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300))
def test_no_bytes_break_it(agent, body):
    assert agent.post(body).status_code in (200, 202, 400)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tool=TOOLS, arguments=st.dictionaries(NAMES, JSON))
def test_no_arguments_break_a_tool(agent, caplog, tool, arguments):
    caplog.clear()
    answer = agent.rpc("tools/call", {"name": tool, "arguments": arguments})
    assert "result" in answer
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.usefixtures("transactional_db")
def test_the_log_names_tool_and_key_and_nothing_of_the_text(agent, practice, caplog):
    routine = create_routine()
    with caplog.at_level(logging.INFO):
        agent.call(
            "fire_routine", routine=routine.slug, idempotency_key="one", text="A confidence."
        )
    logged = [record.getMessage() for record in caplog.records]
    assert any("'fire_routine'" in line for line in logged)
    facts = [getattr(record, "facts", {}) for record in caplog.records]
    assert any("API key Agent" in str(fact) for fact in facts)
    assert "A confidence" not in str([logged, facts])
