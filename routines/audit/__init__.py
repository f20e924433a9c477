"""The audit trail: writing an event beside each change (`trace`), and reading them (trail.py)."""

from routines.audit.latest import exports_since, latest_change
from routines.audit.writing import differences, done_by, from_address, trace

__all__ = ["differences", "done_by", "exports_since", "from_address", "latest_change", "trace"]
