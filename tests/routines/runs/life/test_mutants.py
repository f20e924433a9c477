"""The model would see it: each of these broken steps makes a short life fail."""

from collections.abc import Callable

import pytest

from tests.routines.runs.life import call_mutants
from tests.routines.runs.life.house import build
from tests.routines.runs.life.life import Life
from tests.routines.runs.life.mutants import MUTANTS as OF_RUNS
from tests.routines.runs.life.mutants import Mutant

pytestmark = pytest.mark.django_db
MUTANTS = [*OF_RUNS, *call_mutants.MUTANTS]


def failure(script: Callable[[Life], None]) -> Exception | None:
    try:
        with Life(build()).going_on() as life:
            script(life)
            life.end()
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_broken_step_makes_it_fail(mutant: Mutant):
    with mutant.alive():
        assert failure(mutant.script) is not None


@pytest.mark.parametrize(
    "mutant",
    {mutant.script: mutant for mutant in MUTANTS}.values(),
    ids=lambda mutant: getattr(mutant.script, "__name__", ""),
)
def test_the_same_life_is_led_as_it_should_be(mutant: Mutant):
    assert failure(mutant.script) is None
