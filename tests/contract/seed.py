"""What the run needs in the product's database, made by a process with its settings.

Prints what the run has to know of it, as JSON.
"""

import json
import os
from typing import Any

import django


def main() -> dict[str, Any]:
    from routines.callers import keys
    from routines.models import Routine
    from routines.values.reasons import Reason
    from tests.factories import create_admin, create_routine, create_run

    admin = create_admin(username="contract")
    routine = create_routine(slug="triage", template="About {{ alert }}.")
    create_routine(slug="closed", enabled=False)
    terms = keys.Terms(
        name="Contract",
        routines=Routine.objects.all(),
        sends_idempotency_key=False,
        hourly_cap=1_000_000,
        daily_cap=1_000_000,
    )
    api_key, secret = keys.make(terms, by=admin)
    run = create_run(routine=routine, api_key=api_key, person=None, reason=Reason.NO_ANSWER)
    return {"secret": secret.reveal(), "routine": routine.slug, "run": run.pk}


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    django.setup()
    print(json.dumps(main()))
