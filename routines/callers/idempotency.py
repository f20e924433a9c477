"""One intent of a program, one run: what its Idempotency-Key becomes.

A run's own key is unique in the whole table. Made of the API key and the Idempotency-Key together,
it is unique for each Idempotency-Key in the scope of its caller, as long as the run is kept.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from uuid import UUID, uuid4

from routines.models import ApiKey, Routine
from routines.values import api_keys, texts, tokens

LONGEST = 255  # characters
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ESCAPED = re.compile(r'\\(["\\])')
_CAN_BE_SENT = re.compile(r"[\x20-\x7e]+", re.ASCII)


class BadKey(ValueError):
    """`str()` is a sentence for whoever wrote the caller."""


def read(header: str) -> str:
    """The key itself: bare, or quoted as a string of RFC 9651. Raise BadKey.

    Two headers arrive as one, with a comma between them: so a comma stands in quotes alone.
    """
    key = header.strip(" \t")  # what HTTP leaves out around a value, and nothing else
    quoted = _QUOTED.fullmatch(key)
    if quoted is not None:
        key = _ESCAPED.sub(r"\1", quoted[1])
    elif '"' in key or "," in key:
        raise BadKey(
            "This is not one Idempotency-Key: send the header once, with quotes around a key that "
            "holds a comma."
        )
    if not key.strip():
        raise BadKey("The Idempotency-Key is empty. Send one that is new for each intent.")
    if len(key) > LONGEST:
        raise BadKey(
            f"The Idempotency-Key is {len(key):,} characters long, of at most {LONGEST}: "
            "shorten it."
        )
    if not _CAN_BE_SENT.fullmatch(key):
        raise BadKey("The Idempotency-Key may hold printable ASCII characters only.")
    if api_keys.contains_key(key) or tokens.contains_token(key):
        raise BadKey(
            "A secret stands in the Idempotency-Key, where all who see the run would see it. "
            "Send one that is made for the intent, such as the number of a build."
        )
    return key


def run_key(api_key: ApiKey, idempotency_key: str) -> UUID:
    """The key of the run; a new one each time if there is no `idempotency_key`."""
    if not idempotency_key:
        return uuid4()
    named = f"api key {api_key.pk}\n{idempotency_key}".encode()
    return UUID(bytes=hashlib.sha256(named).digest()[:16], version=5)


def intent_of(
    routine: Routine,
    *,
    text: str = "",
    template: str = "",
    values: Mapping[str, str] | None = None,
    why: str = "",
) -> str:
    """A digest of what is asked for. Of a template, its name and the values that fill it: what it
    renders to may change from one minute to the next."""
    asked = [routine.pk, texts.normalise(text), template, dict(values or {}), why]
    written = json.dumps(asked, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(written.encode()).hexdigest()
