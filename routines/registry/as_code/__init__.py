"""Routines, their templates and settings as one YAML file, to be reviewed and moved.

Tokens never stand in it. What the file means is written in docs/routines-as-code.md.
"""

from routines.registry.as_code.applying import Change, apply
from routines.registry.as_code.document import MOST_BYTES, Document, DocumentRefused, Problem, read
from routines.registry.as_code.writing import ExportRefused, write

__all__ = [
    "MOST_BYTES",
    "Change",
    "Document",
    "DocumentRefused",
    "ExportRefused",
    "Problem",
    "apply",
    "read",
    "write",
]
