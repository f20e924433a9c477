"""Every address of the product, and what is typed into its forms."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from routines.models import Routine
from tests.dashboard.browsing import Element

TYPED = {
    "textarea",
    "text",
    "search",
    "url",
    "email",
    "password",
    "number",
    "date",
    "datetime-local",
}


def kind(field: Element) -> str:
    return field.tag if field.tag != "input" else field.attributes.get("type", "text")


def patterns(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every page of the product, also those that nobody has thought of here."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}", pattern
        else:
            yield from patterns(
                pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space
            )


def addresses(routine: Routine, known: dict[str, int]) -> list[str]:
    """`known`: the number that stands for a name in an address; else the run's."""
    return [
        reverse(
            name,
            kwargs={
                key: routine.slug if key in ("slug", "reference") else known.get(key, known["pk"])
                for key in pattern.pattern.converters
            },
        )
        for name, pattern in patterns(get_resolver())
        if name != "account_logout"
    ]
