"""Finding the routine ID in what an admin pasted."""

import pytest

from routines.registry.paste import routine_ids
from routines.registry.paste.routine_ids import RoutineIdRefused

API = "https://api.anthropic.com"
FIRE = f"{API}/v1/claude_code/routines"


def parse(pasted: str, *, api_base_url: str = API) -> str:
    return routine_ids.parse(pasted, api_base_url=api_base_url)


@pytest.mark.parametrize(
    ("pasted", "routine_id"),
    [
        ("trig_01Wx", "trig_01Wx"),
        ("  trig_01Wx\r\n", "trig_01Wx"),
        ("trig_a-b_C9", "trig_a-b_C9"),
        (f"trig_{'n' * 120}", f"trig_{'n' * 120}"),
        (f"{FIRE}/trig_01Wx/fire", "trig_01Wx"),
        (f"{FIRE}/trig_01Wx/fire/", "trig_01Wx"),
        (f"{FIRE}/trig_01Wx", "trig_01Wx"),
        (f" {FIRE}/trig_01Wx/fire\n", "trig_01Wx"),
        (f"{FIRE}/trig_01Wx/fire?x=1#y", "trig_01Wx"),
        ("HTTPS://API.Anthropic.com/v1/claude_code/routines/trig_01Wx/fire", "trig_01Wx"),
        ("https://claude.ai/code/routines/trig_01Wx", "trig_01Wx"),
        ("api.anthropic.com/v1/claude_code/routines/trig_01Wx/fire", "trig_01Wx"),
        ("//api.anthropic.com/v1/claude_code/routines/trig_01Wx/fire", "trig_01Wx"),
        ("claude.ai/code/routines/trig_01Wx", "trig_01Wx"),
        ("https://api.anthropic.com:443/v1/claude_code/routines/trig_01Wx/fire", "trig_01Wx"),
        ("POST /v1/claude_code/routines/trig_01Wx/fire HTTP/1.1", "trig_01Wx"),
        ("$BASE/v1/claude_code/routines/trig_01Wx/fire", "trig_01Wx"),
        ("ROUTINE_ID=trig_01Wx", "trig_01Wx"),
        ("“trig_01Wx”", "trig_01Wx"),
        ("\ufefftrig_01Wx\u200b", "trig_01Wx"),
        (f"<{FIRE}/trig_01Wx/fire>", "trig_01Wx"),
        (f"<{FIRE}/trig_01Wx/fire|api.anthropic.com/…/fire>", "trig_01Wx"),
        (f"[{FIRE}/trig_01Wx/fire]({FIRE}/trig_01Wx/fire)", "trig_01Wx"),
        (f"{FIRE}/trig_01Wx/fire\\", "trig_01Wx"),
        (f"curl '{FIRE}/trig_01Wx/fire' -d x", "trig_01Wx"),
        ("https://claude.ai/code/routines/trig_01Wx/?tab=runs", "trig_01Wx"),
    ],
)
def test_the_id_is_found(pasted, routine_id):
    assert parse(pasted) == routine_id


def test_the_host_is_the_one_that_is_set():
    local = "http://127.0.0.1:8100"
    url = f"{local}/v1/claude_code/routines/trig_01Wx/fire"
    assert parse(url, api_base_url=local) == "trig_01Wx"
    with pytest.raises(RoutineIdRefused, match=r"only ever sent to api\.anthropic\.com"):
        parse(url)
    with pytest.raises(RoutineIdRefused, match=r"only ever sent to 127\.0\.0\.1:8100"):
        parse(f"{FIRE}/trig_01Wx/fire", api_base_url=local)


REFUSED = {
    "nothing": ("", "Paste the routine ID"),
    "the other prefix": ("routine_01Wx", "never with routine_"),
    "other case": ("TRIG_01Wx", "Paste the routine ID"),
    "only the prefix": ("trig_", ""),
    "too long": (f"trig_{'n' * 121}", "Paste the routine ID"),
    "a space within": ("trig_01 Wx", "broken over lines or holds a space"),
    "a dot": ("trig_01.Wx", "Paste the routine ID"),
    "a slash": ("trig_01/../x", "Paste the routine ID"),
    "outside ASCII": ("trig_é", "Paste the routine ID"),
    "a digit outside ASCII": ("trig_٣", "Paste the routine ID"),
    "a line break within": ("trig_01\nWx", "broken over lines or holds a space"),
    "another host": ("https://example.com/v1/claude_code/routines/trig_01Wx/fire", "another host"),
    "a longer host": (f"{FIRE}.evil.example/trig_01Wx/fire", "No routine ID"),
    "a host that goes on": (
        "https://api.anthropic.com.evil.example/v1/claude_code/routines/trig_01Wx/fire",
        "another host",
    ),
    "user-info": (
        "https://api.anthropic.com@evil.example/v1/claude_code/routines/trig_01Wx/fire",
        "another host",
    ),
    "another port": (
        "https://api.anthropic.com:444/v1/claude_code/routines/trig_01Wx/fire",
        "another host",
    ),
    "another host without https://": (
        "example.com/v1/claude_code/routines/trig_01Wx/fire",
        "another host",
    ),
    "user-info without https://": (
        "api.anthropic.com@evil.example/v1/claude_code/routines/trig_01Wx/fire",
        "another host",
    ),
    "a link that shows our host and leads to another": (
        f"<https://evil.example/v1/claude_code/routines/trig_01Wx/fire|{FIRE}/trig_01Wx/fire>",
        "another host",
    ),
    "a request to another host": (
        "POST /v1/claude_code/routines/trig_01Wx/fire HTTP/1.1\nHost: evil.example\n",
        "another host",
    ),
    "two IDs": ("trig_01Wx trig_02Yz", "Two different routine IDs"),
    "shortened": ("trig_01Wx…", "cut short"),
    "shortened with dots": ("trig_01Wx...", "cut short"),
    "shortened in a URL": (f"{FIRE}/trig_01W…/fire", "cut short"),
    "no host": ("https:///v1/claude_code/routines/trig_01Wx/fire", "another host"),
    "a session's page": ("https://claude.ai/code/session_1", "No routine ID"),
    "the list of routines": ("https://claude.ai/code/routines/", "No routine ID"),
    "deeper down": (f"{FIRE}/trig_01Wx/fire/more", "No routine ID"),
    "another prefix in a URL": (f"{FIRE}/routine_01Wx/fire", "No routine ID"),
    "an ID in the query": (f"{API}/?id=trig_01Wx", "No routine ID"),
    "a URL that cannot be read": ("https://[api/trig_01Wx", "cannot be read"),
}


@pytest.mark.parametrize(("pasted", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_holds_no_id_is_refused_with_a_sentence(pasted, sentence):
    with pytest.raises(RoutineIdRefused) as refused:
        parse(pasted)
    assert sentence in str(refused.value)
    assert str(refused.value).endswith(".")
