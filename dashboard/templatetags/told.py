"""What the API's document tells, on its page: paragraphs, and `names` in the type of code."""

import re

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_CODE = re.compile(r"`([^`\n]+)`")


@register.filter
def told(text: str) -> SafeString:
    paragraphs = (_with_code(paragraph) for paragraph in text.strip().split("\n\n"))
    return mark_safe("".join(f"<p>{paragraph}</p>" for paragraph in paragraphs if paragraph))


@register.filter
def code(text: str) -> SafeString:
    return mark_safe(_with_code(text))


def _with_code(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", conditional_escape(" ".join(text.split())))
