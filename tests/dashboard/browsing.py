"""What a browser makes of a page, and what it sends: without one, for tests of the views."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.forms import made_from
from routines.models import Person, Routine
from tests.factories import PASSWORD

HTMX = {"HX-Request": "true"}
page_and_fragment = pytest.mark.parametrize("htmx", [False, True], ids=["page", "htmx"])
_VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source"}


class Element:
    def __init__(self, tag: str, attributes: dict[str, str], inside: list["Element"]) -> None:
        self.tag, self.attributes, self.inside = tag, attributes, inside
        self.text = ""


class Page(HTMLParser):
    """All elements of a page or a fragment, in order."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(response if isinstance(response, str) else response.content.decode())
        self.close()
        for element in self.elements:
            if element.tag not in ("pre", "textarea"):  # elsewhere a browser draws one space
                element.text = " ".join(element.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        element = Element(tag, attributes, list(self._open))
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def find(self, tag: str, **attributes: str | None) -> list[Element]:
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(element.attributes.get(name) == value for name, value in attributes.items())
        ]

    def link(self, href: str) -> Element:
        (link,) = self.find("a", href=href)
        return link

    def says(self, sentence: str) -> bool:
        whole = " ".join(element.text for element in self.elements if not element.inside)
        return sentence in " ".join(whole.split())

    def fields(self, action: str | None = None) -> dict[str, str]:
        """What pressing the button of the POST form with this action (None: no action) sends."""
        forms = [form for form in self.find("form", action=action) if _is_post(form)]
        (form,) = forms
        fields = {}
        for element in self.elements:
            if form in element.inside and "name" in element.attributes and _is_sent(element):
                fields[element.attributes["name"]] = self.value(element)
        return fields

    def chosen(self, name: str) -> list[str]:
        """The values of the ticked checkboxes of this name."""
        return [box.attributes["value"] for box in self.find("input", name=name) if _is_sent(box)]

    def value(self, element: Element) -> str:
        if element.tag != "select":
            return _value(element)
        options = [option for option in self.find("option") if element in option.inside]
        selected = [option for option in options if "selected" in option.attributes]
        return (selected or options)[0].attributes["value"]


def _is_post(form: Element) -> bool:
    return form.attributes["method"] == "post"


def _is_sent(element: Element) -> bool:
    is_choice = element.attributes.get("type") in ("checkbox", "radio")
    return not is_choice or "checked" in element.attributes


def _value(element: Element) -> str:
    if element.tag == "textarea":
        text = element.text.removeprefix("\n")  # as browsers do, at both ends
        return text.replace("\r\n", "\n").replace("\n", "\r\n")
    usual = "on" if element.attributes.get("type") == "checkbox" else ""
    return element.attributes.get("value", usual)


def signed_in(person: Person, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(person)
    return client


def confirm(client: Client) -> None:
    """That it is still this person, as is asked for before tokens are touched."""
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def save(client: Client, url: str, **typed: Any) -> Any:
    """Open the page of a form, type, and press its button."""
    page = Page(client.get(url))
    own = [
        form for form in page.find("form", method="post") if form.attributes.get("action") == url
    ]
    return client.post(url, page.fields(url if own else None) | typed)


def seen(kind: str, shown: Any) -> dict[str, str]:
    """What a button sends of `shown`, on a page that was opened just now."""
    snapshot = made_from.SNAPSHOTS[kind](shown)
    return {made_from.FIELD: made_from.written(snapshot)}


def press_button(client: Client, page: str, action: str, **options: Any) -> Any:
    """Open a page, and press the button of the form with this action."""
    return client.post(action, Page(client.get(page)).fields(action), **options)


def run_url(routine: Routine) -> str:
    return reverse("run", args=[routine.slug])


def fire_url(routine: Routine) -> str:
    return reverse("fire", args=[routine.slug])


def run_form(client: Client, routine: Routine) -> dict[str, str]:
    """The fields of a freshly opened run form."""
    return Page(client.get(run_url(routine))).fields(fire_url(routine))


def post_run(
    client: Client, routine: Routine, fields: dict[str, str], *, htmx: bool = False, **typed: str
) -> Any:
    """Press Run now in the form that has these fields, with what was typed over them."""
    return client.post(fire_url(routine), fields | typed, headers=HTMX if htmx else {})


def shown_after(client: Client, response: Any) -> Page:
    """What the person sees after a press: the fragment, or the page that they are sent on to."""
    if response.status_code == 302:
        response = client.get(response.headers["Location"])
    return Page(response)


def press(client: Client, routine: Routine, *, htmx: bool = False, **typed: str) -> Any:
    """Open the run form and press Run now."""
    return post_run(client, routine, run_form(client, routine), htmx=htmx, **typed)
