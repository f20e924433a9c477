"""Where a program begins."""

from dashboard.api import links
from dashboard.api.operations import Answer, operation
from dashboard.api.schemas import Index, Key
from dashboard.doors.authentication import DoorRequest


@operation("GET", {200: Index})
def show_index(request: DoorRequest) -> Answer:
    """Show where everything is, and what this key may do."""
    api_key = request.api_key
    key = Key(
        name=api_key.name,
        is_personal=api_key.is_personal,
        needs_idempotency_key=api_key.sends_idempotency_key,
        expires_at=api_key.expires_at,
        hourly_cap=api_key.hourly_cap,
        daily_cap=api_key.daily_cap,
    )
    return Answer(
        Index(
            key=key,
            routines=links.address("api_routines"),
            runs=links.address("api_runs"),
            document=links.address("api_document"),
            docs=links.address("api_docs"),
        )
    )
