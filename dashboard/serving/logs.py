"""How log lines look, and that no secret and no forged line is in them.

Every line of the product, Django's and gunicorn's too, goes through LogFormatter: a record stays
one line (a traceback follows as indented ones), control characters are written out, and
routines/values/redaction.py takes secrets out of all of it. Facts beside the message are given as
`logger.info("...", extra={"facts": {"run": 7}})`.
"""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.db import InterfaceError, OperationalError

from routines.values.redaction import redact

# It cannot be reached, is locked for too long, or has closed the connection.
DATABASE_AWAY = (OperationalError, InterfaceError)

# The request that this thread is serving; empty outside of one.
request_id: ContextVar[str] = ContextVar("request_id", default="")

# Controls, line breaks of any kind, what turns the direction of writing, halves of surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_LONGEST = 50_000  # characters of a message or a traceback
_BARE = re.compile(r"[\w./:@+-]+")


class LogFormatter(logging.Formatter):
    def __init__(self, *, json_lines: bool) -> None:
        super().__init__()
        self._json_lines = json_lines

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        facts = {name: _redacted(value) for name, value in _facts(record).items()}
        message = redact(_bounded(_message(record)))
        traceback = redact(_bounded(self._traceback(record)))
        if self._json_lines:
            line: dict[str, Any] = {"at": at, "level": record.levelname, "logger": record.name}
            line |= {"message": message} | facts
            if traceback:
                line["traceback"] = traceback
            return json.dumps(line, default=str)  # ASCII: every odd character is written out
        said = [at, record.levelname, record.name, _on_one_line(message)]
        said += [f"{name}={_quoted(value)}" for name, value in facts.items()]
        indented = [f"    | {_on_one_line(line)}" for line in traceback.split("\n") if line]
        return "\n".join([" ".join(said), *indented])

    def _traceback(self, record: logging.LogRecord) -> str:
        if _database_failure(record):  # of a request: its reason is a fact, and says it all
            return ""
        parts = []
        if record.exc_info and record.exc_info[0]:
            parts.append(self.formatException(record.exc_info))
        if record.stack_info:
            parts.append(record.stack_info)
        return "\n".join(parts)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # arguments that do not fit must not cost the line
        return f"{record.msg} {record.args!r}"


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts = dict(getattr(record, "facts", {}))
    failure = _database_failure(record)
    if failure:
        facts["reason"] = failure
    if request_id.get():
        facts["request"] = request_id.get()
    return facts


def _database_failure(record: logging.LogRecord) -> str:
    """The first line of what made a request fail, if that was the database; else empty."""
    failure = record.exc_info[1] if record.exc_info else None
    if record.name != "django.request" or not isinstance(failure, DATABASE_AWAY):
        return ""
    return str(failure).strip().partition("\n")[0] or type(failure).__name__


def _redacted(value: Any) -> Any:
    return value if isinstance(value, int | float | None) else redact(_bounded(str(value)))


def _bounded(text: str) -> str:
    """An exception may hold what somebody sent. Its beginning and its end say most."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]}\n[...]\n{text[-_LONGEST // 2 :]}"


def _on_one_line(text: str) -> str:
    return _UNPRINTABLE.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def _quoted(value: Any) -> str:
    text = str(value)
    return text if _BARE.fullmatch(text) and text.isascii() else json.dumps(text)
