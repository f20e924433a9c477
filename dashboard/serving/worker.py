"""gunicorn's threads, with a time limit for the head of a request: receiving.py has the rest."""

from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from dashboard.serving import receiving


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    def handle(self, conn: Any) -> Any:
        """Read one request and answer it, in a thread."""
        connection = conn.sock
        receiving.watch.allow(connection, receiving.HEAD_SECONDS)
        try:
            return super().handle(conn)
        finally:
            receiving.watch.forget(connection)
