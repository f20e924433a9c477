"""Every table of the product, one idea a file."""

from routines.models.account import Account
from routines.models.api_key import ApiKey, ApiKeySecret, TurnedAway, WhyNoRun
from routines.models.attempt import Attempt
from routines.models.audit import AuditEvent, AuditHead, Chain
from routines.models.database_identity import DatabaseIdentity
from routines.models.header_versions import Header, HeaderVersion, VersionMove, VersionMoveStep
from routines.models.people import Person
from routines.models.personal import Pin, SavedView
from routines.models.routine import ROUTINE_ID, TOKEN_FIELDS, Routine, Tag, TextTemplate
from routines.models.run import Outcome, Run
from routines.models.run_count import (
    STATES,
    Dimension,
    Grain,
    RecountDay,
    RunChange,
    RunCount,
)
from routines.models.worker import Worker

__all__ = [
    "ROUTINE_ID",
    "STATES",
    "TOKEN_FIELDS",
    "Account",
    "ApiKey",
    "ApiKeySecret",
    "Attempt",
    "AuditEvent",
    "AuditHead",
    "Chain",
    "DatabaseIdentity",
    "Dimension",
    "Grain",
    "Header",
    "HeaderVersion",
    "Outcome",
    "Person",
    "Pin",
    "RecountDay",
    "Routine",
    "Run",
    "RunChange",
    "RunCount",
    "SavedView",
    "Tag",
    "TextTemplate",
    "TurnedAway",
    "VersionMove",
    "VersionMoveStep",
    "WhyNoRun",
    "Worker",
]
