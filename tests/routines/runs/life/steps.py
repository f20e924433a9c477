"""The table of permitted steps, as docs/life-of-a-run.md shows it to people."""

import re
from dataclasses import dataclass
from pathlib import Path

from routines.values.reasons import MEANINGS, Reason, State

PAGE = Path("docs/life-of-a-run.md")
NOTHING = "nothing"  # there was no such run before
_HEAD = "| from | to | by | when |"
_PLACE = re.compile(r"`(\w+)`(?: \(`(\w+)`\))?")


@dataclass(frozen=True)
class Place:
    """Where a run stands: its state, and its reason if it is for that one only."""

    state: str
    reason: str = ""

    def holds(self, state: str, reason: str) -> bool:
        return self.state == state and self.reason in ("", reason)


@dataclass(frozen=True)
class Step:
    before: Place
    after: Place
    by: str


def read(page: str) -> list[Step]:
    """Every step of the page's table, one for each way through a row."""
    rows = page.split(_HEAD)[1].split("\n\n")[0].strip().splitlines()[1:]
    steps = []
    for row in rows:
        before, after, by, _when = (cell.strip() for cell in row.strip("|").split("|"))
        steps += [Step(one, other, by) for one in _places(before) for other in _places(after)]
    return steps


def _places(cell: str) -> list[Place]:
    if cell == NOTHING:
        return [Place(NOTHING)]
    places = [Place(*found.groups(default="")) for found in _PLACE.finditer(cell)]
    assert places, cell
    assert _PLACE.sub("", cell).strip(" ,") == "", cell
    for place in places:
        assert place.state in State.values, cell
        assert not place.reason or MEANINGS[Reason(place.reason)].state == place.state, cell
    return places


STEPS = read(PAGE.read_text())
CAUSES = {step.by for step in STEPS}


def is_permitted(before: tuple[str, str], after: tuple[str, str], by: set[str]) -> bool:
    """`before` and `after`: state and reason; `by`: what may have been at work."""
    assert by <= CAUSES, by
    return any(
        step.by in by and step.before.holds(*before) and step.after.holds(*after) for step in STEPS
    )
