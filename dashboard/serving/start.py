"""What a start says: which version runs, on which database, and whose files stand open."""

import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from dashboard import __version__

logger = logging.getLogger(__name__)

UMASK = 0o077  # what the service writes, its database too, is its own user's alone
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def log(**more: Any) -> None:
    """`more`: facts about the process that starts."""
    facts: dict[str, Any] = {
        "version": __version__,
        "database": described(settings.DATABASES["default"]),
        "address": settings.DASHBOARD_URL,
        "endpoint": urlsplit(settings.CLAUDE_API_BASE_URL).netloc,
    } | more
    logger.info("start", extra={"facts": facts})
    for path in open_to_others():
        logger.warning(
            "%s holds secrets and may be read or changed by others on this machine. As its owner: "
            "chmod 600 %s",
            path,
            path,
        )


def described(database: dict[str, Any]) -> str:
    """Enough to tell it from another one, and no password."""
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite {database['NAME']}"
    options = database.get("OPTIONS", {})
    where = database.get("HOST") or options.get("service") or "local socket"
    port = f", port {database['PORT']}" if database.get("PORT") else ""
    mode = f", sslmode {options['sslmode']}" if "sslmode" in options else ""
    return f"postgresql {database['NAME']} at {where}{port}{mode}"


def open_to_others() -> list[Path]:
    """Files with secrets or the database in it that others than their owner may open."""
    return [path for path in _files() if _is_open(path)]


def _files() -> Iterator[Path]:
    yield from settings.SECRET_FILES
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        for ending in ("", "-wal", "-shm"):
            yield Path(f"{database['NAME']}{ending}")


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & _OPEN_TO_OTHERS)
    except OSError:
        return False
