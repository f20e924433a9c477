"""How the insight page writes its numbers."""

from django import template

from dashboard.charts.insight import share

register = template.Library()


@register.filter
def percent(value: float | None) -> str:
    return "–" if value is None else share(round(value * 1_000_000), 1_000_000)
