"""What each constraint of the tables lets pass and what not: test_constraints.py tries them all."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from routines.models import (
    ApiKey,
    Attempt,
    AuditEvent,
    Chain,
    Dimension,
    Grain,
    HeaderVersion,
    Person,
    Pin,
    RunCount,
    SavedView,
    TextTemplate,
    TurnedAway,
    VersionMove,
    VersionMoveStep,
    WhyNoRun,
)
from routines.values import texts
from routines.values.reasons import OPEN, Reason, State
from tests.factories import create_api_key, create_person, create_routine, create_run

NO_SESSION = {"session_id": "", "session_url": ""}
LATER = timezone.now() + timedelta(minutes=10)
WAITING = {"state": State.ACCEPTED, "settled_at": None, "deadline": LATER}
SENDING = {"state": State.SENDING, "settled_at": None, "claimed_at": LATER, "attempt": 1}


def a_template() -> TextTemplate:
    return create_routine(template="x").text_templates.get()


LONGEST = "🚀" * texts.MAX_CHARACTERS
CHECKS: dict[str, tuple[Callable[[], models.Model], list[dict[str, Any]], list[dict[str, Any]]]] = {
    "routine_id_is_trig": (
        create_routine,
        [{"routine_id": "trig_another"}],
        [{"routine_id": "routine_another"}, {"routine_id": "trigXanother"}, {"routine_id": ""}],
    ),
    "routine_token_is_whole": (
        create_routine,
        [{"token_encrypted": "", "token_last_four": "", "token_set_at": None}],
        [
            {"token_encrypted": ""},
            {"token_set_at": None},
            {"token_encrypted": "", "token_last_four": ""},
            {"token_encrypted": "", "token_set_at": None},
        ],
    ),
    "text_template_body_can_be_sent": (a_template, [{"body": LONGEST}], [{"body": LONGEST + "x"}]),
    "run_names_its_caller": (
        lambda: create_run(person=create_person(), api_key=create_api_key()),
        [{"person": None}, {"api_key": None}],
        [{"person": None, "api_key": None}],
    ),
    "api_key_for_all_is_personal": (
        lambda: create_api_key(person=create_person()),
        [{"all_routines": True}, {"person": None}],
        [{"all_routines": True, "person": None}],
    ),
    "api_key_has_caps": (
        create_api_key,
        [{"hourly_cap": 1, "daily_cap": 1}],
        [{"hourly_cap": 0}, {"daily_cap": 0}],
    ),
    "run_state_is_known": (
        create_run,
        [{"state": state} for state in State if state not in OPEN],
        [{"state": "lost"}, {"state": ""}],
    ),
    "run_settled_unless_open": (
        create_run,
        [SENDING, WAITING],
        [{"state": State.SENDING}, {"settled_at": None}, WAITING | {"settled_at": LATER}],
    ),
    "run_sending_was_claimed": (
        create_run,
        [{"claimed_at": None, "attempt": 0}, SENDING],
        [SENDING | {"claimed_at": None}, SENDING | {"attempt": 0}],
    ),
    "run_accepted_has_deadline": (create_run, [WAITING], [WAITING | {"deadline": None}]),
    "run_started_names_its_session": (
        create_run,
        [
            {"session_id": ""},
            {"session_url": "", "session_id": "x"},
            {"state": "unknown"} | NO_SESSION,
        ],
        [NO_SESSION],
    ),
    "run_text_can_be_sent": (create_run, [{"text": LONGEST}], [{"text": LONGEST + "x"}]),
}


UNIQUE: dict[
    str, tuple[type[models.Model], Callable[[], dict[str, Any]], Callable[[], list[Any]]]
] = {
    "text_template_name_once_per_routine": (
        TextTemplate,
        lambda: {"routine": create_routine(), "name": "Alert"},
        lambda: [{"name": "alert"}, {"routine": create_routine()}, {"owner": create_person()}],
    ),
    "attempt_once": (
        Attempt,
        lambda: {"run": create_run(), "number": 1, "ended_at": LATER, "reason": Reason.PAUSED},
        lambda: [{"number": 2}, {"run": create_run()}],
    ),
    "text_template_name_once_per_owner": (
        TextTemplate,
        lambda: {"routine": create_routine(), "owner": create_person(), "name": "Alert"},
        lambda: [{"name": "alert"}, {"routine": create_routine()}, {"owner": create_person()}],
    ),
    "header_version_once": (
        HeaderVersion,
        lambda: {"header": "anthropic-beta", "value": "a-2026-08-01", "dated": date(2026, 8, 1)},
        lambda: [{"value": "b-2026-08-01"}, {"header": "anthropic-version"}],
    ),
    "version_move_step_once": (
        VersionMoveStep,
        lambda: {"move": VersionMove.objects.create(), "routine": create_routine()},
        lambda: [{"move": VersionMove.objects.create()}, {"routine": create_routine()}],
    ),
    "pin_once": (
        Pin,
        lambda: {"person": create_person(), "routine": create_routine()},
        lambda: [{"person": create_person()}, {"routine": create_routine()}],
    ),
    "saved_view_name_once": (
        SavedView,
        lambda: {"person": create_person(), "name": "Mine"},
        lambda: [{"person": create_person()}, {"name": "mine"}],
    ),
    "run_count_once": (
        RunCount,
        lambda: {"dimension": Dimension.ROUTINE, "grain": Grain.DAY, "slot": 48, "key": "1"},
        lambda: [
            {"dimension": Dimension.PERSON},
            {"grain": Grain.BLOCK},
            {"slot": 96},
            {"key": "2"},
            {"deleted": True},
        ],
    ),
    "username_whatever_case": (
        Person,
        lambda: {"username": "Ada"},  # other spellings: tests/routines/people/test_usernames.py
        lambda: [{"username": "Grace"}],
    ),
    "audit_place_in_chain": (
        AuditEvent,
        lambda: {"action": AuditEvent.Action.EXPORTED, "chain": Chain.CHANGES, "number": 1_000},
        lambda: [{"number": 1_001}, {"chain": Chain.SIGN_INS}, {"number": None}],
    ),
    "api_key_name_once": (
        ApiKey,
        lambda: {"name": "Deploys"},
        lambda: [{"name": "deploys"}, {"person": create_person()}, {"revoked_at": LATER}],
    ),
    "api_key_name_once_per_person": (
        ApiKey,
        lambda: {"name": "Laptop", "person": create_person()},
        lambda: [{"name": "laptop"}, {"person": create_person()}, {"revoked_at": LATER}],
    ),
    "turned_away_once": (
        TurnedAway,
        lambda: {
            "api_key": create_api_key(),
            "day": date(2026, 11, 28),
            "why": WhyNoRun.ON_HOLD,
            "last_at": LATER,
        },
        lambda: [
            {"api_key": create_api_key()},
            {"day": date(2026, 11, 27)},
            {"why": WhyNoRun.COOL_DOWN},
        ],
    ),
}
