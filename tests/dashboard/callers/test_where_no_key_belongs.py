"""A key of ours in a text, a field, a search or a page: it goes no further."""

import pytest
from django.urls import reverse

from routines.models import Routine, Run
from tests.dashboard.browsing import Page, save
from tests.factories import create_key_and_secret

pytestmark = pytest.mark.django_db


def test_a_text_with_a_key_in_it_is_not_sent_and_not_kept(client, routine, practice):
    _, text = create_key_and_secret(routine)
    fields = Page(client.get(reverse("run", args=[routine.slug]))).fields(
        reverse("fire", args=[routine.slug])
    )
    response = client.post(
        reverse("fire", args=[routine.slug]), fields | {"text": f"Use {text}, please."}
    )
    assert response.status_code == 422
    assert text not in response.content.decode()
    assert Page(response).says("An API key of this dashboard was typed here.")
    assert "Use [API key removed], please." in response.content.decode()
    assert not Run.objects.exists()
    assert not practice.sessions


def test_a_key_in_the_field_of_a_token_is_named(admin_client, routine):
    _, text = create_key_and_secret(routine)
    response = save(admin_client, reverse("token", args=[routine.slug]), token=text)
    assert Page(response).says("An API key of this dashboard stands here")
    assert text not in response.content.decode()


@pytest.mark.parametrize("search", ["/?q=", "/history/?q=", "/audit/?who="])
def test_a_key_in_a_search_is_refused_with_a_sentence(admin_client, routine, search):
    _, text = create_key_and_secret(routine)
    response = admin_client.get(search + text)
    assert response.status_code == 400
    assert Page(response).says("An API key stands in this address")
    assert text not in response.content.decode()
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_a_page_shows_no_key_however_it_came_in(admin_client, routine):
    _, text = create_key_and_secret(routine)
    Routine.objects.filter(pk=routine.pk).update(purpose=f'{{"key": "{text}"}}', name=text[:30])
    page = admin_client.get("/").content.decode()
    assert text not in page
    assert "[API key removed]" in page
