from typing import Any

from dashboard.sign_in import second_factor
from routines.management.commands import rotate_token_keys


class Command(rotate_token_keys.Command):
    """The secrets of second factors are encrypted with the same keys, so they go along."""

    def handle(self, **options: Any) -> None:
        reencrypted = second_factor.reencrypt_all()
        if reencrypted:
            self.stdout.write(f"{reencrypted:>6} second factors re-encrypted")
        super().handle(**options)
