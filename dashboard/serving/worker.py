"""gunicorn's threads, with a time limit for the head of a request: receiving.py has the rest.

What cannot be read as a request is answered in our words: unreadable.py.
"""

from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

from dashboard.serving import receiving, unreadable


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    def handle(self, conn: Any) -> Any:
        """Read one request and answer it, in a thread."""
        connection = conn.sock
        receiving.watch.allow(connection, receiving.HEAD_SECONDS)
        try:
            return super().handle(conn)
        finally:
            receiving.watch.forget(connection)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        problem = unreadable.problem_with(exc)
        if problem.is_ours:
            self.log.error("A request failed outside of Django", exc_info=exc)
        else:
            self.log.warning("Invalid request from ip=%s: %s", (addr or [""])[0], exc)
        with suppress(OSError):  # the client is gone
            util.write_nonblock(client, unreadable.answer(problem))
