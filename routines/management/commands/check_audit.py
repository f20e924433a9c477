import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from routines.audit import chain
from routines.models import Chain


class Command(BaseCommand):
    help = (
        "Check the audit trail from its first entry to its last, and print the head of each chain. "
        "Keep the heads somewhere else: whoever can write to the database could make a chain anew, "
        "but not one with the same heads."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--kept",
            action="append",
            default=[],
            metavar="CHAIN:NUMBER:HASH",
            help="a head that an earlier check has printed; may be given several times",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kept: dict[Chain, dict[int, str]] = {name: {} for name in Chain}
        for one in options["kept"]:
            name, number, digest = _parsed(one)
            kept[name][number] = digest
        chain.seal()
        broken = False
        for name in Chain:
            walk = chain.walk(name, asked=kept[name])
            if walk.problem:
                broken = True
                self.stderr.write(f"{name.label}: {walk.problem}")
            else:
                entries = f"{walk.entries:,} entr{'y' if walk.entries == 1 else 'ies'}"
                self.stdout.write(
                    f"{name.label}: {entries}, unbroken. Head: {name.value}:{walk.head}"
                )
        if broken:
            sys.exit(1)


def _parsed(text: str) -> tuple[Chain, int, str]:
    name, _, rest = text.partition(":")
    number, _, digest = rest.partition(":")
    if name not in Chain.values or not (number.isascii() and number.isdigit()) or len(number) > 18:
        raise CommandError(f"--kept must be like changes:1234:0a1b…, not “{text}”.")
    return Chain(name), int(number), digest
