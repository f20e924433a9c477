"""What a person typed last for one routine, so that nothing is typed twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models.functions import MD5, Left

from routines.models import Person, Routine, Run

MOST_TEXTS = 10
# Whoever runs one text over and over still finds the others, and nobody's form reads for long.
_LOOKED_AT = 60


@dataclass(frozen=True)
class SentText:
    """Its run holds the whole of it."""

    run_pk: int
    sent_at: datetime
    beginning: str


@dataclass(frozen=True)
class Memory:
    texts: list[SentText] = field(default_factory=list)  # newest first, each text once
    sent_at: datetime | None = None  # None: this person never ran it
    template_name: str = ""
    template_version: str = ""
    field_values: Mapping[str, str] = field(default_factory=dict)


def of(person: Person, routine: Routine) -> Memory:
    newest = list(
        Run.objects.filter(person=person, api_key=None, routine=routine, is_trial=False)
        .newest_first()
        .annotate(digest=MD5("text"), beginning=Left("text", 200))
        .values(
            "pk",
            "created_at",
            "digest",
            "beginning",
            "text_was",
            "template_name",
            "template_version",
            "field_values",
        )[:_LOOKED_AT]
    )
    if not newest:
        return Memory()
    once: dict[str, SentText] = {}
    for run in newest:
        if run["beginning"].strip() and run["text_was"] is None:  # else retention shortened it
            sent = SentText(run["pk"], run["created_at"], run["beginning"])
            once.setdefault(run["digest"], sent)
    last = newest[0]
    return Memory(
        texts=list(once.values())[:MOST_TEXTS],
        sent_at=last["created_at"],
        template_name=last["template_name"],
        template_version=last["template_version"],
        field_values=last["field_values"],
    )
