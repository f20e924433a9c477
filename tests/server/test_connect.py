"""What the Connect tab gives to copy is run as its system would run it, against the product."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml

from dashboard.connect import snippets
from dashboard.connect.snippets import VARIABLE
from routines.models import Routine
from routines.practice_api import PracticeServer
from tests.server import keys
from tests.server.product import Database, free_port, serving
from tests.server.seed import SLUG
from tests.server.test_mcp import connected

ENVIRONMENTS = {
    "github": {
        "GITHUB_REPOSITORY": "crew/ship",
        "GITHUB_RUN_ID": "1658821493",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_JOB": "fire",
        "GITHUB_SHA": "ffac537e6cbbf934b08745a378932722df287a53",
        "GITHUB_SERVER_URL": "https://github.com",
    },
    "gitlab": {
        "CI_PROJECT_ID": "17893",
        "CI_JOB_ID": "50",
        "CI_COMMIT_SHA": "1ecfd275763eff1d6b4844ea3168962458c9f27a",
        "CI_PIPELINE_URL": "https://gitlab.com/crew/ship/-/pipelines/600",
    },
    "jenkins": {"BUILD_URL": "https://ci.example/job/My%20job/15/", "BUILD_NUMBER": "15"},
    "make": {"INTENT": "release-1.2"},
}
# The same system, the next time that it means to fire.
NEXT = {
    "github": {"GITHUB_RUN_ATTEMPT": "2"},
    "gitlab": {"CI_JOB_ID": "51"},
    "jenkins": {"BUILD_URL": "https://ci.example/job/My%20job/16/"},
    "make": {"INTENT": "release-1.3"},
}


def step_of_github(text: str) -> str:
    workflow = yaml.safe_load(text)
    assert {"push", "workflow_dispatch"} == workflow[True].keys()  # YAML reads `on` so
    assert workflow["permissions"] == {}
    [step] = workflow["jobs"]["fire"]["steps"]
    assert workflow["jobs"]["fire"]["runs-on"] == "ubuntu-latest"
    assert step["env"] == {VARIABLE: "${{ secrets.%s }}" % VARIABLE}  # noqa: UP031
    return str(step["run"])


def step_of_gitlab(text: str) -> str:
    [(name, job)] = yaml.safe_load(text).items()
    assert name == f"fire-{SLUG}"
    assert job.keys() == {"image", "timeout", "variables", "rules", "script"}
    [step] = job["script"]
    return str(step)


def step_of_jenkins(text: str) -> str:
    assert text.count("{") == text.count("}")
    assert f"{VARIABLE} = credentials('routines-api-key')" in text
    [step] = re.findall(r"sh '''\n(.*?)'''", text, re.DOTALL)
    assert "\\" not in step.replace("\\\\", "")  # in Groovy's string each is an escape
    return str(step).replace("\\\\", "\\")


def plain(text: str) -> str:
    return text


# How each system runs it: a shell as it calls it, or a program; {} is the file.
SYSTEMS: dict[str, tuple[Callable[[str], str], str, list[str]]] = {
    "curl": (plain, "fire.sh", ["sh", "{}", "shell-1.2"]),
    "github": (step_of_github, "step.sh", ["bash", "-e", "{}"]),
    "gitlab": (step_of_gitlab, "step.sh", ["sh", "-e", "{}"]),
    "jenkins": (step_of_jenkins, "step.sh", ["sh", "-xe", "{}"]),
    "python": (plain, "fire.py", ["python3", "{}", "python-1.2"]),
    "node": (plain, "fire.mjs", ["node", "{}", "node-1.2"]),
    "make": (plain, "Makefile", ["make", "--file", "{}", f"fire-{SLUG}"]),
}
AGENTS = {"claude", "mcp"}


def at_hand(*names: str) -> list[str]:
    """Those whose programs are installed; tests/run.sh says what is missing."""
    needed = {name: "node" if name == "node" else "curl" for name in names if name != "python"}
    return [name for name in names if name not in needed or shutil.which(needed[name])]


class Machine:
    """Runs one text as its system does, with the key where that system keeps it."""

    def __init__(self, folder: Path, texts: dict[str, str]) -> None:
        self._folder, self._texts = folder, texts

    def run(self, name: str, key: str, *, again: bool = True) -> Any:
        extract, file, command = SYSTEMS[name]
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        (folder / file).write_text(extract(self._texts[name]))
        command = [one.format(folder / file) for one in command]
        if not again:
            command = [one.replace("1.2", "1.3") for one in command]
        environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(folder), VARIABLE: key}
        environment |= ENVIRONMENTS.get(name, {}) | ({} if again else NEXT.get(name, {}))
        return subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, check=False
        )

    def left_behind(self, name: str) -> set[str]:
        return {path.name for path in (self._folder / name).iterdir()} - {SYSTEMS[name][1]}


def texts_for(settings: Any, url: str) -> dict[str, str]:
    settings.DASHBOARD_URL = url
    return {one.name: one.text for one in snippets.of(Routine(slug=SLUG, name="“x” '; exit"))}


def test_every_text_is_tried(settings):
    assert texts_for(settings, "https://x.example").keys() == SYSTEMS.keys() | AGENTS


def test_every_text_fires_once_for_its_intent_and_fails_with_the_sentence(
    database: Database, tmp_path: Path, settings
):
    name_of_key, key = keys.make(database)
    tried = at_hand(*SYSTEMS)
    with PracticeServer() as endpoint, serving(database, endpoint.url, tmp_path) as product:
        machine = Machine(tmp_path, texts_for(settings, product.url))
        sessions = endpoint.api.sessions
        for count, name in enumerate(tried):
            first, second = (machine.run(name, key) for _ in range(2))
            assert (first.returncode, second.returncode) == (0, 0), (name, first, second)
            assert first.stdout == second.stdout
            assert len(sessions) == 2 * count + 1, name
            answer = json.loads(first.stdout.strip().splitlines()[-1])
            assert answer["claude_code_session_url"] == sessions[-1].session_url
            assert "$" not in sessions[-1].text
            assert machine.run(name, key, again=False).returncode == 0
            assert len(sessions) == 2 * count + 2, name
            assert machine.left_behind(name) == set()
        keys.revoke(database, name_of_key)
        for name in tried:
            refused = machine.run(name, key)
            assert refused.returncode != 0, name
            assert "answered 401: This API key was revoked. Ask an admin" in refused.stderr, name
        assert len(sessions) == 2 * len(tried)
    assert key not in product.log.read_text()


@pytest.mark.parametrize("name", at_hand("python", "node"))
def test_a_dashboard_that_does_not_answer_fails_the_program(settings, tmp_path, name):
    machine = Machine(tmp_path, texts_for(settings, f"http://127.0.0.1:{free_port()}"))
    failed = machine.run(name, "rdk_x")
    assert failed.returncode != 0
    assert "No answer from the routine dashboard, so call again" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_what_agents_are_given_opens_the_mcp_endpoint(database: Database, tmp_path: Path, settings):
    _, key = keys.make(database, personal=True)
    with PracticeServer() as endpoint, serving(database, endpoint.url, tmp_path) as product:
        texts = texts_for(settings, product.url)
        server = json.loads(texts["mcp"])["mcpServers"]["routines"]
        command = shlex.split(texts["claude"])
        assert server["headers"] == {"Authorization": "Bearer ${%s}" % VARIABLE}  # noqa: UP031
        assert command[-1] == f"Authorization: Bearer ${VARIABLE}"
        assert server["url"] in command

        async def talk() -> Any:
            async with connected(server["url"], key, "auto") as client:
                return await client.call_tool("list_routines", {})

        listed = anyio.run(talk).structured_content
    assert [routine["slug"] for routine in listed["routines"]] == [SLUG]
