"""Moving routines to another header version, and back: each in one step."""

import pytest
from django.db import DatabaseError
from django.utils import timezone

from routines import audit, registry
from routines.models import (
    AuditEvent,
    Header,
    HeaderVersion,
    Person,
    Routine,
    VersionMove,
    VersionMoveStep,
)
from routines.practice_api import PracticeApi
from routines.registry import header_versions, version_moves
from routines.registry.accepted_versions import judged
from routines.registry.header_versions import known
from routines.registry.version_moves import MoveRefused, MoveResult
from routines.runs import accepting
from routines.values.reasons import Reason
from tests.factories import (
    create_admin,
    create_manager,
    create_routine,
    create_run,
    create_version,
)
from tests.routines.runs.firing.pressing import at_once, press

pytestmark = pytest.mark.django_db

OLD = header_versions.BETA_VERSION
NEW = "experimental-cc-routine-2026-10-01"
NEWEST = "experimental-cc-routine-2026-11-01"


@pytest.fixture(autouse=True)
def _announced(db) -> None:
    create_version(NEW)
    create_version(NEWEST)


@pytest.fixture
def admin(db) -> Person:
    return create_admin()


@pytest.fixture
def three(db) -> list[Routine]:
    return [create_routine(name=name) for name in ("First", "Second", "Third")]


def move(
    routines: list[Routine], target: str, by: Person, header: Header = Header.BETA
) -> MoveResult:
    """As an admin who looks at the page at this moment."""
    seen = {routine.pk: header_versions.pinned(routine, header) for routine in routines}
    return version_moves.move(header, target, seen, by=by)


def betas(routines: list[Routine]) -> list[str]:
    stored = Routine.objects.in_bulk([routine.pk for routine in routines])
    return [stored[routine.pk].beta_version for routine in routines]


def names(routines: list[Routine]) -> list[str]:
    return [routine.name for routine in routines]


def events(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action).order_by("pk"))


# --- There ---


def test_the_chosen_routines_move_in_one_step_each_with_its_event(admin, three):
    result = move(three[:2], NEW, admin)
    assert betas(three) == [NEW, NEW, OLD]
    assert (names(result.done), result.left) == (["First", "Second"], [])
    assert (result.move.target, result.move.moved_by) == (NEW, admin)
    assert [(event.subject, event.person, event.changes) for event in events("version_moved")] == [
        ("First", admin, {"beta_version": [OLD, NEW]}),
        ("Second", admin, {"beta_version": [OLD, NEW]}),
    ]


def test_the_api_version_moves_alone(admin, three):
    create_version("2026-11-11", header=Header.API)
    move(three, "2026-11-11", admin, Header.API)
    assert set(Routine.objects.values_list("api_version", "beta_version")) == {("2026-11-11", OLD)}


def test_not_sending_the_beta_header_is_a_target_and_not_sending_the_other_is_none(admin, three):
    move(three, "", admin)
    assert betas(three) == ["", "", ""]
    with pytest.raises(MoveRefused, match="not known here"):
        move(three, "", admin, Header.API)


@pytest.mark.parametrize("target", ["experimental-cc-routine-2027-01-01", "2023-06-01"])
def test_an_unknown_target_is_refused_and_nothing_is_moved(admin, three, target: str):
    with pytest.raises(MoveRefused, match="not known here"):
        move(three, target, admin)
    assert betas(three) == [OLD, OLD, OLD]


def test_moving_nothing_is_refused_and_leaves_no_move(admin, three):
    for routines in ([], [create_routine(beta_version=NEW)]):
        with pytest.raises(MoveRefused, match="choose at least one"):
            move(routines, NEW, admin)
    assert not VersionMove.objects.exists()


def test_a_routine_that_was_moved_since_the_page_was_drawn_is_left_and_said(admin, three):
    seen = {routine.pk: OLD for routine in three}
    move(three[:1], NEWEST, create_admin())
    result = version_moves.move(Header.BETA, NEW, seen, by=admin)
    assert (names(result.done), names(result.left)) == (["Second", "Third"], ["First"])
    assert betas(three) == [NEWEST, NEW, NEW]
    assert result.left[0].beta_version == NEWEST


def test_an_archived_or_vanished_routine_is_not_moved(admin, three):
    registry.set_archived(three[0], True, by=admin)
    result = version_moves.move(
        Header.BETA, NEW, {three[0].pk: OLD, three[1].pk: OLD, 999_999: OLD}, by=admin
    )
    assert names(result.done) == ["Second"]
    assert betas(three) == [OLD, NEW, OLD]


def test_a_move_that_fails_half_way_moves_nothing(admin, three, monkeypatch):
    trace, left = audit.trace, [2]

    def fail(*arguments, **values):
        left[0] -= 1
        if left[0] < 0:
            raise DatabaseError("disk is full")
        trace(*arguments, **values)

    monkeypatch.setattr(version_moves, "trace", fail)
    with pytest.raises(DatabaseError):
        move(three, NEW, admin)
    assert betas(three) == [OLD, OLD, OLD]
    assert not VersionMove.objects.exists()
    assert not events("version_moved")


def test_a_fire_after_the_move_sends_the_new_version(admin, three, practice: PracticeApi):
    practice.known_betas.add(NEW)
    move(three[:1], NEW, admin)
    run = press(three[0], admin).run
    assert (run.reason, run.beta_version) == (Reason.SESSION_CREATED, NEW)


# --- Who is proposed ---


def proposed(target: str, pinned_to: str | None = None) -> dict[str, bool]:
    found = version_moves.candidates(
        Header.BETA, target, judged(), person=create_admin(), pinned_to=pinned_to
    )
    return {one.routine.name: one.is_proposed for one in found}


@pytest.fixture
def _at_every_place(db) -> None:
    create_routine(name="Old", beta_version=OLD)
    create_routine(name="New", beta_version=NEW)
    create_routine(name="Newest", beta_version=NEWEST)
    create_routine(name="Unknown", beta_version="other")
    create_routine(name="Not sent", beta_version="")
    create_routine(name="Archived", beta_version=OLD, archived_at=timezone.now())


@pytest.mark.usefixtures("_at_every_place")
def test_the_routines_on_older_and_unknown_versions_are_proposed():
    assert proposed(NEW) == {"Old": True, "Newest": False, "Unknown": True, "Not sent": False}


@pytest.mark.usefixtures("_at_every_place")
def test_all_that_send_the_header_are_proposed_for_not_sending_it():
    assert not any(proposed("").values())
    create_run(routine=Routine.objects.get(name="Not sent"), beta_version="")
    assert proposed("") == {"Old": True, "New": True, "Newest": True, "Unknown": True}


@pytest.mark.usefixtures("_at_every_place")
def test_exactly_the_routines_on_a_refused_version_are_proposed():
    chosen = {name for name, is_proposed in proposed(NEWEST, pinned_to=NEW).items() if is_proposed}
    assert chosen == {"New"}


def test_who_may_not_run_a_routine_may_not_try_it():
    create_routine()
    for person, may in ((create_admin(), True), (create_manager(), False)):
        [found] = version_moves.candidates(Header.BETA, NEW, known(), person=person)
        assert found.may_be_tried is may


# --- Trying it first ---


def test_a_trial_sends_the_version_and_pins_nothing(admin, three, practice: PracticeApi):
    practice.known_betas.add(NEW)
    run = press(three[0], admin, trial=version_moves.trial(Header.BETA, NEW)).run
    assert (run.is_trial, run.beta_version, run.reason) == (True, NEW, Reason.SESSION_CREATED)
    assert betas(three) == [OLD, OLD, OLD]


@pytest.mark.parametrize("header", Header)
def test_a_trial_changes_the_header_that_is_tried_alone(header: Header):
    tried = version_moves.trial(header, "x")
    expected = {
        Header.BETA: accepting.Trial(beta_version="x"),
        Header.API: accepting.Trial(api_version="x"),
    }
    assert tried == expected[header]


# --- Back ---


def test_a_move_is_taken_back_in_one_step_each_with_its_event(admin, three):
    Routine.objects.filter(pk=three[2].pk).update(beta_version="")
    three[2].refresh_from_db()
    moved = move(three, NEW, create_admin()).move
    result = version_moves.go_back(moved, by=admin)
    assert betas(three) == [OLD, OLD, ""]
    assert (len(result.done), result.left) == (3, [])
    assert result.move.undone_at is not None
    assert [(event.person, event.changes) for event in events("version_moved_back")] == [
        (admin, {"beta_version": [NEW, OLD]}),
        (admin, {"beta_version": [NEW, OLD]}),
        (admin, {"beta_version": [NEW, ""]}),
    ]


def test_a_move_is_not_taken_back_twice(admin, three):
    moved = move(three, NEW, admin).move
    version_moves.go_back(moved, by=admin)
    move(three, NEW, admin)
    with pytest.raises(MoveRefused, match="taken back already"):
        version_moves.go_back(moved, by=admin)
    assert betas(three) == [NEW, NEW, NEW]
    assert len(events("version_moved_back")) == 3


def test_a_routine_that_was_changed_since_is_left_and_said(admin, three):
    moved = move(three, NEW, admin).move
    move([Routine.objects.get(name="First")], NEWEST, admin)
    result = version_moves.go_back(moved, by=admin)
    assert betas(three) == [NEWEST, OLD, OLD]
    assert names(result.left) == ["First"]


def test_a_routine_that_a_later_move_brought_there_again_belongs_to_that_move(admin, three):
    first = move(three, NEW, admin).move
    Routine.objects.filter(name="First").update(beta_version=NEWEST)
    second = move([Routine.objects.get(name="First")], NEW, admin).move
    assert names(version_moves.go_back(first, by=admin).left) == ["First"]
    version_moves.go_back(second, by=admin)
    assert betas(three) == [NEWEST, OLD, OLD]


def test_after_the_later_move_is_taken_back_the_first_can_be_too(admin, three):
    first = move(three, NEW, admin).move
    second = move([Routine.objects.get(name="First")], NEWEST, admin).move
    version_moves.go_back(second, by=admin)
    assert version_moves.go_back(first, by=admin).left == []
    assert betas(three) == [OLD, OLD, OLD]


def test_a_move_of_which_nothing_is_left_cannot_be_taken_back(admin, three):
    moved = move(three, NEW, admin).move
    Routine.objects.update(beta_version=NEWEST)
    with pytest.raises(MoveRefused, match="changed since"):
        version_moves.go_back(moved, by=admin)
    assert VersionMove.objects.get().undone_at is None
    assert not events("version_moved_back")


def test_an_archived_routine_is_moved_back_with_the_others(admin, three):
    moved = move(three, NEW, admin).move
    registry.set_archived(Routine.objects.get(name="First"), True, by=admin)
    version_moves.go_back(moved, by=admin)
    assert betas(three) == [OLD, OLD, OLD]


def test_past_moves_say_how_many_routines_would_go_back(admin, three):
    move(three, NEW, admin)
    move([Routine.objects.get(name="First")], NEWEST, admin)
    version_moves.go_back(move([Routine.objects.get(name="Second")], "", admin).move, by=admin)
    found = version_moves.past_moves()
    assert [(past.move.target, past.still_there, past.can_go_back) for past in found] == [
        ("", 0, False),
        (NEWEST, 1, True),
        (NEW, 2, True),
    ]
    assert [step.before for step in found[2].steps] == [OLD, OLD, OLD]


def test_a_deleted_admin_leaves_the_move(admin, three):
    move(three, NEW, admin)
    admin.delete()
    assert version_moves.past_moves()[0].move.moved_by is None


@pytest.mark.usefixtures("transactional_db")
class TestAtOnce:
    """Real commits, a connection per thread, as in a server."""

    def test_two_admins_who_go_back_at_once_go_back_once(self, admin, three):
        moved = move(three, NEW, admin).move
        results = at_once(6, lambda _: version_moves.go_back(moved, by=admin))
        assert [type(one) for one in results].count(MoveResult) == 1
        assert [str(one) for one in results].count("This move was taken back already.") == 5
        assert len(events("version_moved_back")) == 3

    def test_two_admins_who_move_to_different_versions_at_once_do_not_mix(self, admin, three):
        targets = [NEW, NEWEST, ""]
        results = at_once(3, lambda number: move(three, targets[number], admin))
        assert {type(one) for one in results} == {MoveResult}
        assert sorted(len(one.done) for one in results) == [0, 0, 3]
        [moved] = VersionMove.objects.all()
        assert betas(three) == [moved.target] * 3
        assert VersionMoveStep.objects.count() == len(events("version_moved")) == 3

    def test_routines_listed_in_another_order_make_no_deadlock(self, admin, three):
        orders = [three, three[::-1]] * 3
        results = at_once(6, lambda number: move(orders[number], NEW, admin))
        assert {type(one) for one in results} <= {MoveResult, MoveRefused}
        assert len(events("version_moved")) == 3

    def test_one_version_added_by_many_admins_at_once_is_added_once(self, admin):
        value = "experimental-cc-routine-2026-12-01"
        results = at_once(6, lambda _: header_versions.add(Header.BETA, value, by=admin))
        assert [type(one) for one in results].count(HeaderVersion) == 1
        assert [type(one) for one in results].count(header_versions.VersionRefused) == 5
        assert len(events("version_added")) == 1
