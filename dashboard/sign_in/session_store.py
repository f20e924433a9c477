"""Web sessions in the database, as Django's, of which two requests at once lose nothing.

Django writes the whole of a web session back as one request knew it: what another has put into it
meanwhile is gone (that its person has just confirmed who they are, a sign-in begun at the provider
in a second tab, a message). This one writes what its own request has changed, onto what is there.
"""

from copy import deepcopy
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSession
from django.db import transaction


class SessionStore(DatabaseSession):
    _loaded: dict[str, Any] | None = None  # as it was read
    _loaded_as: str | None = None  # under which key: a new key begins with everything

    def load(self) -> dict[str, Any]:
        data: dict[str, Any] = super().load()
        self._loaded, self._loaded_as = deepcopy(data), self.session_key
        return data

    def save(self, must_create: bool = False) -> None:
        if must_create or self._loaded is None or self._loaded_as != self.session_key:
            super().save(must_create)
            return
        with transaction.atomic():
            self._take_over_changes_of_others()
            super().save()
        self._loaded = deepcopy(dict(self.items()))

    def _take_over_changes_of_others(self) -> None:
        rows = self.model.objects.select_for_update().filter(session_key=self.session_key)
        row = rows.first()
        if row is None:
            return  # ended meanwhile: saving says so
        mine = dict(self.items())
        merged = _merged(self.decode(row.session_data), self._loaded or {}, mine)
        for name in mine.keys() - merged.keys():
            del self[name]
        self.update(merged)


def _merged(there: dict[str, Any], before: dict[str, Any], mine: dict[str, Any]) -> dict[str, Any]:
    """What is `there`, with what changed from `before` to `mine`. Within a value that holds several
    (sign-ins that were begun at the provider), each of them by itself."""
    result = {name: value for name, value in there.items() if name in mine or name not in before}
    for name, value in mine.items():
        if name in before and before[name] == value:
            continue
        now, was = there.get(name, {}), before.get(name, {})
        if isinstance(value, dict) and isinstance(now, dict):
            value = _merged(now, was if isinstance(was, dict) else {}, value)
        result[name] = value
    return result
