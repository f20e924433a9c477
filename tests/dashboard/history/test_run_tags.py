"""A run's state, outcome and session, as every page shows them."""

import pytest

from dashboard.templatetags import runs as tags
from routines.models import Outcome
from routines.values.reasons import Reason
from tests.factories import create_run

pytestmark = pytest.mark.django_db


def test_a_state_and_that_it_was_a_trial():
    assert tags.state(create_run()) == '<span class="state started">Session created</span>'
    trial = tags.state(create_run(reason=Reason.PAUSED, is_trial=True))
    assert '<span class="state refused">Refused</span>' in trial
    assert ">test</span>" in trial


def test_an_outcome_or_nothing():
    assert tags.outcome(create_run()) == ""
    said = tags.outcome(create_run(outcome=Outcome.NOT_USEFUL))
    assert said == '<span class="state outcome not_useful">Not useful</span>'


def test_a_session_is_a_link_that_tells_claude_ai_nothing_of_here():
    run = create_run()
    link = tags.session(run)
    assert f'href="{run.session_url}" target="_blank" rel="noopener noreferrer"' in link
    assert ">Open session <" in link
    assert ">s…1 <" in tags.session(run, "s…1")


def test_what_is_no_link_to_claude_ai_is_text_that_cannot_break_out():
    odd = tags.session(create_run(session_id='"><b>', session_url="javascript:<i>"))
    assert "<a" not in odd
    assert "&quot;&gt;&lt;b&gt; javascript:&lt;i&gt;" in odd


def test_a_run_without_a_session_says_so():
    assert tags.session(create_run(reason=Reason.PAUSED)) == '<span class="mute">none</span>'
