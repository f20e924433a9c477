"""Every table of the product, one idea a file."""

from routines.models.account import Account
from routines.models.audit import AuditEvent
from routines.models.header_version import Header, HeaderVersion, VersionMove, VersionMoveStep
from routines.models.keepsakes import Pin, SavedView
from routines.models.people import Person
from routines.models.routine import ROUTINE_ID, TOKEN_FIELDS, Routine, Tag, TextTemplate
from routines.models.run import Outcome, Run

__all__ = [
    "ROUTINE_ID",
    "TOKEN_FIELDS",
    "Account",
    "AuditEvent",
    "Header",
    "HeaderVersion",
    "Outcome",
    "Person",
    "Pin",
    "Routine",
    "Run",
    "SavedView",
    "Tag",
    "TextTemplate",
    "VersionMove",
    "VersionMoveStep",
]
