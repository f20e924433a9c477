"""The MCP endpoint, as the reference client of the protocol calls it over a real socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from routines.practice_api import PracticeServer
from tests.server import keys
from tests.server.product import Database, serving
from tests.server.seed import SLUG

# How a client opens: with the handshake of the older revisions, or by the newest one alone.
REVISIONS = {"legacy": "2025-11-25", "2026-07-28": "2026-07-28", "auto": "2026-07-28"}


@asynccontextmanager
async def connected(url: str, key: str, mode: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


def conversation(url: str, key: str, mode: str) -> Any:
    async def talk() -> Any:
        async with connected(url, key, mode) as client:
            tools = await client.list_tools()
            listed = await client.call_tool("list_routines", {})
            asked = {
                "routine": SLUG,
                "template": "The template",
                "idempotency_key": f"by {mode}",
            }
            fired = [await client.call_tool("fire_routine", asked) for _ in range(2)]
            run_id = fired[0].structured_content["run_id"]
            run = await client.call_tool("get_run", {"run_id": run_id})
            runs = await client.call_tool("list_runs", {})
            late = await client.call_tool("cancel_run", {"run_id": run_id})
            wrong = await client.call_tool("fire_routine", {"routine": SLUG})
            return client.protocol_version, tools, listed, fired, run, runs, late, wrong

    return anyio.run(talk)


def test_the_reference_client_fires_and_follows_runs(database: Database, tmp_path: Path):
    _, key = keys.make(database, personal=True)
    with PracticeServer() as endpoint, serving(database, endpoint.url, tmp_path) as product:
        talks = {mode: conversation(f"{product.url}/mcp", key, mode) for mode in REVISIONS}
        sessions = endpoint.api.sessions
    assert [session.text for session in sessions] == ["Notes for version 1."] * len(REVISIONS)
    for (mode, talk), session in zip(talks.items(), sessions, strict=True):
        version, tools, listed, fired, run, runs, late, wrong = talk
        assert version == REVISIONS[mode]
        assert {tool.name for tool in tools.tools} == {
            *("list_routines", "fire_routine", "get_run", "list_runs", "cancel_run")
        }
        [routine] = listed.structured_content["routines"]
        assert (routine["slug"], routine["can_be_fired_now"]) == (SLUG, True)
        assert fired[0].structured_content == fired[1].structured_content
        assert fired[0].structured_content["session_url"] == session.session_url
        assert run.structured_content == fired[0].structured_content
        assert runs.structured_content["runs"][0] == run.structured_content
        assert late.is_error
        assert "not cancelled" in late.content[0].text
        assert wrong.is_error
        assert "idempotency_key" in wrong.content[0].text
    log = product.log.read_text()
    assert "fire_routine" in log
    assert "API key" in log
    assert key not in log


def test_a_key_that_opens_nothing_tells_the_client_why(database: Database, tmp_path: Path):
    name, key = keys.make(database, personal=True)
    keys.revoke(database, name)

    async def talk(url: str) -> None:
        async with connected(url, key, "legacy") as client:
            await client.list_tools()

    with (
        PracticeServer() as endpoint,
        serving(database, endpoint.url, tmp_path) as product,
        pytest.raises(ExceptionGroup) as failed,
    ):
        anyio.run(talk, f"{product.url}/mcp")
    assert endpoint.api.requests == 0
    assert "This API key was revoked." in repr(failed.value)
