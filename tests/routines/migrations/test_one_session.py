"""An installed database may hold a session on several runs: the migration keeps all of them."""

from typing import Any

from routines.models import HeaderVersion, Run
from routines.values.reasons import Reason, State
from tests.factories import create_run
from tests.routines.migrations.moving import migrate

BEFORE = [("routines", "0014_token_names")]


def test_a_session_on_several_runs_stays_with_one_and_no_run_loses_its_address(newest: Any):
    address = "https://claude.ai/code/session_01Same"
    guessed = create_run(reason=Reason.SAID_STARTED, session_id="session_01A", session_url=address)
    answered = create_run(session_id="session_01B", session_url=address)
    nameless = create_run(session_id="session_01C", session_url="")
    odd, odder = create_run(session_id="x1", session_url=""), create_run(session_id="x2")
    alone = create_run()

    old = migrate(BEFORE).get_model("routines", "Run").objects
    old.filter(pk__in=[guessed.pk, answered.pk]).update(session_id="session_01Same")
    old.filter(pk=nameless.pk).update(session_id="cse_01Same")
    old.filter(pk__in=[odd.pk, odder.pk]).update(session_id="x", session_url="")

    migrate(newest)
    assert Run.objects.count() == 6
    kept = {run.pk: (run.session_id, run.session_url) for run in Run.objects.all()}
    assert kept[answered.pk] == ("session_01Same", address)
    assert kept[guessed.pk] == ("", address)
    assert kept[nameless.pk] == ("", "https://claude.ai/code/cse_01Same")
    assert {kept[odd.pk], kept[odder.pk]} == {("x", ""), ("", "x")}
    assert kept[alone.pk] == (alone.session_id, alone.session_url)


def test_on_the_way_back_a_reason_of_today_becomes_one_that_was_known(newest: Any):
    run = create_run(reason=Reason.SESSION_TAKEN)
    old = migrate(BEFORE).get_model("routines", "Run").objects.get(pk=run.pk)
    assert (old.state, old.reason) == (State.UNKNOWN, Reason.UNEXPECTED_ANSWER)


def test_versions_that_runs_were_started_with_are_accepted_and_no_others(newest: Any):
    create_run(beta_version="experimental-cc-routine-2026-04-01")
    create_run(reason=Reason.HEADER_VERSION, beta_version="experimental-cc-routine-2026-08-01")
    old = migrate(BEFORE)
    versions = old.get_model("routines", "HeaderVersion").objects
    versions.all().delete()
    for header, value in (
        ("anthropic-beta", "experimental-cc-routine-2026-04-01"),
        ("anthropic-beta", "experimental-cc-routine-2026-08-01"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-version", "2025-01-01"),
    ):
        versions.create(header=header, value=value, dated="2026-04-01")
    migrate(newest)
    accepted = HeaderVersion.objects.exclude(accepted_at=None).values_list("value", flat=True)
    assert set(accepted) == {"experimental-cc-routine-2026-04-01", "2023-06-01"}
