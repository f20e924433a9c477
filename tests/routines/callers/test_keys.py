"""API keys are made, changed, replaced and revoked; each leaves a trace, and none its secret."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers

from routines import people
from routines.callers import (
    authenticating,
    keys,
    likely_retries,
    networks,
    overview,
    scope,
    turned_away,
)
from routines.models import ApiKey, AuditEvent, Person, Routine, TurnedAway, WhyNoRun
from routines.people import groups
from routines.registry import tags
from routines.runs import caps
from routines.values.reasons import Reason, State
from routines.values.snapshots import ChangedMeanwhile
from tests.factories import (
    create_admin,
    create_key_and_secret,
    create_routine,
    create_run,
    create_teammate,
)

Action = AuditEvent.Action
pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Person:
    return create_admin(username="the admin")


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def works(text: str) -> bool:
    try:
        authenticating.authenticate(text, address="192.0.2.1")
    except (authenticating.UnknownKey, authenticating.KeyRefused):
        return False
    return True


# --- Making ---


def test_nothing_that_is_stored_shows_the_secret(admin):
    _, text = create_key_and_secret(create_routine())
    everything = serializers.serialize(
        "json", [*ApiKey.objects.all(), *AuditEvent.objects.all()]
    ) + json.dumps(list(ApiKey.objects.get().secrets.values()), default=str)
    assert text not in everything
    assert text[4:20] not in everything
    assert text[-4:] in everything


def test_making_one_is_traced_with_what_it_was_given(admin):
    routine = create_routine(name="Release notes")
    keys.make(keys.Terms("Pipeline", routines=[routine], hourly_cap=5), by=admin)
    event = AuditEvent.objects.get(action=Action.API_KEY_ADDED)
    assert (event.person, event.subject) == (admin, "Pipeline")
    assert event.changes["routines"] == [None, ["release-notes"]]
    assert event.changes["runs an hour"] == [None, 5]
    assert "networks" not in event.changes


def test_two_live_keys_do_not_share_a_name_but_a_revoked_one_gives_it_free(admin):
    api_key, _ = create_key_and_secret(name="Pipeline")
    with pytest.raises(keys.NameTaken):
        keys.make(keys.Terms("pipeline"), by=admin)
    keys.revoke(api_key, by=admin)
    keys.make(keys.Terms("pipeline"), by=admin)


def test_nobody_makes_or_changes_a_key_that_acts_as_somebody_else(admin):
    teammate = create_teammate()
    theirs, _ = create_key_and_secret(person=teammate)
    secret = theirs.secrets.get()
    with pytest.raises(keys.NotTheirs):
        keys.make(keys.Terms("x", all_routines=True), person=teammate, by=admin)
    for forbidden in (
        lambda: keys.edit(theirs, keys.Terms("x"), by=admin),
        lambda: keys.replace_secret(theirs, by=admin),
        lambda: keys.end_secret(theirs, secret, by=admin),
    ):
        with pytest.raises(keys.NotTheirs):
            forbidden()
    assert theirs.secrets.count() == 1
    keys.revoke(theirs, by=admin)


# --- Changing ---


def test_an_edit_is_traced_with_before_and_after_and_one_of_nothing_is_not(admin):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine, name="Pipeline")
    terms = keys.Terms("Pipeline", routines=[routine], sends_idempotency_key=False)
    keys.edit(api_key, terms, by=admin)
    assert Action.API_KEY_EDITED not in actions()
    keys.edit(api_key, keys.Terms("Pipeline", routines=[routine], daily_cap=7), by=admin)
    event = AuditEvent.objects.get(action=Action.API_KEY_EDITED)
    assert event.changes == {
        "runs a day": [200, 7],
        "sends an Idempotency-Key": [False, True],
    }


def test_a_revoked_key_changes_no_more(admin):
    api_key, _ = create_key_and_secret(create_routine())
    keys.revoke(api_key, by=admin)
    for late in (
        lambda: keys.edit(api_key, keys.Terms("x"), by=admin),
        lambda: keys.replace_secret(api_key, by=admin),
        lambda: keys.end_secret(api_key, api_key.secrets.get(), by=admin),
        lambda: keys.revoke(api_key, by=admin),
    ):
        with pytest.raises(keys.Refused, match="revoked already"):
            late()


# --- Replacing a secret ---


def test_two_secrets_work_until_the_old_one_is_ended(admin):
    api_key, old = create_key_and_secret(create_routine())
    new = keys.replace_secret(api_key, by=admin).reveal()
    assert works(old)
    assert works(new)
    keys.end_secret(api_key, api_key.secrets.earliest("pk"), by=admin)
    assert not works(old)
    assert works(new)
    assert actions()[-2:] == [Action.API_KEY_SECRET_ADDED, Action.API_KEY_SECRET_ENDED]


def test_there_is_no_third_secret_and_the_last_one_stays(admin):
    api_key, _ = create_key_and_secret(create_routine())
    with pytest.raises(keys.Refused, match="only secret"):
        keys.end_secret(api_key, api_key.secrets.get(), by=admin)
    keys.replace_secret(api_key, by=admin)
    with pytest.raises(keys.Refused, match="two secrets already"):
        keys.replace_secret(api_key, by=admin)


def test_who_did_not_see_the_second_secret_makes_none(admin):
    api_key, _ = create_key_and_secret(create_routine())
    seen = keys.snapshot(api_key)
    keys.replace_secret(api_key, by=admin)
    keys.end_secret(api_key, api_key.secrets.earliest("pk"), by=admin)
    with pytest.raises(ChangedMeanwhile):
        keys.replace_secret(api_key, by=admin, seen=seen)
    assert api_key.secrets.filter(ended_at=None).count() == 1


# --- Revoking, and leaving ---


def test_revoking_acts_at_once_and_leaves_waiting_runs_alone_unless_asked_to(admin):
    kept, cancelled = (create_key_and_secret(create_routine()) for _ in range(2))
    runs = [create_run(api_key=key, reason=Reason.ACCEPTED) for key, _ in (kept, cancelled)]
    assert keys.revoke(kept[0], by=admin) == 0
    assert keys.revoke(cancelled[0], by=admin, cancels_waiting=True) == 1
    for run in runs:
        run.refresh_from_db()
    assert [run.state for run in runs] == [State.ACCEPTED, State.NOT_SENT]
    assert not works(kept[1])
    assert not works(cancelled[1])


def test_who_leaves_takes_their_keys_along_and_coming_back_brings_none(admin):
    teammate = create_teammate()
    _, text = create_key_and_secret(person=teammate)
    create_key_and_secret(person=teammate)
    _, of_another = create_key_and_secret(person=create_teammate())
    assert people.deactivate(teammate, by=admin) == 2
    assert actions()[-2:] == [Action.API_KEY_REVOKED] * 2
    assert set(teammate.api_keys.values_list("revoked_by", flat=True)) == {admin.pk}
    people.reactivate(teammate, by=admin)
    assert not works(text)
    assert works(of_another)


def test_a_refused_deactivation_revokes_nothing():
    last_admin = create_admin()
    api_key, text = create_key_and_secret(create_routine(), person=last_admin)
    with pytest.raises(people.Refused):
        people.deactivate(last_admin, by=None)
    api_key.refresh_from_db()
    assert not api_key.is_revoked
    assert works(text)


def test_who_was_deactivated_makes_no_more_keys():
    teammate = create_teammate()
    Person.objects.filter(pk=teammate.pk).update(is_active=False)
    with pytest.raises(keys.Refused, match="deactivated"):
        keys.make(keys.Terms("late", all_routines=True), person=teammate, by=teammate)


# --- What a key may fire, in words ---


def test_a_tag_gives_what_is_plain_and_the_page_names_what_it_leaves_out():
    plain, asking, limited = (create_routine(name=name) for name in ("Plain", "Asking", "Limited"))
    for routine in (plain, asking, limited):
        tags.write_tags(routine, ["release"])
    Routine.objects.filter(pk=asking.pk).update(confirmation=Routine.Confirmation.CONFIRM)
    limited.open_to.add(groups.add("Crew", members=[], by=create_admin()))
    api_key, _ = create_key_and_secret(tags=[plain.tags.get()])
    assert scope.of(api_key) == scope.Scope([plain], [asking, limited])
    api_key.routines.set([asking, limited])
    found = scope.of(api_key)
    assert found.routines == [asking, limited, plain]
    assert [scope.rules_for_people(one) for one in found.guarded] == [
        ["asks people to confirm"],
        ["open to Crew only"],
    ]


def test_a_personal_key_is_offered_what_its_person_may_run():
    routine, limited = create_routine(), create_routine()
    limited.open_to.add(groups.add("Crew", members=[], by=create_admin()))
    assert list(scope.choices(create_teammate())) == [routine]
    assert set(scope.choices(None)) == {routine, limited}


# --- How it is used ---


def test_the_list_says_when_and_from_where_and_which_old_secret_still_works(admin):
    api_key, text = create_key_and_secret(create_routine())
    revoked, _ = create_key_and_secret(create_routine(), name="A, revoked")
    keys.revoke(revoked, by=admin)
    keys.replace_secret(api_key, by=admin)
    authenticating.authenticate(text, address="192.0.2.9")
    create_run(api_key=api_key)
    create_run(api_key=api_key, ago=timedelta(hours=2))
    create_run(api_key=api_key, ago=timedelta(days=2))
    first, last = overview.every()
    assert (first.api_key, last.api_key) == (api_key, revoked)
    assert first.last_used is not None
    assert first.last_used.last_used_from == "192.0.2.9"
    assert first.old_secret == api_key.secrets.earliest("pk")
    assert first.used == caps.Used(hour=1, day=2)


def test_what_looks_like_a_retry_is_counted():
    api_key, _ = create_key_and_secret(create_routine())

    def called(minutes: float, intent: str = "a", **values: Any) -> None:
        create_run(api_key=api_key, intent=intent, ago=timedelta(minutes=minutes), **values)

    called(60)
    called(55)  # a retry
    called(54, reason=Reason.LIMIT_REACHED)  # another, which started nothing
    called(30)  # too late for one
    called(29, intent="b")
    called(28, idempotency_key="one")  # cannot be one
    called(60 * 24 * 40)
    called(60 * 24 * 40 + 1)  # too old to be counted
    assert likely_retries.of(api_key) == likely_retries.Retries(calls=5, repeated=2, sessions=1)


def test_looking_for_retries_is_bounded(monkeypatch):
    monkeypatch.setattr(likely_retries, "MOST", 2)
    api_key, _ = create_key_and_secret(create_routine())
    for _ in range(3):
        create_run(api_key=api_key, intent="a")
    found = likely_retries.of(api_key)
    assert (found.calls, found.is_cut) == (2, True)


def test_calls_that_were_turned_away_are_told_with_what_to_do():
    api_key, _ = create_key_and_secret(create_routine())
    for why, times in ((WhyNoRun.NETWORK, 1), (WhyNoRun.HOURLY_CAP, 3)):
        for _ in range(times):
            turned_away.note(api_key, why)
    TurnedAway.objects.create(
        api_key=api_key,
        day=TurnedAway.objects.latest("day").day - timedelta(days=7),
        why=WhyNoRun.EXPIRED,
        calls=9,
        last_at="2026-01-01T00:00Z",
    )
    found = turned_away.recent(api_key)
    assert [(one.why, one.calls) for one in found] == [
        (WhyNoRun.HOURLY_CAP, 3),
        (WhyNoRun.NETWORK, 1),
    ]


@pytest.mark.parametrize("why", WhyNoRun)
def test_there_is_advice_for_every_refusal(why):
    advice = turned_away.Reasoned(why, 1, None).advice  # type: ignore[arg-type]
    assert advice.endswith(".")


def test_counts_are_forgotten_after_thirty_days():
    api_key, _ = create_key_and_secret(create_routine())
    turned_away.note(api_key, WhyNoRun.NETWORK)
    today = TurnedAway.objects.get().day
    for days in (30, 31):
        TurnedAway.objects.create(
            api_key=api_key,
            day=today - timedelta(days=days),
            why=WhyNoRun.NETWORK,
            calls=1,
            last_at="2026-01-01T00:00Z",
        )
    assert turned_away.forget() == 1


# --- Networks ---


def test_networks_are_read_as_people_write_them():
    typed = "192.0.2.7, 198.51.100.9/24\n2001:db8::/32  192.0.2.7"
    assert networks.read(typed) == ["192.0.2.7/32", "198.51.100.0/24", "2001:db8::/32"]
    assert networks.read("::ffff:192.0.2.0/120") == ["192.0.2.0/24"]
    with pytest.raises(networks.BadNetworks, match="no address or network"):
        networks.read("the office")


def test_one_call_more_that_was_turned_away_is_one_statement(django_assert_num_queries):
    """So nobody who is stopped in between keeps the others waiting for that row."""
    api_key, _ = create_key_and_secret(create_routine())
    turned_away.note(api_key, WhyNoRun.NOT_OPEN)
    with django_assert_num_queries(1):
        turned_away.note(api_key, WhyNoRun.NOT_OPEN)
    assert TurnedAway.objects.get().calls == 2
