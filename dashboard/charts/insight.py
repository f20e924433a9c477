"""The figures of the insight page as charts, each bar with its link to the runs behind it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

from django.urls import reverse

from dashboard.charts.drawing import Bar, Cell, Columns, HeatMap, Number, Rows, Segment
from routines.history.run_filter import RunFilter
from routines.insight import Counts, Figures, Hour, Step, Unit
from routines.models import Outcome
from routines.values.reasons import MEANINGS, State

STATES = (State.STARTED, State.REFUSED, State.UNKNOWN, State.NOT_SENT)  # the expected lies lowest
_HEADINGS = {  # over a column of numbers
    State.REFUSED: "Refused",
    State.UNKNOWN: "Unknown",
    State.NOT_SENT: "Not sent",
}
_OF_STATE = {state: RunFilter(states=(state,)).query_string() for state in STATES}
_SEGMENTS = [(state.value, state.label.lower(), query) for state, query in _OF_STATE.items()]
_OF_OUTCOME = {
    outcome: RunFilter(states=(State.STARTED,), outcome=outcome.value).query_string()
    for outcome in Outcome
}
_NO_OUTCOME = RunFilter(states=(State.STARTED,), outcome="").query_string()
_DURATIONS = (
    *(0, 100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000),
    *(10_000, 20_000, 30_000, 60_000),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def share(part: int, whole: int) -> str:
    """`86 %`; below one in a hundred `0.4 %`, so that a few do not look like none."""
    if not whole:
        return "–"
    percent = part / whole * 100
    return f"{percent:.0f} %" if percent >= 1 or not part else f"{max(percent, 0.1):.1f} %"


class Charts:
    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._history = reverse("history")
        self._within = figures.range.runs().query_string()

    def _url(self, *queries: str) -> str:
        return f"{self._history}?{'&'.join(queries)}"

    def _by_state(self, counts: Counts, *queries: str) -> list[Segment]:
        url = self._url(*queries)
        return [
            Segment(kind, label, getattr(counts, kind), f"{url}&{query}")
            for kind, label, query in _SEGMENTS
        ]

    @cached_property
    def all_url(self) -> str:
        return self._url(self._within)

    @cached_property
    def state_urls(self) -> dict[str, str]:
        return {state.value: self._url(self._within, query) for state, query in _OF_STATE.items()}

    # --- Over time ---

    @cached_property
    def over_time(self) -> Columns:
        return Columns([self._step(step, counts) for step, counts in self._figures.steps])

    def _step(self, step: Step, counts: Counts) -> Bar:
        label, tick = _labels(step.start, self._figures.range.unit)
        query = _query(self._figures.range.runs(step))
        return Bar(
            label=label,
            tick=tick,
            segments=self._by_state(counts, query),
            url=self._url(query),
        )

    # --- By routine, account, caller ---

    @cached_property
    def routines(self) -> Rows:
        rows = self._figures.routines
        return self._rows(
            "Routine", ((r, _query(RunFilter(routine=r.slug)), c) for r, c in rows), STATES[1:]
        )

    @cached_property
    def accounts(self) -> Rows:
        rows = self._figures.accounts
        return self._rows("Account", ((a, _query(RunFilter(account=a.label)), c) for a, c in rows))

    @cached_property
    def people(self) -> Rows:
        rows = self._figures.people
        return self._rows("Person", ((p, _query(RunFilter(person=p.username)), c) for p, c in rows))

    @cached_property
    def api_keys(self) -> Rows:
        rows = self._figures.api_keys
        of_key = ((k.full_name, _query(RunFilter(api_key=k.pk)), c) for k, c in rows)
        return self._rows("API key", of_key)

    def _rows(
        self,
        what: str,
        rows: Iterable[tuple[Any, str, Counts]],
        counted: Sequence[State] = (State.REFUSED,),
    ) -> Rows:
        bars = []
        for one, query, counts in rows:
            url = self._url(self._within, query)
            bar = Bar(str(one), self._by_state(counts, self._within, query), url)
            numbers = [Number(f"{counts.runs:,}", url)]
            numbers += [
                Number(f"{segment.count:,}", segment.url if segment.count else "")
                for segment, state in zip(bar.segments, STATES, strict=True)
                if state in counted
            ]
            started_url = bar.segments[0].url if counts.started else ""
            numbers.append(Number(share(counts.started, counts.runs), started_url))
            bars.append((bar, numbers))
        headings = [_HEADINGS[state] for state in STATES if state in counted]
        return Rows(what, ("Runs", *headings, "Started"), bars)

    # --- Refusals ---

    @cached_property
    def reasons(self) -> Rows:
        """Why runs did not start; the colour is the state's, and its word stands beside it."""
        failed = sum(runs for _, runs in self._figures.reasons)
        bars = []
        for reason, runs in self._figures.reasons:
            state = MEANINGS[reason].state
            url = self._url(self._within, RunFilter(reason=reason).query_string())
            label = reason.label[:1].upper() + reason.label[1:]
            bar = Bar(label, [Segment(state.value, state.label.lower(), runs, url)], url)
            numbers = [Number(state.label), Number(f"{runs:,}", url), Number(share(runs, failed))]
            bars.append((bar, numbers))
        return Rows("Reason", ("State", "Runs", "Share"), bars)

    @cached_property
    def refused(self) -> Rows:
        """The most refused; the others have their number in the list of all."""
        rows = [(one, counts) for one, counts in self._figures.routines if counts.refused]
        bars = []
        for routine, counts in sorted(rows, key=lambda row: -row[1].refused)[: Rows.FIRST]:
            query = _query(RunFilter(routine=routine.slug))
            url = self._url(self._within, query, _OF_STATE[State.REFUSED])
            bar = Bar(routine.name, [Segment("refused", "refused", counts.refused, url)], url)
            refused = share(counts.refused, counts.runs)
            bars.append((bar, [Number(f"{counts.refused:,}", url), Number(refused)]))
        return Rows("Routine", ("Refused", "Share"), bars)

    # --- Outcomes ---

    @cached_property
    def outcomes(self) -> Rows:
        rows = [(one, counts) for one, counts in self._figures.routines if counts.started]
        bars = []
        for routine, counts in sorted(rows, key=lambda row: (-row[1].marked, -row[1].started)):
            query = _query(RunFilter(routine=routine.slug))
            segments = [
                Segment(
                    outcome.value,
                    outcome.label,
                    counts.of(outcome),
                    self._url(self._within, query, of),
                )
                for outcome, of in _OF_OUTCOME.items()
            ]
            nothing = counts.started - counts.marked
            url = self._url(self._within, query, _NO_OUTCOME)
            segments.append(Segment("nothing", "nothing said", nothing, url))
            useful = share(counts.useful, counts.marked)
            numbers = [
                Number(f"{counts.marked:,}"),
                Number(useful, segments[0].url if counts.marked else ""),
            ]
            bars.append((Bar(routine.name, segments, segments[0].url), numbers))
        return Rows("Routine", ("Marked", "Useful"), bars)

    # --- From press to session ---

    @cached_property
    def durations(self) -> Columns:
        bounds = zip(_DURATIONS, (*_DURATIONS[1:], None), strict=True)
        bars = [self._duration(floor, ceiling) for floor, ceiling in bounds]
        used = [index for index, bar in enumerate(bars) if bar.total]
        return Columns(bars[used[0] : used[-1] + 1] if used else [], max_ticks=20)

    def _duration(self, floor: int, ceiling: int | None) -> Bar:
        runs = sum(
            count
            for duration, count in self._figures.duration.runs.items()
            if floor <= duration and (ceiling is None or duration < ceiling)
        )
        upper = f"to {_seconds(ceiling)}" if ceiling else "and more"
        segments = [Segment("started", "sessions", runs)]
        return Bar(f"{_seconds(floor)} {upper}", segments, tick=_seconds(floor))

    # --- The week ---

    @cached_property
    def week(self) -> HeatMap:
        return HeatMap(
            [str(hour) for hour in range(24)],
            [
                (day, [self._cell(weekday, hour) for hour in range(24)])
                for weekday, day in enumerate(_WEEKDAYS)
            ],
        )

    @cached_property
    def _most_sessions(self) -> int:
        return max((hour.sessions for hour in self._figures.week.values()), default=0)

    @cached_property
    def _fullest_share(self) -> float:
        hours = self._figures.week.values()
        return max((hour.fullest.share for hour in hours if hour.fullest), default=0)

    @property
    def fullest_share(self) -> str:
        """What the darkest cell of the week stands for; empty where no limit is shown."""
        return share(round(self._fullest_share * 1000), 1000) if self._fullest_share else ""

    def _cell(self, weekday: int, of_day: int) -> Cell:
        name = f"{_WEEKDAYS[weekday]} {of_day:02}:00"
        hour = self._figures.week.get((weekday, of_day))
        if hour is None:
            return Cell(f"{name}: no session", "0", 0)
        if hour.fullest is None:
            level = _level(hour.sessions / self._most_sessions)
            return Cell(f"{name}: {_sessions(hour)}", f"{hour.sessions:,}", level)
        full = hour.fullest
        percent = share(full.used, full.limit)
        description = (
            f"{name}: {_sessions(hour)} in all. The fullest hour: {percent} of "
            f"{full.account.label}'s budget, {full.used} of {full.limit} "
            f"on {_day(full.start)}"
        )
        hour_of = RunFilter(
            since=full.start,
            until=full.start + timedelta(hours=1),
            account=full.account.label,
            states=(State.STARTED,),
        )
        url = self._url(_query(hour_of))
        return Cell(description, percent, _level(full.share / self._fullest_share), url)


@lru_cache(maxsize=5000)  # most are the same at the next look
def _query(run_filter: RunFilter) -> str:
    return run_filter.query_string()


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b}"


def _labels(start: datetime, unit: Unit) -> tuple[str, str]:
    """The label of a step, in full and as short as fits under a column."""
    if unit == Unit.HOUR:
        return f"{start:%a} {_day(start)}, {start:%H:%M}", f"{start:%H:%M}"
    if unit == Unit.DAY:
        return f"{start:%a} {_day(start)} {start.year}", _day(start)
    if unit == Unit.WEEK:
        return f"Week of {_day(start)} {start.year}", _day(start)
    return f"{start:%B %Y}", f"{start:%b %Y}"


def _level(share: float) -> int:
    """How dark, beside the darkest: from 1 to 5."""
    return 1 + sum(share >= bound for bound in (0.2, 0.4, 0.6, 0.85))


def _sessions(hour: Hour) -> str:
    return f"{hour.sessions:,} session{'' if hour.sessions == 1 else 's'}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:g} s"
