"""Pages of filtered runs: exactly what the filter asks for and the person may see, in order."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routines.history import pages
from routines.history.run_filter import RunFilter
from routines.models import Outcome, Person, Routine, Run, Tag
from routines.values.reasons import MEANINGS, Reason, State
from tests.factories import (
    create_api_key,
    create_manager,
    create_routine,
    create_run,
    create_teammate,
)

pytestmark = pytest.mark.django_db

RUNS = 240
CI, LAPTOP, UNUSED = 901, 902, 903  # API keys: of admins, of a person, without a run
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
REASONS = [Reason.SESSION_CREATED] * 6 + [Reason.PAUSED, Reason.NO_ANSWER, Reason.WAITED_TOO_LONG]


@pytest.fixture
def people() -> list[Person]:
    return [create_teammate(username=f"person-{number}") for number in range(4)]


@pytest.fixture
def world(people) -> None:
    """Runs of a few minutes, many at the same moment, written in no order of time."""
    rng = Random(7)
    routines = [create_routine(name=f"R{n}", account=f"Account {n % 2}") for n in range(5)]
    nightly = Tag.objects.create(name="nightly")
    routines[1].tags.add(nightly)
    routines[3].tags.add(nightly)
    routines[4].tags.add(Tag.objects.create(name="unused"))
    ci = create_api_key(pk=CI, name="ci")
    laptop = create_api_key(pk=LAPTOP, name="laptop", person=people[1])
    create_api_key(pk=UNUSED)
    made = []
    for number in range(RUNS):
        reason = rng.choice(REASONS)
        started = MEANINGS[reason].state == State.STARTED
        at = NOON + timedelta(
            seconds=rng.randrange(60), microseconds=rng.choice([0, 0, 1, 500_000])
        )
        made.append(
            Run(
                key=uuid4(),
                routine=rng.choice(routines[:4]),
                person=rng.choice(people[:3]),
                text=rng.choice(["deploy it", "deploy needle", "hay", ""]),
                why=rng.choice(["", "", "needle"]),
                api_version="2023-06-01",
                beta_version=rng.choice(["b-2026-04-01", "b-2026-04-01", ""]),
                created_at=at,
                state=MEANINGS[reason].state,
                reason=reason,
                settled_at=at,
                session_id=f"session_{number}" if started else "",
                outcome=rng.choice(["", "", Outcome.USEFUL]) if started else "",
                outcome_link=rng.choice(["", "https://example.com"]) if started else "",
                is_trial=rng.random() < 0.1,
            )
        )
    for run in made[::5]:
        run.person, run.api_key = None, ci
    for run in made[1::7]:
        run.person, run.api_key = laptop.person, laptop
    Run.objects.bulk_create(made)


QUERIES = [
    "",
    "routine=r1",
    "routine=r4",
    "routine=none-such",
    "person=person-1",
    "person=person-3",
    f"api_key={CI}",
    f"api_key={LAPTOP}&person=person-1",
    f"api_key={LAPTOP}&person=person-2",
    f"api_key={UNUSED}",
    "api_key=904",
    f"api_key={CI}&state=refused&q=deploy",
    "account=Account+1",
    "tag=nightly",
    "tag=unused",
    "state=refused&state=unknown&state=not_sent",
    "state=started&outcome=none",
    "reason=paused&state=refused",
    "reason=paused&state=unknown",
    "outcome=useful&link=yes",
    "link=no&trial=yes",
    "beta=not-sent&api=2023-06-01",
    "from=2026-11-02T12:00&to=2026-11-02T12:01",
    "from=2026-11-02&to=2026-11-02&tag=nightly&state=started",
    "period=today",
    "q=deploy",
    "q=needle+deploy&routine=r1",
    "q=needle&person=person-2&state=refused",
    "q=deploy&state=started&outcome=none&tag=nightly",
    "q=deploy&from=2026-11-02T12:00&account=Account+0",
    "q=absent&state=refused",
    "q=needle&trial=no&link=yes",
]


def walk(person: Person, run_filter: RunFilter, size: int) -> tuple[list[int], list[int]]:
    """All pages to the oldest run, and from there back to the newest one."""
    page = pages.page(person, run_filter, size=size)
    assert page.newer is None
    forth = [run.pk for run in page.rows]
    first = list(forth)
    for _ in range(RUNS + 5):
        if page.older is None:
            break
        page = pages.page(person, run_filter, before=page.older, size=size)
        forth += [run.pk for run in page.rows]
    assert page.older is None, "the pages never come to an end"
    back = [run.pk for run in reversed(page.rows)]
    for _ in range(RUNS + 5):
        if page.newer is None:
            break
        page = pages.page(person, run_filter, after=page.newer, size=size)
        back += [run.pk for run in reversed(page.rows) if run.pk not in back]
    assert page.newer is None
    assert [run.pk for run in page.rows] == first
    return forth, back[::-1]


def expected(person: Person, run_filter: RunFilter) -> list[int]:
    """By plain conditions, which the export uses, too."""
    runs = run_filter.apply(Run.objects.visible_to(person)).order_by("-created_at", "-pk")
    return [run.pk for run in runs]


# All queries in one test, since the world that they look at takes longer to make than to look at.


@pytest.mark.parametrize("size", [2, 50])
def test_the_pages_hold_what_the_filter_asks_for_each_run_once(world, size, subtests):
    """A small page looks at few runs before it stops: its next one goes on from there."""
    manager = create_manager()
    for query in QUERIES:
        with subtests.test(query):
            run_filter = RunFilter.from_query(query)
            forth, back = walk(manager, run_filter, size=size)
            assert forth == expected(manager, run_filter)
            if size > 2:  # going back over what did not match may start at the first page again
                assert back == forth


def test_a_person_sees_their_own_and_those_of_routines_that_show_them(world, people, subtests):
    group = Group.objects.create(name="A group")
    people[0].groups.add(group)
    shared = Routine.objects.get(slug="r1")
    shared.open_to.add(group)
    Routine.objects.filter(slug__in=["r1", "r2"]).update(runs_seen_by_group=True)
    Routine.objects.get(slug="r2").open_to.add(Group.objects.create(name="Others"))
    for query in QUERIES:
        with subtests.test(query):
            run_filter = RunFilter.from_query(query)
            forth, back = walk(people[0], run_filter, size=9)
            assert forth == back == expected(people[0], run_filter)
            if not run_filter:
                mine = Run.objects.filter(person=people[0]) | Run.objects.filter(routine=shared)
                assert set(forth) == {run.pk for run in mine}


# --- Looking back only so far ---


def create_runs(number: int) -> None:
    """A minute apart, the newest a day ago. Every second one has another beta version."""
    routine, person = create_routine(), create_teammate()
    newest = timezone.now() - timedelta(days=1)
    Run.objects.bulk_create(
        Run(
            key=uuid4(),
            routine=routine,
            person=person,
            text="deploy needle",
            beta_version=f"b-{minutes % 2}",
            api_version="2023-06-01",
            created_at=newest - timedelta(minutes=minutes),
            settled_at=newest,
            state=State.REFUSED,
            reason=Reason.PAUSED,
        )
        for minutes in range(number)
    )


def test_a_page_that_looked_back_only_so_far_says_so_and_goes_on():
    create_runs(600)
    oldest = Run.objects.order_by("created_at")[0]
    Run.objects.filter(pk=oldest.pk).update(api_version="the oldest one")
    run_filter = RunFilter.from_query("state=refused&beta=b-1&api=the+oldest+one")
    page = pages.page(create_manager(), run_filter, size=1)
    assert page.rows == []
    assert page.looked_back_to is not None
    assert page.looked_back_to > oldest.created_at
    assert page.older is not None
    forth, _ = walk(create_manager(), run_filter, size=1)
    assert forth == [oldest.pk]


def test_a_page_makes_as_many_queries_however_many_runs_there_are():
    manager = create_manager()
    manager.has_perm("routines.view_all_runs")

    def queries() -> dict[str, int]:
        counted = {}
        for query in QUERIES:
            with CaptureQueriesContext(connection) as captured:
                pages.page(manager, RunFilter.from_query(query), size=5)
            counted[query] = len(captured)
        return counted

    create_runs(60)
    before = queries()
    create_runs(600)
    more = {query: number - before[query] for query, number in queries().items()}
    assert max(more.values()) <= 2  # a second look at further runs, and no third


# --- One run by its name ---


@pytest.mark.parametrize(
    "typed",
    [
        "session_01FOUND",
        " session_01FOUND ",
        "https://claude.ai/code/session_01FOUND",
        "https://claude.ai/code/session_01FOUND/?from=mail#top",
        "req_42",
        "#{pk}",
        "run {pk}",
        "Run #{pk}",
        "http://localhost:8000/history/{pk}/",
    ],
)
def test_what_names_a_run_finds_that_run_alone(world, people, typed):
    run = create_run(
        person=people[0],
        text="Not a word of it.",
        session_id="session_01FOUND",
        session_url="https://claude.ai/code/session_01FOUND",
        request_id="req_42",
    )
    run_filter = RunFilter(q=typed.format(pk=run.pk).strip())
    assert [found.pk for found in pages.page(create_manager(), run_filter).rows] == [run.pk]
    assert [found.pk for found in pages.page(people[0], run_filter).rows] == [run.pk]
    assert pages.page(people[1], run_filter).rows == []


@pytest.mark.parametrize("typed", ["session_01FOUND", "req_42", "#1"])
def test_what_names_a_run_is_looked_up_in_an_index(typed):
    named = RunFilter(q=typed).apply(Run.objects.all())
    plan = named.explain()
    scans_the_table = "SCAN" in plan if connection.vendor == "sqlite" else False
    assert not scans_the_table, plan


def test_the_runs_of_a_key_are_found_along_their_index(world):
    plan = RunFilter(api_key=CI).apply(Run.objects.newest_first())[:50].explain()
    assert "run_of_api_key" in plan or connection.vendor == "postgresql", plan


# --- What is new ---


def test_new_runs_are_counted_as_the_filter_asks(world):
    manager = create_manager()
    run_filter = RunFilter.from_query("state=unknown")
    shown = pages.page(manager, run_filter)
    assert pages.new_since(manager, run_filter, pages.top(shown)) == 0
    create_run(reason=Reason.NO_ANSWER)
    create_run(reason=Reason.NO_ANSWER)
    create_run()
    assert pages.new_since(manager, run_filter, pages.top(shown)) == 2
    assert pages.new_since(create_teammate(), run_filter, pages.top(shown)) == 0


def test_an_empty_page_learns_of_its_first_run():
    manager = create_manager()
    cursor = pages.top(pages.page(manager))
    create_run()
    assert pages.new_since(manager, RunFilter(), cursor) == 1
