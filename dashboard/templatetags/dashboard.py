"""Tags for all templates (a builtin: no {% load %} needed)."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.apps import apps
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from dashboard.forms import made_from as forms_made_from
from routines.callers import scope
from routines.models import Routine, columns
from routines.values import texts

register = template.Library()


# A page has fifty times and more, so neither strftime nor Django's date format makes them: the two
# take five and twenty times as long.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@register.filter
def when(moment: datetime) -> SafeString:
    """`14:29` today, `23 Nov 14:29` this year, with the exact time and zone on hover."""
    zone = timezone.get_current_timezone()
    local, now = moment.astimezone(zone), datetime.now(zone)
    month = _MONTHS[local.month - 1]
    minute = f"{local.hour:02}:{local.minute:02}"
    if local.date() == now.date():
        shown = minute
    elif local.year == now.year:
        shown = f"{local.day} {month[:3]} {minute}"
    else:
        shown = f"{local.day} {month[:3]} {local.year} {minute}"
    exact = (
        f"{_WEEKDAYS[local.weekday()]}, {local.day} {month} {local.year}, "
        f"{minute}:{local.second:02} {local.tzname()}"
    )
    # Digits and the names of days, months and zones: nothing is there to be escaped.
    return SafeString(f'<time datetime="{moment.isoformat()}" title="{exact}">{shown}</time>')


@register.filter
def to_the_second(moment: datetime) -> SafeString:
    """`14:05:10` today, `23 Nov 14:05:10` else."""
    zone = timezone.get_current_timezone()
    local = moment.astimezone(zone)
    day = "" if local.date() == datetime.now(zone).date() else f"{local.day} {local:%b} "
    return SafeString(f'<time datetime="{moment.isoformat()}">{day}{local:%H:%M:%S}</time>')


@register.filter
def after(wait: timedelta) -> str:
    """`at once`, `after 85 ms`, `after 12 s`, `after 3 minutes`, `after 14 hours`"""
    passed = wait.total_seconds()
    if passed < 0.001:  # or the clocks of two hosts differ
        return "at once"
    if passed < 100:
        return f"after {seconds(round(passed * 1000))}"
    number, unit = (passed / 60, "minutes") if passed < 7200 else (passed / 3600, "hours")
    return f"after {number:.0f} {unit}"


@register.filter
def first_line(text: str) -> str:
    return texts.first_line(text)


@register.simple_tag
def text_limit() -> int:
    """Characters that a text may have."""
    return texts.MAX_CHARACTERS


@register.simple_tag
def max_length(model: str, name: str) -> int:
    """Characters that fit into a column: `{% max_length "Run" "outcome_note" %}`."""
    return columns.max_length(apps.get_model("routines", model), name)


@register.simple_tag
def made_from(kind: str, shown: Any) -> SafeString:
    """Stand beside a button that changes `shown`: what its page knows of it (SNAPSHOTS)."""
    snapshot = forms_made_from.SNAPSHOTS[kind](shown)
    return format_html(
        '<input type="hidden" name="{}" value="{}" autocomplete="off">',
        forms_made_from.FIELD,
        forms_made_from.written(snapshot),
    )


@register.filter
def rules_for_people(routine: Routine) -> list[str]:
    """What an API key of an admin is not asked, of this routine."""
    return scope.rules_for_people(routine)


@register.filter
def seconds(milliseconds: int) -> str:
    """`85 ms`, `0.9 s`, `12 s`"""
    if milliseconds < 100:
        return f"{milliseconds} ms"
    value = milliseconds / 1000
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


@register.filter
def ago(moment: datetime) -> str:
    """`40 seconds`, `3 minutes`: how long since `moment`, which is recent."""
    passed = max(int((timezone.now() - moment).total_seconds()), 1)
    number, unit = (passed, "second") if passed < 120 else (passed // 60, "minute")
    return f"{number} {unit}{'' if number == 1 else 's'}"


@register.filter
def age(moment: datetime) -> str:
    """`new today`, `1 day old`, `120 days old`"""
    days = (timezone.now() - moment).days
    if days < 1:
        return "new today"
    return f"{days} day{'' if days == 1 else 's'} old"


@register.filter
def host(url: str) -> str:
    """`github.com`: where a link leads, short enough for a line."""
    return urlsplit(url).hostname or url


@register.filter
def seconds_left(moment: datetime) -> int:
    """Whole seconds until just after `moment`; an hour at the most, so that a card looks again."""
    left = int((moment - timezone.now()).total_seconds()) + 2
    return min(max(left, 1), 3600)


@register.filter
def field_name(name: str) -> str:
    """`asks_why` as people read it."""
    return name.replace("_", " ")


@register.filter
def in_words(value: Any) -> str:
    """One side of a change in the audit trail, in few words."""
    if value is None or value == []:
        return "none"
    return Truncator(_in_words(value) or "empty").chars(120)


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        between = "; " if any(isinstance(one, dict) for one in value) else ", "
        return between.join(map(_in_words, value))
    if isinstance(value, dict):  # a field of a template
        return ", ".join(f"{field_name(name)}: {_in_words(one)}" for name, one in value.items())
    return str(value)
