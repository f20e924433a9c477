import socket
import stat
from pathlib import Path

import pytest

from dashboard.serving import demo
from dashboard.serving.serve import port_problem


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    return tmp_path


def test_nothing_of_the_users_settings_reaches_a_demo(monkeypatch: pytest.MonkeyPatch):
    users = {
        "CLAUDE_API_BASE_URL": "https://api.anthropic.com",
        "DATABASE_URL": "postgresql://user:password@db.example.com/dashboard",
        "SECRET_KEY": "the user's own",
        "SECRET_KEY_FILE": "/run/secrets/key",
        "ENV_FILE": ".env",
        "HTTPS_PROXY": "http://proxy.example.com",
    }
    for name, value in users.items():
        monkeypatch.setenv(name, value)
    environment = demo.children_environment(8000, 8100)
    assert not set(users.values()) & set(environment.values())
    assert environment["CLAUDE_API_BASE_URL"] == "http://127.0.0.1:8100"
    assert environment["ENV_FILE"] == ""
    assert not {"SECRET_KEY_FILE", "HTTPS_PROXY"} & set(environment)


def test_the_keys_are_made_once_and_for_their_owner_only(folder: Path):
    keys = demo.stored_keys()
    assert demo.stored_keys() == keys
    assert stat.S_IMODE((folder / "keys.json").stat().st_mode) == 0o600


def test_one_demo_at_a_time():
    with demo.only_one(), pytest.raises(demo.Failed, match="running already"), demo.only_one():
        pass


def test_a_taken_port_is_said_plainly():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert port_problem("127.0.0.1", port).startswith(f"Port {port} is taken.")
    assert port_problem("127.0.0.1", port) == ""
