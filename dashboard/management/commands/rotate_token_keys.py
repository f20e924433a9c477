from typing import Any

from dashboard.sign_in import second_factor
from routines.management.commands import rotate_token_keys


class Command(rotate_token_keys.Command):
    """The secrets of second factors are sealed with the same keys, so they go along."""

    def handle(self, **options: Any) -> None:
        resealed = second_factor.reencrypt_all()
        if resealed:
            self.stdout.write(f"{resealed:>6} second factors sealed anew")
        super().handle(**options)
