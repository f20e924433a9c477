"""Tags for all templates (a builtin: no {% load %} needed)."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.apps import apps
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from routines.models.columns import max_length
from routines.values import texts

register = template.Library()


@register.filter
def when(moment: datetime) -> SafeString:
    """`14:29` today, `23 Nov 14:29` this year, with the exact time and zone on hover."""
    local = timezone.localtime(moment)
    today = timezone.localtime()
    if local.date() == today.date():
        shown = f"{local:%H:%M}"
    elif local.year == today.year:
        shown = f"{local.day} {local:%b %H:%M}"
    else:
        shown = f"{local.day} {local:%b %Y %H:%M}"
    # Not Django's date format, which takes five times as long: a page has fifty of these.
    exact = f"{local:%A}, {local.day} {local:%B %Y, %H:%M:%S %Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, shown)


@register.simple_tag
def most_characters() -> int:
    """Of a text that is sent."""
    return texts.MAX_CHARACTERS


@register.simple_tag
def column_length(model: str, column: str) -> int:
    """For maxlength: `{% column_length "run" "outcome_note" %}`."""
    return max_length(apps.get_model("routines", model), column)


@register.filter
def first_line(text: str) -> str:
    return texts.first_line(text)


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
def told(value: Any) -> str:
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
