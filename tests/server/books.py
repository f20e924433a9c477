"""Two books of the same runs: the endpoint's and the dashboard's. They must agree, whatever was
killed, cut or set back meanwhile. Each run has a text of its own, which both sides know it by."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from routines.practice_api import Session
from tests.server.endpoint import Endpoint
from tests.server.product import Database

_FINISHED = {"started", "refused", "not_sent", "unknown"}


@dataclass(frozen=True)
class Books:
    """What is left at the end, on both sides.

    accepted: texts of runs that their caller was told of.
    interrupted: how many runs may be unknown, at least and at most.
    calls: Idempotency-Keys, each new for its intent, and the texts of the runs they came to.
    told: what each Idempotency-Key's caller was told at last: a session URL, or a state.
    """

    requests: Collection[str]  # texts, once for each request
    sessions: Collection[Session]
    runs: Collection[tuple[str, str, str]]  # text, state, session URL
    accepted: Collection[str] = ()
    interrupted: tuple[int, int] = (0, 0)
    calls: Collection[tuple[str, str]] = ()
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def states(self) -> Counter[str]:
        return Counter(state for _, state, _ in self.runs)

    def faults(self) -> list[str]:
        """A sentence for each thing that must not be."""
        return [
            *self._of_runs(),
            *self._of_requests(),
            *self._of_sessions(),
            *self._of_calls(),
        ]

    def _of_runs(self) -> Iterator[str]:
        for text, times in Counter(text for text, _, _ in self.runs).items():
            if times > 1:
                yield f"{times} runs were recorded of “{text}”."
        for text in set(self.accepted) - {text for text, _, _ in self.runs}:
            yield f"“{text}” was accepted and is lost."
        for state in self.states.keys() - _FINISHED:
            yield f"{self.states[state]} runs say `{state}` for ever."
        least, most = self.interrupted
        if not least <= self.states["unknown"] <= most:
            yield f"{self.states['unknown']} runs are unknown; expected were {least} to {most}."

    def _of_requests(self) -> Iterator[str]:
        states = {text: state for text, state, _ in self.runs}
        for text, times in Counter(self.requests).items():
            if times > 1:
                yield f"“{text}” was sent {times} times."
            if text not in states:
                yield f"“{text}” was sent unrecorded."
            elif states[text] == "not_sent":
                yield f"“{text}” was sent, but is not_sent."

    def _of_sessions(self) -> Iterator[str]:
        runs = {text: (state, url) for text, state, url in self.runs}
        made = {session.text for session in self.sessions}
        for session in self.sessions:
            state, url = runs.get(session.text, ("", ""))
            if state == "started" and url != session.session_url:
                yield f"The run of “{session.text}” shows another session."
            if state not in ("started", "unknown"):
                yield f"The run of “{session.text}” is {state or 'missing'}, but has a session."
        for text, (state, _) in runs.items():
            if state == "started" and text not in made:
                yield f"The run of “{text}” is started, but has no session."

    def _of_calls(self) -> Iterator[str]:
        times = Counter(self.requests)
        texts: dict[str, list[str]] = {}
        for key, text in self.calls:
            texts.setdefault(key, []).append(text)
        for key, of_key in texts.items():
            if len(of_key) > 1:
                yield f"{len(of_key)} runs were recorded of the Idempotency-Key “{key}”."
            if (sent := sum(times[text] for text in of_key)) > 1:
                yield f"The Idempotency-Key “{key}” was sent {sent} times."
        runs = {text: (state, url) for text, state, url in self.runs}
        for key, said in self.told.items():
            state, url = runs.get(texts[key][0], ("", "")) if key in texts else ("", "")
            is_now = url or state or "missing"
            # An answer that comes very late makes a session of what was unknown.
            if said != is_now and (said, state) != ("unknown", "started"):
                yield f"The caller of “{key}” was told {said}, and its run is {is_now}."


def read(
    database: Database,
    endpoint: Endpoint,
    *,
    accepted: Collection[str] = (),
    interrupted: tuple[int, int] = (0, 0),
    told: Mapping[str, str] | None = None,
) -> Books:
    return Books(
        list(endpoint.texts),
        list(endpoint.sessions),
        database.rows("SELECT text, state, session_url FROM routines_run"),
        accepted,
        interrupted,
        database.rows("SELECT idempotency_key, text FROM routines_run WHERE idempotency_key <> ''"),
        told or {},
    )
