"""Addresses of the API's pages and things: whole, so that a client need not join or build them."""

from typing import Any
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.urls import reverse


def address(name: str, *arguments: Any) -> str:
    return f"{settings.DASHBOARD_URL}{reverse(name, args=arguments)}"


def next_page(name: str, query: msgspec.Struct, cursor: str | None) -> str | None:
    """The address that goes on behind `cursor`, asking for the same otherwise."""
    if cursor is None:
        return None
    asked = msgspec.to_builtins(query)
    usual = msgspec.to_builtins(type(query)())
    kept = {key: value for key, value in asked.items() if value != usual.get(key)}
    return f"{address(name)}?{urlencode(kept | {'cursor': cursor})}"
