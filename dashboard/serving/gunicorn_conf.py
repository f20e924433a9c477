"""How gunicorn runs the dashboard: `gunicorn --config python:dashboard.serving.gunicorn_conf`.

Behind a proxy that speaks https, gunicorn itself reads X-Forwarded-Proto, from 127.0.0.1 or from
the addresses in FORWARDED_ALLOW_IPS.
"""

import logging.config
import os
import signal
import sys
from types import FrameType
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

from django.conf import settings
from django.db import connections
from gunicorn.glogging import Logger

from dashboard.serving import client_address, garbage, receiving, start

os.umask(start.UMASK)

wsgi_app = "dashboard.wsgi:received"
worker_class = "dashboard.serving.worker.Worker"
workers = settings.WEB_WORKERS  # reads .env too, so HOST and PORT below may stand there
threads = settings.WEB_THREADS + receiving.THREADS  # of which WEB_THREADS at a time are in Django
preload_app = True  # a mistake stops the start instead of every worker, and the code is shared

host = os.environ.get("HOST") or "127.0.0.1"
port = os.environ.get("PORT") or "8000"
if not (port.isascii() and port.isdigit() and len(port) < 6 and 1 <= int(port) <= 65535):
    print("Settings: PORT must be a whole number from 1 to 65535.", file=sys.stderr)
    sys.exit(2)
bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

timeout = 60  # a worker's heartbeat: its main thread keeps it up while requests take their time
# A stop waits for fires in flight and their answers, and for presses that are still arriving.
_ARRIVING = int(receiving.HEAD_SECONDS + receiving.BODY_SECONDS)
graceful_timeout = settings.FIRE_TIMEOUT + _ARRIVING + 10
limit_request_line = 8190  # the most that it can: an API's query of 255 characters in any script
keepalive = 15  # seconds; browsers poll while a run is being sent
control_socket_disable = True  # or gunicorn opens one in the user's home

# Said here, since gunicorn read the environment before settings.py brought .env into it, and since
# it takes no 10.0.0.7 for the ::ffff:10.0.0.7 of a socket for both families.
forwarded_allow_ips = ",".join(client_address.spelled_out(settings.TRUSTED_PROXIES))
# No header may say what stands in the address; by default SCRIPT_NAME and PATH_INFO may.
forwarder_headers = ""


class DashboardLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's lines take the same way as all others: dashboard/serving/logs.py."""

    def setup(self, cfg: Any) -> None:
        logging.config.dictConfig(settings.LOGGING)
        for logger in (self.error_log, self.access_log):
            logger.handlers = []
            logger.propagate = True
            logger.setLevel(logging.INFO)


logger_class = DashboardLogger
accesslog = None  # dashboard/serving/request_log.py writes a line for each request


def on_starting(_server: Any) -> None:
    from dashboard.serving import checks

    # Forked, a worker notes a SIGTERM for nobody until it has handlers of its own: a stop at that
    # moment would wait for it to the last. Held back, it finds them: post_worker_init.
    os.register_at_fork(before=_hold_stop, after_in_parent=_take_stop)
    _take_stop()
    start.log()
    checks.log_warnings()


def _hold_stop() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


def _take_stop() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def when_ready(server: Any) -> None:
    """Let Ctrl-C stop like SIGTERM: no fire's answer gets lost. A second one stops at once."""

    def stop_gracefully(_signal: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, server.signal)
        server.signal(signal.SIGTERM, frame)

    signal.signal(signal.SIGINT, stop_gracefully)


def pre_fork(_server: Any, _worker: Any) -> None:
    """Share no connection and no pool thread, should loading the code ever have opened one."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        close_pool = getattr(connection, "close_pool", None)  # PostgreSQL's have one
        if close_pool:
            close_pool()
    garbage.look_seldom()


def post_worker_init(_worker: Any) -> None:
    _take_stop()
    # A terminal sends Ctrl-C to every process of the group; stopping is the server's to tell.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from routines import fire_api

    fire_api.warm_up()
