"""`make serve`: bring database and static files up to date, then become gunicorn."""

import errno
import os
import socket
import subprocess
import sys
from contextlib import closing

GUNICORN = [sys.executable, "-m", "gunicorn", "--config", "python:dashboard.serving.gunicorn_conf"]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    # Here settings.py stops a start with bad settings, in its own sentences; and from here on
    # what is written is this user's alone.
    from dashboard.serving import gunicorn_conf

    problem = port_problem(gunicorn_conf.host, int(gunicorn_conf.port))
    if problem:
        sys.exit(problem)
    _prepare()
    # In this process's place, not as its child: who stops or watches it has gunicorn itself.
    os.execv(sys.executable, GUNICORN)  # noqa: S606


def port_problem(host: str, port: int) -> str:
    """A sentence if nothing can listen there now, else empty."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"Port {port} is taken. Choose another with PORT=, or stop what uses it."
            return f"Cannot listen on {host}, port {port}: {error.strerror or error}."
    return ""


def _prepare() -> None:
    import django
    from django.core.management import call_command
    from django.db import DatabaseError, connections

    django.setup()
    try:
        call_command("migrate", interactive=False, verbosity=1)
        call_command("clearsessions")  # rows of web sessions that are over open nothing any more
        settle_interrupted_runs()
        _delete_old_sign_ins()
        _name_first_admin_command()
        name_unreadable_tokens()
        _count_runs_in_background()
    except DatabaseError as error:
        first_line = str(error).partition("\n")[0]
        sys.exit(f"The database at DATABASE_URL cannot be used: {first_line}")
    finally:
        connections.close_all()
    call_command("collectstatic", interactive=False, verbosity=0)


def settle_interrupted_runs() -> None:
    """Of processes that died before this start, or of an older state. Later: gunicorn_conf.py."""
    from routines.runs import overdue, restored

    restored.check()
    overdue.settle()


def _delete_old_sign_ins() -> None:
    from routines.audit import expiry

    before = expiry.expired()
    if before is not None:
        expiry.delete_sign_ins(before=before)


def _name_first_admin_command() -> None:
    from routines.models import Person

    if not Person.objects.exists():
        print(
            "\nNobody can sign in yet. Make the first admin, in another terminal:\n"
            f"    {os.path.relpath(sys.executable)} manage.py createadmin\n",
            flush=True,
        )


def name_unreadable_tokens() -> None:
    from routines.tokens import health

    unreadable = health.unreadable()
    if unreadable:
        listed = "".join(f"    {routine.name} ({routine.routine_id})\n" for routine in unreadable)
        print(
            "\nNo key of TOKEN_ENCRYPTION_KEYS opens the stored tokens of these routines:\n"
            f"{listed}They cannot be run until the key is added or their tokens are pasted again: "
            "docs/tokens.md.\n",
            flush=True,
        )


def _count_runs_in_background() -> None:
    """After an upgrade or an import. Its process ends when all is counted, or with the server.

    Nobody waits for it. What it leaves, the insight page and the next start count.
    """
    from routines.insight import progress

    if progress.behind():
        command = [sys.executable, "-m", "django", "count_runs", "--with-parent"]
        subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  # gunicorn reaps it


if __name__ == "__main__":
    main()
