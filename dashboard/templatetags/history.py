"""A row of the history: {% load history %}.

A tag and not a template: fifty rows of some twenty variables each were half of the page's time.
"""

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboard.templatetags.dashboard import first_line, host, when
from dashboard.templatetags.runs import outcome, reason, session, state
from routines.models import Run
from routines.values.reasons import Reason

register = template.Library()

_LONGEST_ID = 20  # characters of a session's ID that fit into the column

_ROW = """<tr>
<td class="num"><a href="{}">{}</a></td>
<td class="short">{}</td>
<td class="short mute">{}</td>
<td><div class="one mute">{}</div></td>
<td>{} {}{}{}</td>
<td>{}</td>
</tr>"""
_REASON = '<div class="small mute">{}</div>'
_LINK = (
    '<div class="small"><a href="{}" target="_blank" rel="noopener noreferrer nofollow">{} '
    '<span aria-hidden="true">↗</span><span class="hidden"> (opens in a new tab)</span></a></div>'
)


@register.simple_tag
def run_row(run: Run) -> SafeString:
    """`run` has `beginning`, the first characters of its text."""
    says_why = run.reason != Reason.SESSION_CREATED and not run.is_sending
    return format_html(
        _ROW,
        reverse("history_run", args=[run.pk]),
        when(run.created_at),
        run.routine.name,
        run.person,
        first_line(run.beginning) or "(no text)",  # type: ignore[attr-defined]
        state(run),
        outcome(run),
        format_html(_REASON, reason(run)) if says_why else "",
        format_html(_LINK, run.outcome_link, host(run.outcome_link)) if run.outcome_link else "",
        session(run, _shortened(run.session_id)),
    )


def _shortened(session_id: str) -> str:
    too_long = len(session_id) > _LONGEST_ID
    return f"{session_id[: _LONGEST_ID - 1]}…" if too_long else session_id
