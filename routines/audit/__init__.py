"""The audit trail: writing an event beside each change (`trace`), and reading them (trail.py)."""

from routines.audit.writing import asked_from, differences, done_by, trace

__all__ = ["asked_from", "differences", "done_by", "trace"]
