"""What the API's document tells, on its page: paragraphs, and `names` in the type of code."""

import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_CODE = re.compile(r"`([^`\n]+)`")


@register.filter
def told(text: str) -> SafeString:
    paragraphs = filter(None, text.strip().split("\n\n"))
    return format_html_join("", "<p>{}</p>", ((code(one),) for one in paragraphs))


@register.filter
def code(text: str) -> SafeString:
    parts = _CODE.split(" ".join(text.split()))  # every second one stood in backticks
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<code>{}</code>", part) if number % 2 else part,)
            for number, part in enumerate(parts)
        ),
    )
