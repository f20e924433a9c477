"""Tags, as an admin types them."""

from django.urls import reverse

from routines.registry import tags
from tests.dashboard.browsing import Page


def test_tags_are_typed_with_commas_and_shown_on_the_routines_page(admin_client, routine):
    url = reverse("edit", args=[routine.slug])
    form = Page(admin_client.get(url)).fields()
    assert form["tags"] == ""
    page = Page(admin_client.post(url, form | {"tags": "Release, on call"}, follow=True))
    assert [tag.text for tag in page.find("span", **{"class": "tag"})] == ["on call", "release"]
    assert Page(admin_client.get(url)).fields()["tags"] == "on call, release"


def test_a_tag_that_is_too_long_is_said_at_the_field(admin_client, routine):
    url = reverse("edit", args=[routine.slug])
    form = Page(admin_client.get(url)).fields()
    response = admin_client.post(url, form | {"tags": "x" * 41})
    assert response.status_code == 422
    assert Page(response).says("A tag has at most 40 characters.")
    assert Page(response).fields()["tags"] == "x" * 41
    assert tags.tags_of(routine) == []
