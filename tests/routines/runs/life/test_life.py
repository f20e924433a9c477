"""Nothing that can happen to a run leads off the permitted steps, or to a second request."""

import hypothesis
import pytest
from hypothesis import Phase
from hypothesis.stateful import run_state_machine_as_test

from tests import effort
from tests.routines.runs.life.house import build
from tests.routines.runs.life.machine import machine

pytestmark = [pytest.mark.django_db, pytest.mark.hypothesis]


def test_a_life_has_no_step_but_the_permitted_ones():
    run_state_machine_as_test(
        machine(build()),
        settings=hypothesis.settings(
            max_examples=effort.examples(16),
            stateful_step_count=40,
            report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink] if effort.FUZZ > 1 else [Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
