"""What looks like a secret does not get out, in whatever shape; what is none stays readable."""

import base64
from urllib.parse import quote

import pytest

from routines.values import redaction
from routines.values.redaction import redact
from routines.values.tokens import PREFIX

SECRET = "Qz7recognisable4Kx9w"
TOKEN = PREFIX + SECRET
RAW = TOKEN.encode()

TOKENS = {
    "plain": TOKEN,
    "in capitals": TOKEN.upper(),
    "an API key": f"sk-ant-api03-{SECRET}",
    "reversed": TOKEN[::-1],
    "percent-encoded": quote(TOKEN, safe="").replace("-", "%2D"),
    "every byte percent-encoded": "".join(f"%{byte:02X}" for byte in RAW),
    "HTML entities": "".join(f"&#{byte};" for byte in RAW),
    "HTML entities in hex": "".join(f"&#x{byte:x};" for byte in RAW),
    "JSON escapes": "".join(f"\\u{byte:04x}" for byte in RAW),
    "a bytes repr in hex": "".join(f"\\x{byte:02x}" for byte in RAW),
    "hex": RAW.hex(),
    "base64": base64.b64encode(RAW).decode(),
    "base64 of the header": base64.b64encode(f"Bearer {TOKEN}".encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(b"x" + RAW).decode(),
    "UTF-16": "\x00".join(TOKEN),
    "with invisible characters": "\u200b".join(TOKEN),
}
OTHERS = {
    "header": f"Authorization: Bearer {SECRET}",
    "header in a dict": str({"Authorization": f"Bearer {SECRET}", "Accept": "*/*"}),
    "header of httpx": str([(b"Authorization", f"Bearer {SECRET}".encode())]),
    "basic": f"got Basic {base64.b64encode(SECRET.encode()).decode()}",
    "cookies": f"Cookie: theme=dark; sessionid={SECRET}",
    "cookie set": f"Set-Cookie: sessionid={SECRET}; HttpOnly",
    "web session": f"sessionid={SECRET}; x=1",
    "form": f"login=jo&password={SECRET}&next=/",
    "form in a QueryDict": str({"password": [SECRET]}).replace("[", "").replace("]", ""),
    "JSON": '{"client_secret": "%s"}' % SECRET,  # noqa: UP031
    "quotes in quotes": str({"password": f'it\'s "{SECRET}"'}),
    "keyword": f"connect(host='db', password='{SECRET}')",
    "CSRF": f"csrfmiddlewaretoken={SECRET}",
    "database": f"postgresql://dashboard:{SECRET}@db:5432/x",
    "code of a provider": f"GET /oidc/callback/?code={SECRET}&state={SECRET}",
    "ID token": f"eyJhbGciOiJSUzI1NiJ9.eyJ{SECRET}.c2ln{SECRET}",
    "sealed token": f"gAAAAABn{SECRET}{SECRET}{SECRET}==",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
}
READABLE = (
    "The token is rejected since 14:32.",
    "run 7: session_id='session_01ABC' session_url='https://claude.ai/code/session_01ABC'",
    "GET /routines/release-notes/token/ 200",
    "tokens: 3 sealed anew, 0 unreadable",
    "https://claude.ai/code/session_01ABC?tab=1",
    f"A routine token starts with {PREFIX} and goes on.",
    "The skeleton key of 2e5b1f is no secret.",
)


@pytest.mark.parametrize("text", TOKENS.values(), ids=TOKENS)
def test_a_token_is_taken_out_in_every_shape(text):
    cleaned = redact(f"before {text} after").casefold()
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")
    # The first characters of base64 are those of the header's name.
    pieces = {text[start : start + 8].casefold() for start in range(10, len(text) - 8)}
    assert [piece for piece in pieces if piece in cleaned] == []


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_a_secret_is_taken_out(text):
    cleaned = redact(f"before {text}\nafter")
    assert cleaned.startswith("before ")
    assert cleaned.endswith("\nafter")
    assert SECRET not in cleaned
    assert base64.b64encode(SECRET.encode()).decode() not in cleaned


@pytest.mark.parametrize("text", READABLE)
def test_what_is_no_secret_stays(text):
    assert redact(text).replace("[token removed]", PREFIX) == text


@pytest.fixture
def own_secrets_read_anew():
    redaction._own_secrets.cache_clear()
    yield
    redaction._own_secrets.cache_clear()


def test_the_secrets_of_the_settings_are_known_whatever_stands_around_them(
    settings, own_secrets_read_anew
):
    settings.OIDC_CLIENT_SECRET = "of-the-provider"
    settings.DATABASES_OF_A_TEST = {"default": {"PASSWORD": "of-the-database", "USER": "dashboard"}}
    provider, database = settings.OIDC_CLIENT_SECRET, "of-the-database"
    for secret in (settings.SECRET_KEY, *settings.TOKEN_ENCRYPTION_KEYS, provider, database):
        assert secret not in redact(f"odd«{secret}»")
    assert redact("dashboard routines.Person") == "dashboard routines.Person"


def test_redacting_twice_is_redacting_once():
    for text in (*TOKENS.values(), *OTHERS.values()):
        assert redact(redact(text)) == redact(text)
