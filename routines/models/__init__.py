"""Every table of the product, one idea a file."""

from routines.models.account import Account
from routines.models.audit import AuditEvent
from routines.models.header_versions import Header, HeaderVersion, VersionMove, VersionMoveStep
from routines.models.people import Person
from routines.models.personal import Pin, SavedView
from routines.models.routine import ROUTINE_ID, TOKEN_FIELDS, Routine, Tag, TextTemplate
from routines.models.run import Outcome, Run
from routines.models.summary import (
    STATES,
    SUMMARIES,
    AccountSummary,
    DurationSummary,
    Period,
    PersonSummary,
    ReasonSummary,
    RoutineSummary,
    RunChange,
    Summary,
    TimeSummary,
)

__all__ = [
    "ROUTINE_ID",
    "STATES",
    "SUMMARIES",
    "TOKEN_FIELDS",
    "Account",
    "AccountSummary",
    "AuditEvent",
    "DurationSummary",
    "Header",
    "HeaderVersion",
    "Outcome",
    "Period",
    "Person",
    "PersonSummary",
    "Pin",
    "ReasonSummary",
    "Routine",
    "RoutineSummary",
    "Run",
    "RunChange",
    "SavedView",
    "Summary",
    "Tag",
    "TextTemplate",
    "TimeSummary",
    "VersionMove",
    "VersionMoveStep",
]
