"""The sentences of the API's document as HTML: paragraphs, and `names` in backticks as code."""

import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_CODE = re.compile(r"`([^`\n]+)`")


@register.filter
def paragraphs(text: str) -> SafeString:
    found = filter(None, text.strip().split("\n\n"))
    return format_html_join("", "<p>{}</p>", ((code(one),) for one in found))


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
