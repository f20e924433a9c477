"""Which session URLs become links: those of claude.ai's sessions, and no other in the world."""

import pytest

from routines.values import session_links


@pytest.mark.parametrize(
    "url",
    [
        "https://claude.ai/code/session_01HJKLMNOPQRSTUVWXYZ",
        "https://claude.ai/code/session_01HJKLMNOPQRSTUVWXYZ/",
        "https://claude.ai/code/session_1?from=fire&x=1#top",
        "https://claude.ai/code/cse_01HJKLMNOPQRSTUVWXYZ",
    ],
)
def test_the_address_of_a_session_at_claude_ai_is_a_link(url):
    assert session_links.is_safe(url)


NO_LINKS = {
    "another page": "https://claude.ai/",
    "a chat": "https://claude.ai/chat/0b8c6f5e",
    "a sign-out": "https://claude.ai/logout?next=/code/session_1",
    "code without a session": "https://claude.ai/code",
    "a routine": "https://claude.ai/code/routines/trig_1",
    "a session's prefix alone": "https://claude.ai/code/session_",
    "another prefix": "https://claude.ai/code/sessions_1",
    "what is below a session": "https://claude.ai/code/session_1/delete",
    "a path that leads back up": "https://claude.ai/code/session_1/../../logout",
    "something before code": "https://claude.ai/x/code/session_1",
    "an escape in the name": "https://claude.ai/code/session_%31",
    "nothing": "",
    "plain http": "http://claude.ai/code/session_1",
    "script": "javascript:alert(1)",
    "script that names the host": "javascript://claude.ai/%0aalert(1)",
    "data": "data:text/html,https://claude.ai/",
    "no scheme": "//claude.ai/code/session_1",
    "other case of the scheme": "HTTPS://claude.ai/code/session_1",
    "host that goes on": "https://claude.ai.example.com/code/session_1",
    "host that begins before": "https://evil-claude.ai/code/session_1",
    "subdomain": "https://www.claude.ai/code/session_1",
    "look-alike letter": "https://cl\u0430ude.ai/code/session_1",
    "a dot that is any character": "https://claudexai/code/session_1",
    "user-info": "https://claude.ai@example.com/code/session_1",
    "user-info with password": "https://claude.ai:x@example.com/",
    "port": "https://claude.ai:444/code/session_1",
    "nothing after the host": "https://claude.ai",
    "backslash": "https://claude.ai\\@example.com/",
    "backslash later": "https://claude.ai/\\example.com",
    "at sign later": "https://claude.ai/@example.com",
    "space": "https://claude.ai/code/session 1",
    "quote": 'https://claude.ai/"onmouseover="x',
    "apostrophe": "https://claude.ai/'x",
    "angle bracket": "https://claude.ai/<b>",
    "line break within": "https://claude.ai/code\n/session_1",
    "line break at the end": "https://claude.ai/code/session_1\n",
    "space before": " https://claude.ai/code/session_1",
    "NUL": "https://claude.ai/\x00",
    "letter outside ASCII": "https://claude.ai/code/é",
    "digit outside ASCII": "https://claude.ai/code/٣",
    "right-to-left override": "https://claude.ai/\u202egnp.exe",
}


@pytest.mark.parametrize("url", NO_LINKS.values(), ids=NO_LINKS)
def test_anything_else_is_text(url):
    assert not session_links.is_safe(url)
