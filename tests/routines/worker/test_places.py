from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routines.runs.queue import Line
from routines.worker.places import Taken, choose


def line(routine: int, *, account: int = 1, oldest: int = 0) -> Line:
    return Line(routine=routine, account=account, oldest=oldest or routine, waiting=1000)


def filled(lines: list[Line], places: int, taken: list[Taken] | None = None) -> Counter[int]:
    """How many runs of each routine are in flight once no line may take another place."""
    taken = list(taken or [])
    while (chosen := choose(lines, taken, places)) is not None:
        taken.append(Taken(chosen.routine, chosen.account))
    return Counter(one.routine for one in taken)


def turn(lines: list[Line], taken: list[Taken], places: int = 32) -> int | None:
    """Whose it is: the routine's primary key."""
    chosen = choose(lines, taken, places)
    return chosen.routine if chosen else None


def in_flight(routine: int, number: int, *, account: int = 1) -> list[Taken]:
    return [Taken(routine, account)] * number


def test_the_oldest_goes_first_where_nothing_is_in_flight():
    lines = [line(1, account=1, oldest=7), line(2, account=2, oldest=5), line(3, oldest=9)]
    assert turn(lines, []) == 2


def test_no_line_or_no_free_place_is_nobodys_turn():
    assert turn([], []) is None
    assert turn([line(1)], in_flight(2, 32, account=2), 32) is None
    assert turn([line(1)], in_flight(2, 33, account=2), 32) is None


def test_the_account_with_the_fewest_in_flight_goes_first_then_the_routine():
    lines = [line(1, account=1), line(2, account=2), line(3, account=2)]
    taken = in_flight(1, 3, account=1) + in_flight(2, 2, account=2)
    assert turn(lines, taken) == 3


def test_accounts_share_the_places_evenly_however_many_routines_they_have():
    lines = [line(1, account=1), *(line(number, account=2) for number in range(2, 12))]
    of_routine = filled(lines, 32)
    assert of_routine[1] == 15
    assert sum(of_routine.values()) == 30  # the rest is kept back


def test_routines_of_an_account_share_evenly():
    assert set(filled([line(1), line(2), line(3)], 32).values()) == {10}


@pytest.mark.parametrize(
    ("places", "most"),
    [(1, 1), (2, 1), (3, 2), (4, 3), (7, 6), (8, 6), (16, 14), (32, 30), (64, 60), (256, 240)],
)
def test_a_routine_alone_takes_all_places_but_those_that_are_kept_back(places, most):
    assert filled([line(1)], places) == {1: most}


@pytest.mark.parametrize("places", [2, 3, 4, 8, 32, 256])
def test_a_routine_that_hangs_leaves_a_place_to_any_other_account(places):
    hung = in_flight(1, filled([line(1)], places)[1])
    assert turn([line(1), line(2, account=2)], hung, places) == 2


@pytest.mark.parametrize("places", [8, 16, 32, 256])
def test_a_routine_that_hangs_leaves_a_place_to_another_of_its_account(places):
    hung = in_flight(1, filled([line(1)], places)[1])
    assert turn([line(1), line(2)], hung, places) == 2


@pytest.mark.parametrize("places", [2, 8, 32, 256])
def test_an_account_that_hangs_whole_leaves_a_place_to_any_other(places):
    lines = [line(number) for number in range(1, 400)]
    hung = [Taken(pk, 1) for pk in filled(lines, places).elements()]
    assert turn([*lines, line(999, account=2)], hung, places) == 999


def test_with_one_place_lines_take_it_in_turn_of_age():
    assert filled([line(1, oldest=2), line(2, oldest=1)], 1) == {2: 1}


_pks = st.integers(1, 6)
_lines = st.lists(
    st.builds(line, _pks, account=_pks, oldest=st.integers(1, 50)),
    unique_by=lambda one: one.routine,
)


@given(_lines, st.lists(st.builds(Taken, _pks, _pks)), st.integers(1, 256))
def test_whoever_has_nothing_in_flight_gets_a_free_place_and_no_place_is_taken_twice(
    lines, taken, places
):
    chosen = choose(lines, taken, places)
    if len(taken) >= places:
        assert chosen is None
    elif {one.account for one in lines} - {one.account for one in taken}:
        assert chosen is not None
        assert chosen.account not in {one.account for one in taken}
