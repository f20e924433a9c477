"""Tokens: what is one, how it is encrypted at rest, and that it does not get out by accident."""

import base64
import copy
import json
import logging
import pickle
import traceback

import pytest
from cryptography.fernet import Fernet

from routines.values import tokens
from routines.values.tokens import PREFIX, Token, TokenRefused, TokenUnreadable

SECRET = "Yk3-fQ_9s.test~token+of/this-routine"
PLAIN = f"{PREFIX}{SECRET}"
ROUTINE_ID = "trig_Tokens"


# --- What a token looks like ---


@pytest.mark.parametrize(
    "pasted",
    [
        PLAIN,
        f"  {PLAIN}\r\n",
        f"\t{PLAIN}\u00a0",
        f"{PLAIN}==",
        PREFIX + "a",
        PREFIX + "x" * 9 + "y",
    ],
    ids=["bare", "line break", "odd spaces", "padded", "short", "nearly a placeholder"],
)
def test_a_pasted_token_is_taken_without_the_spaces_around_it(pasted):
    assert tokens.parse(pasted).reveal() == pasted.strip()


AROUND = [
    '"{}"',
    "'{}'",
    "“{}”",
    "„{}“",
    "«{}»",
    "`{}`",
    "<{}>",
    "({})",
    "**{}**",
    "Bearer {}",
    "Authorization: Bearer {}",
    "-H 'Authorization: Bearer {}' \\",
    "-H $'Authorization: Bearer {}'",
    '-H ^"Authorization: Bearer {}^" ^',
    '-H "Authorization: Bearer {} -H "anthropic-version: 2023-06-01"',
    "ROUTINE_FIRE_TOKEN={}",
    "export TOKEN='{}'",
    "TOKEN={}\nOTHER=1",
    '"token": "{}",',
    '{{\\"token\\": \\"{}\\"}}',
    "token: {}",
    "Token\t{}",
    "token={};",
    "{}\\",
    "{} \\",
    "{}^",
    "{}.",
    "{},",
    "\ufeff{}\u200b",
    "令牌：{}。",
    "{} {}",
    "{}{}",
    "Authorization: Bearer&nbsp;{}&quot;",
    "curl https://example.com/ -H 'Authorization: Bearer {}' \\\n  -d '{{}}'",
    "token sk-ant-oat01-Yk3-fQ…, in full {}",
]


@pytest.mark.parametrize("around", AROUND)
def test_a_token_is_taken_out_of_what_was_copied_along_with_it(around):
    pasted = around.replace("{}", PLAIN).replace("{{", "{").replace("}}", "}")
    assert tokens.parse(pasted).reveal() == PLAIN


def test_a_token_in_markdown_is_taken_without_its_backslashes():
    pasted = PLAIN.replace("-", "\\-").replace("_", "\\_")
    assert tokens.parse(pasted).reveal() == PLAIN


def test_the_longest_token_is_taken_and_not_one_character_more():
    longest = (PREFIX + "a1" * 4_000)[:4_096]
    assert tokens.parse(longest).reveal() == longest
    with pytest.raises(TokenRefused, match="too long"):
        tokens.parse(f"{longest}a")


NO_TOKENS = {
    "nothing": ("", "Paste the token"),
    "spaces": (" \n\t", "Paste the token"),
    "API key": (f"sk-ant-api03-{SECRET}", "A routine token starts with sk-ant-oat01-"),
    "other case": (f"SK-ANT-OAT01-{SECRET}", "A routine token starts with sk-ant-oat01-"),
    "two lines": (f"{PREFIX}{SECRET}\n{SECRET}", "broken over lines or holds a space"),
    "a space": (f"{PREFIX}{SECRET} {SECRET}", "broken over lines or holds a space"),
    "two tokens": (f"{PLAIN} {PLAIN}2", "Two different tokens"),
    "two lines with a backslash": (f"{PREFIX}{SECRET}\\\n{SECRET}", "broken over lines"),
    "two lines with a backtick": (f"{PREFIX}{SECRET}`\n{SECRET}", "broken over lines"),
    "two strings": (f"'{PREFIX}{SECRET}' + '{SECRET}'", "broken over lines"),
    "two strings on two lines": (f"'{PREFIX}{SECRET}'\n    '{SECRET}'", "broken over lines"),
    "a break in the prefix": (f"{PREFIX[:7]}\n{PREFIX[7:]}{SECRET}", "broken over lines"),
    "a word behind it": (f"{PLAIN} and", "broken over lines"),
    "a zero-width space within": (f"{PREFIX}{SECRET}\u200b{SECRET}", "holds invisible characters"),
    "a zero-width space in the prefix": (
        f"sk-ant-\u200boat01-{SECRET}",
        "holds invisible characters",
    ),
    "shortened": (f"{PREFIX}{SECRET[:9]}…", "cut short"),
    "shortened with dots": (f"{PREFIX}{SECRET[:9]}...", "cut short"),
    "shortened in the middle": (f"{PREFIX}{SECRET[:9]}...{SECRET[-4:]}", "cut short"),
    "masked": (f"{PREFIX}{SECRET[:9]}****{SECRET[-4:]}", "cut short"),
    "masked with bullets": (f"{PREFIX}{SECRET[:9]}••••", "cut short"),
    "dashes": (PLAIN.replace("-", "–"), "hyphens of the token were turned into dashes"),
    "one dash": (f"{PREFIX}{SECRET}–{SECRET}", "holds characters that no token has"),
    "an ID behind it": (f"{PLAIN}trig_01Wx", "Something stands glued to the token"),
    "a URL behind it": (f"{PLAIN}https://example.com/", "Something stands glued to the token"),
    "an option behind it": (
        f'-H "Authorization: Bearer {PLAIN}-H "anthropic-version: 2023-06-01"',
        "Something stands glued to the token",
    ),
    "in a URL": (f"https://{PLAIN}@example.com/", "inside the URL"),
    "behind an ID": (f"trig_{PLAIN}", "inside the URL or ID"),
    "a variable": ("Authorization: Bearer $TOKEN", "A routine token starts with sk-ant-oat01-"),
    "a no-break space": (f"{PREFIX}{SECRET}\u00a0{SECRET}", "broken over lines or holds a space"),
    "NUL": (f"{PLAIN}\x00{SECRET}", "holds characters that no token has"),
    "outside ASCII": (f"{PLAIN}é", "holds characters that no token has"),
    "a digit outside ASCII": (f"{PLAIN}٣", "holds characters that no token has"),
    "padding within": (f"{PREFIX}{SECRET}={SECRET}", "holds characters that no token has"),
    "only the prefix": (PREFIX, "placeholder of the documentation"),
    "the prefix and dots": (f"{PREFIX}…", "placeholder of the documentation"),
    "angle brackets": (f"{PREFIX}<your token>", "placeholder of the documentation"),
    "placeholder of x": (f"{PREFIX}xxxxxxxx", "placeholder of the documentation"),
    "too long": (PREFIX + SECRET * 200, "too long for a token"),
}


@pytest.mark.parametrize(("pasted", "sentence"), NO_TOKENS.values(), ids=NO_TOKENS)
def test_what_is_no_token_is_refused_without_being_repeated(pasted, sentence):
    with pytest.raises(TokenRefused) as refused:
        tokens.parse(pasted)
    assert sentence in str(refused.value)
    assert SECRET not in str(refused.value)


# --- Encrypted at rest ---


def test_a_encrypted_token_opens_for_its_routine():
    encrypted = tokens.encrypt(Token(PLAIN), routine_id=ROUTINE_ID)
    assert tokens.decrypt(encrypted, routine_id=ROUTINE_ID) == Token(PLAIN)


def test_a_encrypted_token_is_ascii_and_shows_nothing():
    encrypted = tokens.encrypt(Token(PLAIN), routine_id=ROUTINE_ID)
    assert encrypted.isascii()
    raw = base64.urlsafe_b64decode(encrypted)
    for visible in (encrypted.encode(), raw):
        assert SECRET.encode() not in visible
        assert ROUTINE_ID.encode() not in visible


def test_one_token_encrypted_twice_looks_different():
    first, second = (tokens.encrypt(Token(PLAIN), routine_id=ROUTINE_ID) for _ in range(2))
    assert first != second


@pytest.mark.parametrize("other", ["trig_Other", "trig_token", "trig_Tokens2", "trig_tokens", ""])
def test_a_encrypted_token_does_not_open_for_another_routine(other):
    encrypted = tokens.encrypt(Token(PLAIN), routine_id=ROUTINE_ID)
    with pytest.raises(TokenUnreadable):
        tokens.decrypt(encrypted, routine_id=other)


def test_what_is_no_ciphertext_does_not_open():
    encrypted = tokens.encrypt(Token(PLAIN), routine_id=ROUTINE_ID)
    flipped = "A" if encrypted[40] != "A" else "B"
    damaged = [
        "",
        "nonsense",
        "é",
        encrypted[:-4],
        encrypted[:40] + flipped + encrypted[41:],
        PLAIN,
    ]
    for content in damaged:
        with pytest.raises(TokenUnreadable):
            tokens.decrypt(content, routine_id=ROUTINE_ID)


def test_what_somebody_else_encrypted_does_not_open():
    content = json.dumps({"routine_id": ROUTINE_ID, "token": PLAIN}).encode()
    foreign = Fernet(Fernet.generate_key()).encrypt(content).decode()
    with pytest.raises(TokenUnreadable):
        tokens.decrypt(foreign, routine_id=ROUTINE_ID)


# --- Keys rotate ---


def new_key() -> str:
    return Fernet.generate_key().decode()


def test_the_newest_key_encrypts_and_the_older_ones_still_open(settings):
    old, new = new_key(), new_key()
    settings.TOKEN_ENCRYPTION_KEYS = [old]
    encrypted_before = tokens.encrypt(Token(PLAIN), routine_id=ROUTINE_ID)

    settings.TOKEN_ENCRYPTION_KEYS = [new, old]
    assert tokens.decrypt(encrypted_before, routine_id=ROUTINE_ID) == Token(PLAIN)
    encrypted_after = tokens.encrypt(Token(PLAIN), routine_id=ROUTINE_ID)
    Fernet(new).decrypt(encrypted_after)  # the newest, which stands first

    settings.TOKEN_ENCRYPTION_KEYS = [new]
    assert tokens.decrypt(encrypted_after, routine_id=ROUTINE_ID) == Token(PLAIN)
    with pytest.raises(TokenUnreadable):
        tokens.decrypt(encrypted_before, routine_id=ROUTINE_ID)


# --- Nothing gets out by accident ---


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        format,
        "{}".format,
        "{!r:>80}".format,
        lambda token: f"{token}",
        lambda token: "%s and %r" % (token, token),  # noqa: UP031
        lambda token: repr([token, {"token": token}]),
        lambda token: str(ValueError(token)),
        lambda token: json.dumps([token], default=str, ensure_ascii=False),
    ],
)
def test_a_token_shows_its_last_four_characters_alone(show):
    shown = show(Token(PLAIN))
    assert "…tine" in shown
    assert SECRET[:-4] not in shown
    assert PREFIX not in shown


def test_a_token_in_a_log_line_and_a_traceback_stays_closed(caplog):
    token = Token(PLAIN)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("routines.tests").error("fired with %s", token)
    assert "…tine" in caplog.text
    try:
        raise RuntimeError(token)
    except RuntimeError as error:
        told = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert "<Token …tine>" in told
    assert SECRET[:-4] not in caplog.text + told


@pytest.mark.parametrize(
    "keep",
    [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars, hash],
    ids=lambda f: f.__name__,
)
def test_a_token_is_not_pickled_copied_or_hashed(keep):
    with pytest.raises(TypeError) as refused:
        keep(Token(PLAIN))
    assert SECRET[:-4] not in str(refused.value)


def test_tokens_are_equal_by_what_they_hold():
    assert Token(PLAIN) == Token(PLAIN)
    assert Token(PLAIN) != Token(f"{PLAIN}x")
    assert Token(PLAIN) != PLAIN


def test_an_unreadable_token_says_nothing_of_keys_or_content(settings):
    encrypted = tokens.encrypt(Token(PLAIN), routine_id=ROUTINE_ID)
    key = settings.TOKEN_ENCRYPTION_KEYS[0]
    for content, routine_id in ((encrypted, "trig_Other"), (encrypted[:-4], ROUTINE_ID)):
        with pytest.raises(TokenUnreadable) as unreadable:
            tokens.decrypt(content, routine_id=routine_id)
        told = "".join(traceback.format_exception(unreadable.value))
        assert not [piece for piece in (SECRET, encrypted, key) if piece in told]
        assert unreadable.value.__suppress_context__ or unreadable.value.__context__ is None
