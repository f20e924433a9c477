"""How a run's state, outcome and session are shown, everywhere (a builtin: no {% load %} needed).

Tags and not templates: a page of the history has fifty rows, and an include takes five times as
long as this.
"""

from django import template
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator, capfirst

from dashboard import waiting
from dashboard.templatetags.dashboard import when
from routines.history.pages import Line
from routines.models import Outcome, Run
from routines.values.reasons import Reason, State

register = template.Library()

# Made here, once: get_..._display makes such a dictionary anew each time.
_REASONS: dict[str, str] = dict(Reason.choices)
_STATES: dict[str, SafeString] = {
    state: format_html('<span class="state {}">{}</span>', state, label)
    for state, label in State.choices
}
_OUTCOMES: dict[str, SafeString] = {
    outcome: format_html('<span class="state outcome {}">{}</span>', outcome, capfirst(label))
    for outcome, label in Outcome.choices
}

_LINK = (
    '<a href="{}" target="_blank" rel="noopener noreferrer">{} <span aria-hidden="true">↗</span>'
    '<span class="hidden"> (opens in a new tab)</span></a>'
)
_ODD = '<span class="odd" title="Not a link to claude.ai, so it is only shown as text">{} {}</span>'
_TRIAL = (
    '<span>{} <span class="state trial" title="A real run by an admin, to try a token or a '
    'version">test</span></span>'
)
_NEVER_RUN = '<span class="last" id="last-{}">Never run yet</span>'
_LAST_RUN = '<span class="last" id="last-{}">Last run {} by {} {} {}</span>'


@register.simple_tag
def state(run: Run | Line) -> SafeString:
    shown = _STATES[run.state]
    return format_html(_TRIAL, shown) if run.is_trial else shown


@register.simple_tag(takes_context=True)
def what_it_waits_for(context: Context, run: Run) -> waiting.Shown | None:
    """None unless it waits; a view that has looked already gives it as `waits`."""
    return context.get("waits") or waiting.shown(run, context["request"].user)


@register.simple_tag
def poll_mark(run: Run, shown: waiting.Shown | None = None) -> str:
    return waiting.mark(run, shown or None)


@register.simple_tag
def last_run(slug: str, run: Run | None) -> SafeString:
    """The line of a card, which news of colleagues' runs replaces."""
    if run is None:
        return format_html(_NEVER_RUN, slug)
    return format_html(_LAST_RUN, slug, when(run.created_at), run.caller, state(run), outcome(run))


@register.simple_tag
def outcome(run: Run | Line) -> SafeString | str:
    return _OUTCOMES.get(run.outcome, "")


@register.filter
def reason(run: Run | Line) -> str:
    return _REASONS.get(run.reason, run.reason)


@register.simple_tag
def session(run: Run | Line, label: str = "") -> SafeString:
    """The link, called `label`; what is no link to claude.ai is shown as text, with a warning."""
    if link := run.session_link:
        return format_html(_LINK, link, label or "Open session")
    if run.session_url or run.session_id:
        return format_html(_ODD, run.session_id, Truncator(run.session_url).chars(120))
    return mark_safe('<span class="mute">none</span>')
