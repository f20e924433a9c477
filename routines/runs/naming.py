"""How lines of the log name a run."""

from typing import Any

from routines.models import Run


def facts(run: Run) -> dict[str, Any]:
    """Which run it is, of which routine, by whom; its text and its session are not in it."""
    return {"run": run.pk, "routine": run.routine.slug, "person": run.person.get_username()}
