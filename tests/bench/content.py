"""What the million runs hold: three years of them, skewed as a team's are, the same every time.

Values only, in the order of COLUMNS; million.py writes them into a database.
"""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any
from uuid import UUID

from routines.demo.past_runs import ANSWERS, WITHOUT_ANSWER, PastAnswer
from routines.registry import header_versions
from routines.values import words
from routines.values.reasons import MEANINGS, OPEN, SAID_BY_PEOPLE, Reason, State

DAYS = 3 * 365
PEOPLE = 200
ACCOUNTS = 8
API_KEYS = 30  # every third one a person's own
_BY_PROGRAMS = 0.1  # of the runs
TAGS = ("alerts", "billing", "checkout", "data", "docs", "mobile", "nightly", "releases", "search")
BETA_VERSIONS = ("experimental-cc-routine-2024-11-01", "experimental-cc-routine-2025-08-01")

# For searches: in a few texts whatever their number, in about every third, in none at all though
# each of its parts is in many.
RARE_WORD = "zyzzyva"
COMMON_WORD = "deploy"
ABSENT_WORD = "errordeploy"
RARE_RUNS = 20

COLUMNS = (
    *(
        "key",
        "routine_id",
        "account_id",
        "person_id",
        "api_key_id",
        "idempotency_key",
        "text",
        "template_name",
        "why",
        "is_trial",
    ),
    *("beta_version", "api_version", "created_at", "attempt", "claimed_at", "sent_at"),
    *("state", "reason", "settled_at"),
    *("settled_by_id", "duration_ms", "http_status", "error_type", "error_message"),
    *("request_id", "session_id", "session_url", "retry_after"),
    *("outcome", "outcome_note", "outcome_link", "outcome_at", "outcome_by_id"),
    *("text_words", "why_words", "outcome_note_words", "error_message_words"),
)
_CALLER = COLUMNS.index("person_id")

# Of 10,000 runs. None that is open: such a run is settled at the first look.
SHARES = {reason: 4 for reason in Reason if MEANINGS[reason].state not in OPEN} | {
    Reason.SESSION_CREATED: 8600,
    Reason.ODD_SESSION_URL: 10,
    Reason.SAID_STARTED: 25,
    Reason.PAUSED: 90,
    Reason.HEADER_VERSION: 40,
    Reason.TOKEN_REJECTED: 140,
    Reason.NO_ACCESS: 30,
    Reason.LIMIT_REACHED: 330,
    Reason.OVERLOADED: 210,
    Reason.NO_CONNECTION: 90,
    Reason.WAITED_TOO_LONG: 60,
    Reason.DISABLED: 40,
    Reason.ON_HOLD: 120,
    Reason.COOL_DOWN: 30,
    Reason.SERVER_ERROR: 60,
    Reason.NO_ANSWER: 80,
    Reason.CONNECTION_LOST: 40,
}
# The routine in this place is refused several times as often as the others.
OFTEN_REFUSED = 4
_REFUSED_SHARES = {
    reason: share * (8 if MEANINGS[reason].state == State.REFUSED else 1)
    for reason, share in SHARES.items()
}

_MORE_ANSWERS = {
    Reason.TEXT_TOO_LONG: PastAnswer(400, "invalid_request_error", "text: at most 65536"),
    Reason.BAD_REQUEST: PastAnswer(400, "invalid_request_error", "Could not parse the body"),
    Reason.OTHER_REFUSAL: PastAnswer(409, "conflict_error", "Not now"),
    Reason.UNEXPECTED_ANSWER: PastAnswer(302, message="Moved"),
    Reason.TLS_FAILED: PastAnswer(seconds=(0.1, 0.4)),
}
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

# The first words are the most frequent ones.
_WORDS = (
    f"the of a to in for service error after rate request since version {COMMON_WORD} release "
    "check with change production user page test failed team log report look from before staging "
    "build cause fix why open checkout search billing invoice order customer payment address queue "
    "timeout retry index cache database migration schema rollback canary latency memory disk node "
    "cluster region backup restore login session token header response status metric dashboard "
    "alert pager incident runbook owner review branch merge commit pipeline artifact container "
    "image registry secret config flag feature toggle experiment variant cohort funnel export "
    "import report chart table column row filter sort form field button label link menu dialog "
    "warehouse delivery parcel courier stock supplier price discount voucher refund ledger tax "
    "currency balance account statement reminder letter mail template translation locale German "
    "French Dutch Polish weekend night morning evening Monday Tuesday Wednesday Thursday Friday "
    "upstream downstream gateway proxy certificate domain cookie header webhook callback payload "
    "schema parser encoder decoder checksum replica primary failover quorum snapshot volume mount "
    "crash panic trace stack thread deadlock race leak spike drop slow fast flaky stable broken"
).split()
_TOPICS = ("Alert triage", "Deploy check", "Release notes", "Small change", "Weekly report")
_AREAS = ("checkout", "search", "billing", "mobile", "data", "platform", "support", "docs")


def routine_name(number: int) -> str:
    topic, area = _TOPICS[number % len(_TOPICS)], _AREAS[number // len(_TOPICS) % len(_AREAS)]
    return f"{topic}: {area} {number + 1}"


@dataclass(frozen=True)
class Cast:
    """Primary keys, the busiest first, and the account of each routine."""

    routines: list[int]
    accounts: dict[int, int]
    people: list[int]
    api_keys: list[tuple[int, int | None]]  # with whose own it is


def rows(cast: Cast, *, runs: int, end: datetime, seed: int = 2026) -> Iterator[tuple[Any, ...]]:
    """So many runs in the order of time, the last of them shortly before `end`."""
    rng = Random(seed)
    texts = _Texts(rng)
    # The last routine is one that nobody runs.
    routines = _Skewed(rng, cast.routines[:-1] or cast.routines)
    people = _Skewed(rng, cast.people)
    reasons = _Skewed(rng, list(SHARES), list(SHARES.values()))
    programs = Random(seed + 1)
    api_keys = _Skewed(programs, cast.api_keys)
    refused = _Skewed(rng, list(SHARES), list(_REFUSED_SHARES.values()))
    often_refused = cast.routines[min(OFTEN_REFUSED, len(cast.routines) - 1)]
    every = max(1, runs // RARE_RUNS)
    for number, at in enumerate(_moments(rng, runs, end)):
        text = texts.one()
        if number % every == every // 2:
            text = f"{text} {RARE_WORD}".strip()
        routine = routines.one()
        reason = (refused if routine == often_refused else reasons).one()
        account = cast.accounts[routine]
        row = _run(rng, texts, routine, account, people.one(), text, at, reason, end)
        if programs.random() < _BY_PROGRAMS:
            api_key, person = api_keys.one()
            row = (*row[:_CALLER], person, api_key, f"job {number}", *row[_CALLER + 3 :])
        yield row


def _run(
    rng: Random,
    texts: "_Texts",
    routine: int,
    account: int,
    person: int,
    text: str,
    at: datetime,
    reason: Reason,
    end: datetime,
) -> tuple[Any, ...]:
    answer = ANSWERS.get(reason) or _MORE_ANSWERS.get(reason)
    state = MEANINGS[reason].state
    duration = status = retry_after = settled_by = outcome_at = outcome_by = None
    error_type = message = request_id = session_id = session_url = ""
    outcome = note = link = ""
    settled = at + WITHOUT_ANSWER.get(reason, timedelta(0))
    if reason in SAID_BY_PEOPLE:
        settled_by = person
    if answer is not None:
        duration = round(rng.uniform(*answer.seconds) * 1000)
        settled = at + timedelta(milliseconds=duration)
        status, error_type, message = answer.http_status, answer.error_type, answer.message
        if error_type or status == 200:
            request_id = f"req_{rng.getrandbits(96):024x}"
    if state == State.STARTED:
        session_id = "session_01" + "".join(rng.choices(_CROCKFORD, k=22))
        if reason != Reason.ODD_SESSION_URL:
            session_url = f"https://claude.ai/code/{session_id}"
        if rng.random() < 0.3:
            outcome = rng.choices(("useful", "not_useful", "failed"), (75, 17, 8))[0]
            outcome_at = min(end, at + timedelta(hours=rng.uniform(0.2, 60)))
            outcome_by = person
            if rng.random() < 0.3:
                note = texts.sentence()[:500]
            if rng.random() < 0.4:
                link = f"https://git.example.com/team/product/pull/{rng.randrange(40_000)}"
    if reason == Reason.LIMIT_REACHED:
        retry_after = settled + timedelta(minutes=rng.randint(5, 55))
    age = (end - at) / timedelta(days=DAYS)
    version = BETA_VERSIONS[0] if age > 0.7 else BETA_VERSIONS[1] if age > 0.25 else ""
    if not version and routine % 17:  # a few routines send no beta version
        version = header_versions.BETA_VERSION
    key = UUID(int=rng.getrandbits(128), version=4)
    template = "From an alert" if text and rng.random() < 0.6 else ""
    why = texts.sentence()[:300] if rng.random() < 0.03 else ""
    left = status is not None or state == State.UNKNOWN
    turn = (1, at, at + timedelta(milliseconds=10)) if left else (0, None, None)
    return (
        *(key, routine, account, person, None, "", text, template, why, rng.random() < 0.002),
        *(version, header_versions.API_VERSION, at, *turn),
        *(str(state), str(reason), settled),
        *(settled_by, duration, status, error_type, message),
        *(request_id, session_id, session_url, retry_after),
        *(outcome, note, link, outcome_at, outcome_by),
        *map(words.kept, (text, why, note, message)),
    )


class _Skewed:
    """Chooses among values, the first ones most often unless weights say how often."""

    def __init__(self, rng: Random, values: list[Any], weights: Sequence[float] = ()) -> None:
        self._rng, self._values = rng, values
        each = weights or [1 / (place + 2) for place in range(len(values))]
        self._up_to = list(accumulate(each))

    def one(self) -> Any:
        return self._values[bisect(self._up_to, self._rng.random() * self._up_to[-1])]


class _Texts:
    """From nothing to 20 kB, mostly a few sentences of frequent and of seldom words."""

    _SENTENCES = 6000

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        frequent = _Skewed(rng, _WORDS)
        self._sentences = [self._make(frequent) for _ in range(self._SENTENCES)]

    def _make(self, frequent: _Skewed) -> str:
        chosen = " ".join(frequent.one() for _ in range(self._rng.randint(4, 15)))
        return f"{chosen[0].upper()}{chosen[1:]}."

    def sentence(self) -> str:
        return self._sentences[int(self._rng.random() * self._SENTENCES)]

    def one(self) -> str:
        kind = self._rng.random()
        if kind < 0.08:
            return ""
        if kind < 0.80:
            count = self._rng.randint(1, 3)
        elif kind < 0.97:
            count = self._rng.randint(4, 12)
        elif kind < 0.998:
            count = self._rng.randint(15, 60)
        else:
            count = self._rng.randint(150, 280)
        number = int(self._rng.random() * 900_000) + 100_000
        sentences = self._rng.choices(self._sentences, k=count)
        between = "\n\n" if count > 12 else " "
        return f"INC-{number}: {between.join(sentences)}"[:20_000]


def _moments(rng: Random, runs: int, end: datetime) -> Iterator[datetime]:
    """In order: ever more over the years, most of them in working hours."""
    hours = DAYS * 24
    start = end - timedelta(hours=hours)
    weights = []
    for number in range(hours):
        at = start + timedelta(hours=number)
        of_day = 10 if 8 <= at.hour < 17 else 3 if 6 <= at.hour < 20 else 1
        of_week = 1 if at.weekday() < 5 else 0.15
        weights.append(of_day * of_week * (0.4 + 1.2 * number / hours))
    made, sum_so_far, total = 0, 0.0, sum(weights)
    for number, weight in enumerate(weights):
        sum_so_far += weight
        upto = round(runs * sum_so_far / total)
        hour = start + timedelta(hours=number)
        for microsecond in sorted(rng.randrange(3_600_000_000) for _ in range(upto - made)):
            yield hour + timedelta(microseconds=microsecond)
        made = upto
