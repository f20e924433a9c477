"""How lines of the log name a run."""

from typing import Any

from routines.models import Run


def facts(run: Run) -> dict[str, Any]:
    """Which run it is, of which routine, by whom; its text and its session are not in it."""
    known: dict[str, Any] = {"run": run.pk, "routine": run.routine.slug}
    if run.person is not None:
        known["person"] = run.person.get_username()
    if run.api_key is not None:
        known["api_key"] = run.api_key.name
    return known
