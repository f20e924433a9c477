"""What holds of every run after every step, and of the endpoint's books beside it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from routines.models import Attempt, Routine, Run
from routines.runs import limits, queue, retrying
from routines.values.reasons import MEANINGS, OPEN, SENT, Reason, State
from tests.routines.runs.life.endpoint import Books, Request
from tests.routines.runs.life.house import Caller, House
from tests.routines.runs.life.steps import NOTHING, is_permitted

OVERDUE = timedelta(seconds=settings.FIRE_TIMEOUT + 60)  # after its claim, a request is over
HOUR = timedelta(hours=1)
CLOCKS_DIFFER_BY = timedelta(minutes=1)

Row = Mapping[str, Any]
_FIELDS = (
    *(
        "pk",
        "key",
        "text",
        "routine",
        "person",
        "api_key",
        "account",
        "created_at",
        "state",
        "reason",
        "attempt",
    ),
    *("tries_again", "due_at", "deadline", "claimed_at", "sent_at", "settled_at", "session_id"),
    *("beta_version", "api_version", "http_status", "request_id", "retry_after"),
)
# What a rule of ours says when it ends a run, and when that is true of a routine.
_IS_TRUE = {
    Reason.DISABLED: lambda routine: not routine["enabled"],
    Reason.ARCHIVED: lambda routine: routine["archived"],
    Reason.NO_TOKEN: lambda routine: not routine["token"],
    Reason.TOKEN_REMOVED: lambda routine: not routine["token"],
}


@dataclass
class Known:
    """What the model itself has noted of a run."""

    claims: int = 0  # that were not given back
    is_whole: bool = True  # no process died between its outcome and the attempt's row, and no
    # older state came back
    not_before: datetime | None = None  # what a Retry-After has asked for
    claimed_with: dict[str, Any] = field(default_factory=dict)


class Checks:
    """The rows as they were when last looked at; `look` compares."""

    def __init__(self, house: House, books: Books) -> None:
        self._house, self._books = house, books
        self.rows: dict[int, Row] = {}
        self.earlier: dict[int, Row] = {}  # at the look before that
        self.known: dict[int, Known] = {}

    def look(self, now: datetime, by: set[str]) -> None:
        """Fail unless all is as it may be, a moment after `by` was at work. Eight queries."""
        routines, allowed = self._house.now(), self._house.allowed()
        usable = self._house.usable()
        rows = {row["pk"]: row for row in Run.objects.order_by("pk").values(*_FIELDS)}
        assert self.rows.keys() <= rows.keys(), "a run is gone"
        assert len({row["text"] for row in rows.values()}) == len(rows), "one intent, two runs"
        before = self.earlier = self.rows
        self.rows = rows
        for pk, row in rows.items():
            old = before.get(pk)
            if old is None and row["api_key"] is not None:
                self._called(row, usable, allowed)
            if old is None or _place(old) != _place(row) or old["attempt"] != row["attempt"]:
                self._changed(old, row, routines[row["routine"]], allowed, by)
        self._attempts()
        self._budgets(routines, now)
        self._lines(routines, now)

    def start_anew(self) -> None:
        """The rows are of an older state; what the model has noted of them since is void."""
        self.rows = {row["pk"]: row for row in Run.objects.order_by("pk").values(*_FIELDS)}
        kept = set(Attempt.objects.exclude(reason=Reason.INTERRUPTED).values_list("run", "number"))
        for pk, row in self.rows.items():
            self.known[pk].claims, self.known[pk].is_whole = row["attempt"], False
        for request in self._books.requests:
            if (request.run, request.attempt) not in kept:
                request.is_recorded = False

    # --- One run that changed ---

    def _changed(
        self, old: Row | None, row: Row, routine: Any, allowed: set[Caller], by: set[str]
    ) -> None:
        before = _place(old) if old else (NOTHING, "")
        after = _place(row)
        told = f"{before} -> {after} by {by}"
        assert is_permitted(before, after, by), f"no permitted step: {told}"
        known = self.known.setdefault(row["pk"], Known())
        if row["state"] == State.SENDING:
            known.claims += 1
            self._claimed(old, row, known, routine, allowed)
        elif before[0] == State.SENDING and after == (State.ACCEPTED, Reason.ACCEPTED):
            known.claims -= 1
        if after[0] == State.NOT_SENT and after[1] in _IS_TRUE:
            assert _IS_TRUE[Reason(after[1])](routine), told
        if after[1] == Reason.NOT_ALLOWED:
            assert _caller(row) not in allowed, told
        if before[0] == State.ACCEPTED and (
            after[1] == Reason.WAITED_TOO_LONG or after[0] == State.REFUSED
        ):
            assert row["deadline"] < row["settled_at"], "given up before its deadline"
            assert after[1] == self._last_refusal(row), "not its last refusal"
        if before[0] in (State.REFUSED, State.NOT_SENT) and after[0] == State.ACCEPTED:
            self._asked_again(old, row)
        if after[1] == Reason.INTERRUPTED:
            assert row["claimed_at"] + OVERDUE < row["settled_at"], "interrupted too early"

    def _asked_again(self, old: Row | None, row: Row) -> None:
        assert old is not None
        pause = retrying.passes_after(Reason(old["reason"]))
        asked_at = row["deadline"] - HOUR  # for which it may wait
        assert pause is not None
        if old["reason"] == Reason.LIMIT_REACHED and old["retry_after"]:
            assert old["retry_after"] <= asked_at, "attempted anew before the limit resets"
        else:
            assert old["settled_at"] + pause <= asked_at, "attempted anew too soon"
        assert row["key"] == old["key"]

    def _called(self, row: Row, usable: Mapping[int, int], allowed: set[Caller]) -> None:
        """A call of a program became this run just now."""
        assert row["state"] != State.NOT_SENT, "recorded instead of turned away"
        assert row["api_key"] in usable, "accepted for a key that was revoked"
        assert _caller(row) in allowed, "accepted for a key that may not"
        earlier = [
            other
            for other in self.rows.values()
            if other["api_key"] == row["api_key"]
            and other["state"] != State.NOT_SENT
            and other["created_at"] > row["created_at"] - HOUR
            and other is not row
        ]
        assert len(earlier) < usable[row["api_key"]], "accepted beyond its cap"

    def _claimed(
        self, old: Row | None, row: Row, known: Known, routine: Any, allowed: set[Caller]
    ) -> None:
        at = row["claimed_at"]  # by the clock of whoever claimed it
        assert routine["enabled"], "claimed for a disabled routine"
        assert not routine["archived"], "claimed for an archived routine"
        assert routine["token"], "claimed without a token"
        assert _caller(row) in allowed, "claimed for somebody who may not"
        assert not routine["held"] or routine["held"] <= at, "claimed under a hold"
        assert not known.not_before or known.not_before <= at, "claimed before Retry-After"
        assert row["account"] == routine["account"], "not the account that pays"
        sent = routine["sent"]
        assert (row["beta_version"], row["api_version"]) == (sent["beta"], sent["api"])
        assert row["sent_at"] is None, "sent before it was sent"
        last = [
            other["claimed_at"]
            for other in self.rows.values()
            if other["routine"] == row["routine"] and other["state"] in SENT and other is not row
        ]
        cool = timedelta(seconds=routine["cool_down"])
        assert not cool or all(one + cool <= at for one in last), "claimed while cooling down"
        known.claimed_with = {**sent, "token": routine["token"]}
        if old is not None:
            assert row["deadline"] >= at, "claimed after its deadline"
            assert _is_due(old, at), "claimed before it was due"
            for other in self.rows.values():
                if other["routine"] == row["routine"] and other["state"] == State.ACCEPTED:
                    assert other["pk"] > row["pk"] or not _is_due(other, at), "out of turn"

    def _last_refusal(self, row: Row) -> Reason:
        recorded = [one for one in self._books.of_text(row["text"]) if one.is_recorded]
        kind = recorded[-1].answered if recorded else None
        if kind is not None and MEANINGS[kind.reason].state == State.REFUSED:
            return kind.reason
        return Reason.WAITED_TOO_LONG

    # --- All runs ---

    def _lines(self, routines: dict[int, Any], now: datetime) -> None:
        """What is due, the routine first whose oldest run waits longest."""
        due: dict[int, list[int]] = {}
        for pk, row in self.rows.items():
            held = routines[row["routine"]]["held"]
            if row["state"] == State.ACCEPTED and _is_due(row, now) and not (held and held > now):
                due.setdefault(row["routine"], []).append(pk)
        lines = [(pk, routines[pk]["account"], min(runs), len(runs)) for pk, runs in due.items()]
        assert queue.lines() == sorted(lines, key=lambda line: line[2])

    def _attempts(self) -> None:
        """They are the claims that ended, and say what the endpoint's books say."""
        found: dict[int, list[Attempt]] = {pk: [] for pk in self.rows}
        for attempt in Attempt.objects.order_by("run", "number"):
            found[attempt.run_id].append(attempt)
        for pk, row in self.rows.items():
            assert row["attempt"] == self.known[pk].claims, "not counted: a claim"
            ended = row["attempt"] - (row["state"] == State.SENDING)
            numbers = [one.number for one in found[pk]]
            if not self.known[pk].is_whole:
                assert set(numbers) <= set(range(1, ended + 2))
                continue
            assert numbers == list(range(1, ended + 1)), f"attempts {numbers} of {ended}"
            for attempt in found[pk]:
                requests = self._books.of_attempt(pk, attempt.number)
                assert len(requests) <= 1, "two requests of one attempt"
                _agrees(attempt, requests[0] if requests else None)
            last = found[pk][-1] if ended and found[pk] else None
            if last is not None and row["state"] not in OPEN:
                assert row["sent_at"] == last.sent_at, "not when its last attempt left"

    def _budgets(self, routines: dict[int, Any], now: datetime) -> None:
        """Counted is each run that left within the hour, and was not refused."""
        left = [self._left(row) for row in self.rows.values() if row["state"] in SENT]
        used = [one for one in left if one is not None and one[2] > now - HOUR]
        of_routine = Counter((routine, account) for routine, account, _ in used)
        of_account = Counter(account for _, account, _ in used)
        budgets = limits.budgets([routine["routine"] for routine in routines.values()])
        for pk, routine in routines.items():
            shown, account = budgets[pk], routine["account"]
            assert shown.routine is not None
            assert shown.account is not None
            paid = sum(count for (one, _), count in of_routine.items() if one == pk)
            assert shown.account.used == of_account[account]
            assert of_routine[pk, account] <= shown.routine.used <= paid

    def _left(self, row: Row) -> tuple[int, int, datetime] | None:
        if not self.known[row["pk"]].is_whole:
            return (row["routine"], row["account"], row["sent_at"]) if row["sent_at"] else None
        for request in self._books.of_attempt(row["pk"], row["attempt"]):
            if request.is_recorded and request.has_left:
                return row["routine"], row["account"], request.at
        return None

    # --- An answer that was recorded ---

    def recorded(self, request: Request, now: datetime) -> None:
        """Fail unless the run became what the answer says that was recorded just now."""
        kind, row, before = request.answered, self.rows[request.run], self.earlier[request.run]
        assert kind is not None
        meaning, became = MEANINGS[kind.reason], _place(row)
        if meaning.state in (State.REFUSED, State.NOT_SENT):
            due_at = now + max(retrying.pause_after(request.attempt), kind.wait or timedelta())
            follows = kind.may_follow and row["tries_again"] and due_at < row["deadline"]
            is_ours = before["state"] == State.SENDING and before["attempt"] == request.attempt
            if is_ours and follows:
                assert became == (State.ACCEPTED, Reason.NEXT_ATTEMPT), became
                assert row["due_at"] == due_at
            else:
                assert became == (meaning.state, kind.reason), became
            if kind.asks_for_wait:
                self.known[request.run].not_before = now + (kind.wait or timedelta())
        elif meaning.state == State.STARTED:
            if row["state"] == State.STARTED:
                assert row["session_id"] == request.session
            else:
                assert row["reason"] == Reason.SESSION_TAKEN
                assert any(one["session_id"] == request.session for one in self.rows.values())
        elif before["reason"] == Reason.SAID_STARTED:
            assert became == _place(before), "no answer overrules nobody"
        elif before["reason"] == Reason.SAID_NOT_STARTED:
            assert became == (_place(row) if request.session else _place(before))
        else:
            assert became == (State.UNKNOWN, kind.reason), became

    def held(self, request: Request, now: datetime) -> None:
        """Fail unless the 429 has put its routine, or its account, on hold."""
        kind, row = request.answered, self.rows[request.run]
        if kind is None or kind.reason != Reason.LIMIT_REACHED:
            return
        [routine] = Routine.objects.filter(pk=row["routine"]).select_related("account")
        if kind.about_account and routine.account_id != row["account"]:
            return  # it was moved meanwhile
        subject = routine.account if kind.about_account else routine
        assert subject.held_until is not None
        assert subject.held_until >= now + (kind.wait or timedelta())


def _caller(row: Row) -> Caller:
    return row["person"], row["api_key"]


def _place(row: Row) -> tuple[str, str]:
    return row["state"], row["reason"]


def _is_due(row: Row, at: datetime) -> bool:
    if row["due_at"] is None or row["due_at"] <= at:
        return True
    is_set_back: bool = row["claimed_at"] is not None and row["claimed_at"] > at + CLOCKS_DIFFER_BY
    return is_set_back and row["reason"] == Reason.NEXT_ATTEMPT and row["retry_after"] is None


def _agrees(attempt: Attempt, request: Request | None) -> None:
    """Fail unless the row says of the attempt what the endpoint's books say of its request."""
    if request is None or not request.is_recorded:
        assert attempt.sent_at is None
        assert attempt.http_status is None
        assert attempt.reason in (Reason.INTERRUPTED, Reason.WAITED_TOO_LONG, Reason.RESTORED)
        return
    kind = request.answered
    assert kind is not None
    reasons = {kind.reason, Reason.SESSION_TAKEN} if request.session else {kind.reason}
    assert attempt.reason in reasons, (attempt.reason, reasons)
    assert attempt.http_status == kind.status
    assert attempt.sent_at == (request.at if kind.left else None)
    assert attempt.request_id == (request.request_id if kind.status else "")
