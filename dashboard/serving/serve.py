"""`make serve`: bring database and static files up to date, then run web server and worker.

With `--web-only` the web server alone, for a server on which the worker is a service of its own:
docs/running.md.
"""

import argparse
import errno
import os
import socket
import sys
from contextlib import closing

from dashboard.serving.commands import GUNICORN, STARTER

_LONGER = 5  # seconds than gunicorn's own patience, before the starter takes matters in hand


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dashboard.serving.serve")
    parser.add_argument(
        "--web-only", action="store_true", help="without the worker, which runs elsewhere"
    )
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    # Here settings.py stops a start with bad settings, in its own sentences; and from here on
    # what is written is this user's alone.
    from dashboard.serving import gunicorn_conf

    problem = port_problem(gunicorn_conf.host, int(gunicorn_conf.port))
    if problem:
        sys.exit(problem)
    _prepare()
    # In this process's place, not as its child: whoever stops or watches it has gunicorn itself,
    # or the starter, without all that was loaded for the preparations.
    patience = str(gunicorn_conf.graceful_timeout + _LONGER)
    os.execv(sys.executable, GUNICORN if options.web_only else [*STARTER, patience])  # noqa: S606


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
        _notice_older_state()
        _name_first_admin_command()
        name_unreadable_tokens()
    except DatabaseError as error:
        first_line = str(error).partition("\n")[0]
        sys.exit(f"The database at DATABASE_URL cannot be used: {first_line}")
    finally:
        connections.close_all()
    call_command("collectstatic", interactive=False, verbosity=0)


def _notice_older_state() -> None:
    """A restored database sends nothing by itself that it holds as open."""
    from routines.runs import restored

    restored.check()


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


if __name__ == "__main__":
    main()
