import json
from typing import Any

from django import template

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """For an attribute that a script reads: the policy allows no inline script to hold it."""
    return json.dumps(value)
