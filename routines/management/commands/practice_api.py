import signal
import ssl
import threading
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from routines.practice_api import SPECIAL_ROUTINES, PracticeApi, PracticeServer
from routines.registry import header_versions


class Command(BaseCommand):
    help = (
        "Play the fire endpoint on loopback, for demos and tests. Any routine ID that starts with "
        "trig_ makes a session, but for these:\n\n"
        + "\n".join(f"  {name:<24} {does}" for name, does in SPECIAL_ROUTINES.items())
    )
    requires_system_checks: list[str] = []

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8100)
        parser.add_argument("--delay", type=int, default=0, help="milliseconds before each 200")
        parser.add_argument(
            "--beta", action="append", default=[], help="one more known beta version; repeatable"
        )
        parser.add_argument(
            "--require-beta", action="store_true", help="as the older documentation says"
        )
        parser.add_argument("--tls-cert", help="with --tls-key: serve https")
        parser.add_argument("--tls-key")
        parser.add_argument("--quiet", action="store_true", help="no line per request")
        parser.add_argument("--token-for", metavar="ID", help="print a routine's token and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        api = PracticeApi(
            known_betas=[header_versions.BETA_VERSION, *options["beta"]],
            require_beta=options["require_beta"],
            delay=options["delay"] / 1000,
        )
        if options["token_for"]:
            self.stdout.write(api.token_for(options["token_for"]))
            return
        tls = _tls(options["tls_cert"], options["tls_key"])
        try:
            server = PracticeServer(api, port=options["port"], tls=tls, log=not options["quiet"])
        except (OSError, OverflowError) as error:  # OverflowError: a port beyond 65,535
            raise CommandError(
                f"Port {options['port']} of 127.0.0.1 cannot be had: "
                f"{getattr(error, 'strerror', None) or error}."
            ) from None
        stop = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
        with server:
            self.stdout.write(f"Practice API at {server.url}")
            stop.wait()


def _tls(certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise CommandError("--tls-cert and --tls-key go together.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise CommandError(
            f"The certificate or its key cannot be used: {error.strerror or error}."
        ) from None
    return context
