"""The rows of the history: {% load history %}.

A tag and not a template: fifty rows of some twenty variables each were half of the page's time.
"""

from collections.abc import Collection

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from dashboard.templatetags.dashboard import first_line, host, when
from dashboard.templatetags.runs import outcome, reason, session, state
from routines.history.pages import Line
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
def run_rows(lines: Collection[Line]) -> SafeString:
    any_run = reverse("history_run", args=[0])  # once: it takes as long as the rest of a row
    rows = ((any_run.replace("/0/", f"/{line.pk}/"), *_cells(line)) for line in lines)
    return format_html_join("", _ROW, rows)


def _cells(line: Line) -> tuple[object, ...]:
    says_why = line.reason != Reason.SESSION_CREATED and not line.is_sending
    return (
        when(line.created_at),
        line.routine,
        line.caller,
        first_line(line.beginning) or "(no text)",
        state(line),
        outcome(line),
        format_html(_REASON, reason(line)) if says_why else "",
        format_html(_LINK, line.outcome_link, host(line.outcome_link)) if line.outcome_link else "",
        session(line, _shortened(line.session_id)),
    )


def _shortened(session_id: str) -> str:
    too_long = len(session_id) > _LONGEST_ID
    return f"{session_id[: _LONGEST_ID - 1]}…" if too_long else session_id
