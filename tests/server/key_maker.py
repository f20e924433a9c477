"""`python -m tests.server.key_maker make NAME [personal]` prints the secret of a new API key.

`... revoke NAME` ends it.
"""

import os
import sys

from tests.server.seed import SLUG, USERNAME


def _main(action: str, name: str, *personal: str) -> None:
    from routines.callers import keys
    from routines.models import ApiKey, Person, Routine
    from tests.factories import create_admin, create_key_and_secret

    if action == "revoke":
        keys.revoke(ApiKey.objects.get(name=name), by=create_admin(username=f"for {name}"))
        return
    _, secret = create_key_and_secret(
        Routine.objects.get(slug=SLUG),
        name=name,
        person=Person.objects.get(username=USERNAME) if personal else None,
        sends_idempotency_key=True,
    )
    sys.stdout.write(secret)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    django.setup()
    _main(*sys.argv[1:])
