"""What somebody saw when they decided on a change, so that a change made meanwhile is not undone.

Whatever changes something takes the snapshot that its page was drawn with, reads what is stored
under a lock, and asks `check`. Why values and no counter: docs/decisions/0021.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

_LONGEST = 2_000  # of a value that a form carries as it is; of a longer one it carries the hash
_HASHED = "sha256"


@dataclass(frozen=True)
class Snapshot:
    """The values that a page shows of one thing, and lets people change.

    `of` says which thing, for ever the same: `rules of routine 17`. What the audit trail knows it
    by, it is looked up by: who was faster?
    """

    of: str
    values: dict[str, Any]
    routine: int | None = None  # the audit events of this routine
    subject: str = ""  # those about this
    run: int | None = None  # of the routine's, those of this run
    at: datetime | None = field(default=None, compare=False)  # when the page was drawn

    @property
    def carried(self) -> dict[str, Any]:
        """The values, short enough for a form and as JSON would give them back."""
        return {name: carried(value) for name, value in self.values.items()}


UNREADABLE = Snapshot("", {})  # what a form came with that names no page of ours: never right


class ChangedMeanwhile(Exception):
    """It is not any more what the page showed; nothing was saved. `now` is what it is."""

    def __init__(self, seen: Snapshot, now: Snapshot) -> None:
        super().__init__(f"The {now.of} changed since the page was opened.")
        self.seen, self.now = seen, now

    @property
    def is_unreadable(self) -> bool:
        """The form came without a snapshot, or with one that nobody here has made."""
        return not self.seen.of

    @property
    def changes(self) -> dict[str, list[Any]]:
        """{"field": [as the page showed it, as it is now]}"""
        seen, now = self.seen.carried, self.now.carried
        return {
            name: [_shown(seen.get(name)), self.now.values[name]]
            for name, value in now.items()
            if name not in seen or seen[name] != value
        }


def check(seen: Snapshot | None, now: Snapshot) -> None:
    """Raise ChangedMeanwhile.

    `seen` None: nobody looked at a page (a command, a file), and the change is made from `now`.
    """
    if seen is not None and (seen.of != now.of or seen.carried != now.carried):
        raise ChangedMeanwhile(seen, now)


def carried(value: Any) -> Any:
    """As JSON would give it back, and short."""
    written = json.dumps(value, sort_keys=True)
    if len(written) <= _LONGEST:
        return json.loads(written)
    return {_HASHED: sha256(written.encode()).hexdigest()}


def _shown(carried: Any) -> Any:
    if isinstance(carried, dict) and set(carried) == {_HASHED}:
        return "another text"
    return carried
