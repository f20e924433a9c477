"""What an agent may do, and the sentences it gets."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routines import registry
from routines.callers import asking
from routines.callers.asking import Wish
from routines.models import Person, Run
from routines.runs.accepting import RunNotRecorded
from routines.text_templates import Field
from routines.values.reasons import Reason, State
from tests.dashboard.mcp.agent import Agent
from tests.factories import create_key_and_secret, create_routine, create_run, create_teammate

pytestmark = pytest.mark.django_db
# Firing commits its run first, so no test's own transaction may lie around it.
committing = pytest.mark.usefixtures("transactional_db")


class TestListing:
    def test_a_routine_comes_with_its_templates_and_what_it_asks(self, agent, teammate):
        routine = create_routine(name="Release notes", asks_why=True)
        fields = [Field("version", label="Which version", help="As in 1.2"), Field("mood", "x")]
        fields[1] = Field("mood", kind="choice", choices=("calm", "loud"), default="calm")
        registry.add_template(
            routine, name="Notes", body="{{ version }} {{ mood }} {{ now }}", fields=fields, by=None
        )
        [listed] = agent.call("list_routines")["routines"]
        assert (listed["slug"], listed["needs_why"], listed["needs_confirmation"]) == (
            *("release-notes", True, False),
        )
        assert (listed["can_be_fired_now"], listed["obstacle"]) == (True, "")
        [template] = listed["templates"]
        assert template == {
            "name": "Notes",
            "fields": [
                {"name": "version", "label": "Which version", "required": True, "kind": "line"}
                | {"help": "As in 1.2"},
                {"name": "mood", "label": "Mood", "required": True, "kind": "choice"}
                | {"default": "calm", "choices": ["calm", "loud"]},
            ],
        }

    def test_only_what_its_person_may_run_is_listed(self, agent, teammate):
        create_routine(name="Closed", open_to_everybody=False)
        create_routine(name="Archived", archived_at=timezone.now())
        create_routine(name="Open")
        listed = agent.call("list_routines")["routines"]
        assert [one["name"] for one in listed] == ["Open"]

    def test_what_cannot_be_fired_now_says_why(self, agent):
        create_routine(name="A", enabled=False)
        create_routine(name="B", held_until=timezone.now() + timedelta(hours=1))
        create_routine(name="C", confirmation="confirm")
        disabled, held, confirmed = agent.call("list_routines")["routines"]
        assert not any(one["can_be_fired_now"] for one in (disabled, held, confirmed))
        assert "disabled" in disabled["obstacle"]
        assert "hold" in held["obstacle"]
        assert "confirm" in confirmed["obstacle"]
        assert confirmed["run_form"].endswith("/routines/c/run/")

    def test_it_searches_and_says_how_many_more_there_are(self, agent, monkeypatch):
        for name in ("Deploy staging", "Deploy live", "Triage"):
            create_routine(name=name)
        found = agent.call("list_routines", search="deploy LIVE")
        assert ([one["name"] for one in found["routines"]], found["has_more"]) == (
            *(["Deploy live"], False),
        )
        monkeypatch.setattr("dashboard.mcp.shapes.MOST_ROUTINES", 2)
        found = agent.call("list_routines")
        assert (len(found["routines"]), found["has_more"]) == (2, True)
        assert agent.call("list_routines", search="a\0b")["routines"] == []

    def test_more_routines_cost_no_more_queries(self, agent, django_assert_num_queries):
        create_routine(template="x {{ y }}", cool_down=30)
        agent.call("list_routines")
        with CaptureQueriesContext(connection) as with_one:
            agent.call("list_routines")
        for _ in range(5):
            create_routine(template="x {{ y }}", cool_down=30)
        with django_assert_num_queries(len(with_one)):
            agent.call("list_routines")


@committing
class TestFiring:
    def test_a_session_comes_back_once_for_its_idempotency_key(self, agent, key, practice):
        routine = create_routine()
        asked = {"routine": routine.slug, "idempotency_key": "one", "text": "An alert."}
        first, second = (agent.call("fire_routine", **asked) for _ in range(2))
        assert first == second
        [session] = practice.sessions
        assert (first["session_url"], first["state"]) == (session.session_url, "started")
        assert session.text == "An alert."
        run = Run.objects.get()
        assert (run.pk, run.api_key, run.person) == (first["run_id"], key[0], key[0].person)
        sentence = agent.refused("fire_routine", **asked | {"text": "Something else."})
        assert "Use a new key for a new intent" in sentence
        assert f"run {run.pk}" in sentence

    def test_it_is_found_by_its_routine_id_too(self, agent, practice):
        routine = create_routine()
        agent.call("fire_routine", routine=routine.routine_id, idempotency_key="one")
        assert len(practice.sessions) == 1

    def test_without_an_idempotency_key_nothing_is_sent(self, agent, practice):
        routine = create_routine()
        assert "idempotency_key" in agent.refused("fire_routine", routine=routine.slug)
        for bad in ("", " ", "x" * 256, "naïve", "a\nb"):
            sentence = agent.refused("fire_routine", routine=routine.slug, idempotency_key=bad)
            assert "Nothing was sent" in sentence
        assert practice.requests == 0

    def test_a_template_makes_the_text(self, agent, practice):
        routine = create_routine(template="Notes for {{ version }} by {{ person }}, {{ now }}.")
        asked = {"routine": routine.slug, "template": "The template", "idempotency_key": "one"}
        values = {"version": "{{ now }} 1.2"}
        given = {**asked, "values": values}
        with_template = agent.call("fire_routine", **given)
        [session] = practice.sessions
        assert session.text.startswith("Notes for {{ now }} 1.2 by the teammate, 2")
        run = Run.objects.get()
        assert run.template_name == "The template"
        assert run.field_values["version"] == values["version"]
        # A minute later, {{ now }} is another.
        Run.objects.update(text="Another text")
        assert agent.call("fire_routine", **given) == with_template
        assert len(practice.sessions) == 1

    def test_what_does_not_fit_the_template_is_said_field_by_field(self, agent, practice):
        routine = create_routine(template="Notes for {{ version }}.")

        def sentence(**asked):
            asked = {"routine": routine.slug, "idempotency_key": "one"} | asked
            return agent.refused("fire_routine", **asked)

        assert "version: Fill in “Version”" in sentence(template="The template")
        odd = sentence(template="The template", values={"version": "1", "colour": "red"})
        assert "colour: “The template” has no field “colour”" in odd
        assert "no template" in sentence(template="Another")
        assert "either a text or a template" in sentence(template="The template", text="x")
        assert "name it" in sentence(values={"version": "1"})
        assert (practice.requests, Run.objects.count()) == (0, 0)

    def test_what_a_person_confirms_is_not_fired(self, agent, practice):
        for how in ("confirm", "type_name"):
            routine = create_routine(confirmation=how, asks_why=True)
            sentence = agent.refused(
                "fire_routine", routine=routine.slug, idempotency_key=how, why="Because."
            )
            assert "a person's confirmation" in sentence
            assert f"/routines/{routine.slug}/run/" in sentence
        assert practice.requests == 0

    def test_why_is_asked_and_kept(self, agent, practice):
        routine = create_routine(asks_why=True)
        asked = {"routine": routine.slug, "idempotency_key": "one"}
        assert "Say why in a sentence" in agent.refused("fire_routine", **asked)
        agent.call("fire_routine", **asked, why="The user asked.")
        assert Run.objects.get().why == "The user asked."

    def test_why_is_no_longer_than_a_run_keeps(self, agent, practice):
        asked = {"routine": create_routine().slug, "idempotency_key": "a", "text": "x"}
        assert "length <= 300" in agent.refused("fire_routine", **asked, why=" " * 301)
        assert practice.requests == 0

    def test_a_routine_of_others_is_no_routine(self, agent, practice):
        closed = create_routine(open_to_everybody=False)
        said = {
            agent.refused("fire_routine", routine=reference, idempotency_key="one")
            for reference in (closed.slug, closed.routine_id, "nowhere", "", "a\0b")
        }
        assert len(said) == 1
        assert practice.requests == 0

    def test_a_text_that_cannot_be_sent_is_refused(self, agent, practice):
        routine = create_routine()
        for text in ("x" * 65_537, "a\0b"):
            sentence = agent.refused(
                "fire_routine", routine=routine.slug, idempotency_key="one", text=text
            )
            assert "Nothing was sent" in sentence
        assert (practice.requests, Run.objects.count()) == (0, 0)

    @pytest.mark.parametrize(
        ("routine_id", "state", "words"),
        [
            ("trig_practice_500", State.UNKNOWN, ("session may exist", "Do not fire again")),
            ("trig_practice_paused", State.REFUSED, ("paused",)),
            ("trig_practice_401", State.REFUSED, ("token",)),
        ],
    )
    def test_what_came_of_it_is_said_honestly(self, agent, practice, routine_id, state, words):
        routine = create_routine(routine_id=routine_id)
        sentence = agent.refused("fire_routine", routine=routine.slug, idempotency_key="one")
        run = Run.objects.get()
        assert run.state == state
        assert all(word in sentence for word in (*words, f"Run {run.pk}"))

    def test_a_cap_and_a_hold_are_said_and_leave_the_key_free(self, teammate, practice):
        held = create_routine(held_until=timezone.now() + timedelta(hours=1))
        open_one = create_routine()
        _, secret = create_key_and_secret(person=teammate, hourly_cap=1)
        agent = Agent(secret)
        assert "hold" in agent.refused("fire_routine", routine=held.slug, idempotency_key="one")
        agent.call("fire_routine", routine=open_one.slug, idempotency_key="one")
        sentence = agent.refused("fire_routine", routine=open_one.slug, idempotency_key="two")
        assert "1 runs of the last hour" in sentence

    @pytest.mark.parametrize("failure", [RunNotRecorded(maybe=True), OperationalError("inside")])
    def test_who_cannot_know_whether_it_was_recorded_repeats_it(self, agent, monkeypatch, failure):
        routine = create_routine()

        def fails(*_args, **_named):
            raise failure

        monkeypatch.setattr(asking, "ask", fails)
        sentence = agent.refused("fire_routine", routine=routine.slug, idempotency_key="one")
        assert "Repeat the call with the same idempotency_key" in sentence

    def test_a_failure_of_ours_tells_nothing_of_itself(self, agent, monkeypatch, caplog):
        routine = create_routine()

        def fails(*_args, **_named):
            raise ZeroDivisionError("the inside")

        monkeypatch.setattr(asking, "ask", fails)
        sentence = agent.refused("fire_routine", routine=routine.slug, idempotency_key="one")
        assert "the inside" not in sentence
        assert "ZeroDivisionError" in caplog.text


class TestRuns:
    def test_only_runs_of_this_key_are_seen(self, agent, key, teammate):
        mine = create_run(person=teammate, api_key=key[0])
        others = [create_run(person=teammate), create_run(api_key=create_key_and_secret()[0])]
        assert agent.call("get_run", run_id=mine.pk)["run_id"] == mine.pk
        assert [one["run_id"] for one in agent.call("list_runs")["runs"]] == [mine.pk]
        for other in others:
            for tool in ("get_run", "cancel_run"):
                assert "no such run" in agent.refused(tool, run_id=other.pk)

    def test_an_unknown_run_says_that_a_session_may_exist(self, agent, key, teammate):
        run = create_run(person=teammate, api_key=key[0], reason=Reason.NO_ANSWER)
        answer = agent.call("get_run", run_id=run.pk)
        assert (answer["state"], answer["session_url"]) == ("unknown", None)
        assert "a session may exist" in answer["known"]
        assert answer["page"].endswith(f"/history/{run.pk}/")

    def test_the_newest_come_first_and_so_many_as_asked(self, agent, key, teammate):
        runs = [
            create_run(person=teammate, api_key=key[0], ago=timedelta(minutes=age))
            for age in (3, 1, 2)
        ]
        listed = [one["run_id"] for one in agent.call("list_runs", limit=2)["runs"]]
        assert listed == [runs[1].pk, runs[2].pk]

    @committing
    def test_a_waiting_run_is_cancelled_and_a_sent_one_is_not(self, agent, key, practice):
        routine = create_routine()
        waiting = asking.ask(key[0], Wish(routine, "x", "one"), wait=0).run
        cancelled = agent.call("cancel_run", run_id=waiting.pk)
        assert cancelled["state"] == "not_sent"
        assert agent.call("cancel_run", run_id=waiting.pk) == cancelled
        assert Run.objects.get(pk=waiting.pk).settled_by == key[0].person
        sent = agent.call("fire_routine", routine=routine.slug, idempotency_key="two")
        assert "not cancelled" in agent.refused("cancel_run", run_id=sent["run_id"])
        assert len(practice.sessions) == 1


def test_every_tool_says_whether_it_only_reads(agent):
    hints = {
        tool["name"]: (tool["annotations"]["readOnlyHint"], tool["annotations"]["openWorldHint"])
        for tool in agent.rpc("tools/list", {})["result"]["tools"]
    }
    assert hints == {
        "list_routines": (True, False),
        "fire_routine": (False, True),
        "get_run": (True, False),
        "list_runs": (True, False),
        "cancel_run": (False, False),
    }


def test_a_person_who_may_run_nothing_any_more_lists_and_fires_nothing(agent, key, practice):
    routine, person = create_routine(), key[0].person
    assert isinstance(person, Person)
    person.groups.clear()
    assert agent.call("list_routines")["routines"] == []
    sentence = agent.refused("fire_routine", routine=routine.slug, idempotency_key="one")
    assert "no such routine" in sentence
    Person.objects.filter(pk=person.pk).update(is_active=False)
    assert agent.post({}).status_code == 401
    assert create_teammate().is_active
