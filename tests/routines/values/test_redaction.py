"""What looks like a secret does not get out, in whatever shape; what is none stays readable."""

import base64
from urllib.parse import quote

import pytest

from routines.values import redaction
from routines.values.redaction import MESSAGE_REMOVED, Redactor, redact
from routines.values.tokens import PREFIX, Token

SECRET = "Qz7recognisable4Kx9w"
TOKEN = PREFIX + SECRET
RAW = TOKEN.encode()

TOKENS = {
    "plain": TOKEN,
    "in capitals": TOKEN.upper(),
    "an API key": f"sk-ant-api03-{SECRET}",
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
    "encrypted token": f"gAAAAABn{SECRET}{SECRET}{SECRET}==",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
}
READABLE = (
    "The token is rejected since 14:32.",
    "run 7: session_id='session_01ABC' session_url='https://claude.ai/code/session_01ABC'",
    "GET /routines/release-notes/token/ 200",
    "tokens: 3 re-encrypted, 0 unreadable",
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
    redaction.own_secrets.cache_clear()
    yield
    redaction.own_secrets.cache_clear()


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


# --- One known token ---

BODY = "Q7hVw2_tR9-kLmZ4xPbN0sDfGyJc8uEi3oAa5vBn"
PIECE = BODY[9:21]


def of_the_known(value: str, longest: int = 1_000) -> str:
    return Redactor(Token(PREFIX + BODY)).redact(value, longest=longest)


def in_base64(text: str) -> list[str]:
    return [base64.b64encode(before + text.encode()).decode() for before in (b"", b"x", b"xy")]


def in_address_base64(text: str) -> list[str]:
    return [base64.urlsafe_b64encode(before + text.encode()).decode() for before in (b"", b"?")]


PIECES = {
    "at the start": BODY[:12],
    "in the middle": PIECE,
    "at the end": BODY[-12:],
    "other case": PIECE.upper(),
    "blanks": " ".join(PIECE),
    "line breaks": "\r\n".join(PIECE),
    "invisible characters": "\u200b".join(PIECE),
    "NUL": "\x00".join(PIECE),
    "a string broken over lines": f"'{PIECE[:6]}' \\\n   '{PIECE[6:]}'",
    "URL-quoted": quote(f"token={BODY} ", safe=""),
    "every byte URL-quoted": "".join(f"%{byte:02X}" for byte in PIECE.encode()),
    "hexadecimal": PIECE.encode().hex(),
    "hexadecimal, capitals": PIECE.encode().hex().upper(),
    "hexadecimal, with colons": PIECE.encode().hex(":"),
    "hexadecimal, with blanks": PIECE.encode().hex(" ", 2),
    **{f"base64, offset {at}": text for at, text in enumerate(in_base64(BODY[3:21]))},
    **{f"base64 for URLs {at}": text for at, text in enumerate(in_address_base64(BODY[3:21]))},
    "base64, wrapped": "\n".join(in_base64(BODY)[1][at : at + 8] for at in range(0, 40, 8)),
}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_a_message_with_twelve_characters_of_the_token_is_dropped_and_that_is_said(piece: str):
    assert of_the_known(f"Invalid token: {piece}, sorry") == MESSAGE_REMOVED


@pytest.mark.parametrize("start", range(0, len(BODY) - 11))
def test_it_does_not_matter_which_twelve(start: int):
    assert of_the_known(f"<{BODY[start : start + 12]}>") == MESSAGE_REMOVED
    assert of_the_known(f"<{BODY[start : start + 12].encode().hex()}>") == MESSAGE_REMOVED


def test_fewer_characters_give_nothing_away_and_the_message_stays():
    message = f"The token that ends in {BODY[-11:]} was rejected."
    assert of_the_known(message) == message


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Invalid bearer token",
        "session_01HJKLMNOPQRSTUVWXYZ",
        "https://claude.ai/code/session_01HJKLMNOPQRSTUVWXYZ",
        "x" * 1_000,
        "0" * 1_000,
    ],
)
def test_what_repeats_nothing_of_the_token_stays_as_it_is(message: str):
    assert of_the_known(message) == message


def test_another_token_is_taken_out_of_a_message_that_stays():
    assert of_the_known(f"Not {PREFIX}another-routine's.") == "Not [token removed]'s."


def test_a_message_is_cut_after_it_was_looked_at():
    for before in range(80, 101):
        assert of_the_known("m" * before + BODY, longest=100)[:15] == MESSAGE_REMOVED[:15]
    assert of_the_known("m" * 101, longest=100) == "m" * 99 + "…"
