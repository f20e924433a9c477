"""Pastes that people brought along elsewhere, letter by letter as they were."""

import pytest

from routines.registry.paste import pasted
from routines.registry.paste.pasted import Pasted
from routines.values.tokens import Token

HOST = "https://api.anthropic.com"
TOKEN = Token("sk-ant-oat01-Q7hVw2_tR9-kLmZ4xPbN0sDfGyJc8uEi3oAa5vBn6MrTqWXz-K1YpHdLj")
WHOLE = Pasted("trig_01K7Q2RZ5XW8NB4M6T", TOKEN, "experimental-cc-routine-2026-04-01", "2023-06-01")

CASES = {
    "2: curly quotes": (
        "curl -X POST https://api.anthropic.com/v1/claude_code/routines/trig_01K7Q2RZ5XW8NB4M6T/fire"
        " \\\n  -H \u201cAuthorization: Bearer "
        "sk-ant-oat01-Q7hVw2_tR9-kLmZ4xPbN0sDfGyJc8uEi3oAa5vBn6MrTqWXz-K1YpHdLj\u201d \\\n"
        "  -H \u201canthropic-beta: experimental-cc-routine-2026-04-01\u201d \\\n"
        "  -H \u201canthropic-version: 2023-06-01\u201d \\\n"
        '  -H "Content-Type: application/json" \\\n'
        '  -d \'{"text": "Alert fired."}\'\n'
    ),
    "3: a URL without its scheme": (
        "curl -X POST api.anthropic.com/v1/claude_code/routines/trig_01K7Q2RZ5XW8NB4M6T/fire \\\n"
        '  -H "Authorization: Bearer '
        'sk-ant-oat01-Q7hVw2_tR9-kLmZ4xPbN0sDfGyJc8uEi3oAa5vBn6MrTqWXz-K1YpHdLj" \\\n'
        '  -H "anthropic-beta: experimental-cc-routine-2026-04-01" \\\n'
        '  -H "anthropic-version: 2023-06-01" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        '  -d \'{"text": "Alert fired."}\'\n'
    ),
    "5: headers on one line": (
        "Invoke-RestMethod -Method Post -Uri "
        "'https://api.anthropic.com/v1/claude_code/routines/trig_01K7Q2RZ5XW8NB4M6T/fire' "
        "-Headers @{ Authorization = 'Bearer "
        "sk-ant-oat01-Q7hVw2_tR9-kLmZ4xPbN0sDfGyJc8uEi3oAa5vBn6MrTqWXz-K1YpHdLj'; "
        "'anthropic-beta' = 'experimental-cc-routine-2026-04-01'; "
        "'anthropic-version' = '2023-06-01' } "
        "-ContentType 'application/json' -Body '{\"text\":\"x\"}'"
    ),
    "7: a link as chats write it": (
        "curl -X POST "
        "<https://api.anthropic.com/v1/claude_code/routines/trig_01K7Q2RZ5XW8NB4M6T/fire> \\\n"
        '  -H "Authorization: Bearer '
        'sk-ant-oat01-Q7hVw2_tR9-kLmZ4xPbN0sDfGyJc8uEi3oAa5vBn6MrTqWXz-K1YpHdLj" \\\n'
        '  -H "anthropic-beta: experimental-cc-routine-2026-04-01" \\\n'
        '  -H "anthropic-version: 2023-06-01" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        '  -d \'{"text": "Alert fired."}\'\n'
    ),
    "8: a lost closing quote": (
        "curl -X POST https://api.anthropic.com/v1/claude_code/routines/trig_01K7Q2RZ5XW8NB4M6T/fire"
        ' -H "Authorization: Bearer '
        "sk-ant-oat01-Q7hVw2_tR9-kLmZ4xPbN0sDfGyJc8uEi3oAa5vBn6MrTqWXz-K1YpHdLj"
        ' -H "anthropic-beta: experimental-cc-routine-2026-04-01"'
        ' -H "anthropic-version: 2023-06-01"'
    ),
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_a_paste_from_the_field_is_understood_whole(text: str):
    assert pasted.read(text, api_base_url=HOST) == WHOLE


@pytest.mark.parametrize(
    "text",
    [
        # 5 in other languages: the same on one line of Python, JavaScript and JSON.
        "requests.post('https://api.anthropic.com/v1/claude_code/routines/trig_01K7Q2RZ5XW8NB4M6T/fire',"
        f" headers={{'Authorization': 'Bearer {TOKEN.reveal()}', 'anthropic-beta':"
        " 'experimental-cc-routine-2026-04-01', 'anthropic-version': '2023-06-01'})",
        'await fetch("https://api.anthropic.com/v1/claude_code/routines/trig_01K7Q2RZ5XW8NB4M6T/fire",'
        f' {{method: "POST", headers: {{"Authorization": "Bearer {TOKEN.reveal()}",'
        ' "anthropic-beta":'
        ' "experimental-cc-routine-2026-04-01", "anthropic-version": "2023-06-01"}})',
        '{"url": "https://api.anthropic.com/v1/claude_code/routines/trig_01K7Q2RZ5XW8NB4M6T/fire",'
        f' "headers": {{"Authorization": "Bearer {TOKEN.reveal()}", "anthropic-beta":'
        ' "experimental-cc-routine-2026-04-01", "anthropic-version": "2023-06-01"}}',
    ],
    ids=["Python", "JavaScript", "JSON"],
)
def test_headers_on_one_line_of_other_languages_are_understood(text: str):
    assert pasted.read(text, api_base_url=HOST) == WHOLE


def test_a_link_with_its_text_and_the_token_below_it_are_understood():
    """7, as another chat writes it."""
    url = f"{HOST}/v1/claude_code/routines/trig_01K7Q2RZ5XW8NB4M6T/fire"
    found = pasted.read(f"<{url}|{url}>\n{TOKEN.reveal()}\n", api_base_url=HOST)
    assert (found.routine_id, found.token) == (WHOLE.routine_id, TOKEN)
