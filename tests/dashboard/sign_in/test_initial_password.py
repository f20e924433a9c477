"""A password that was made for somebody opens one page: the one to choose their own."""

import pytest

from routines import people
from tests.dashboard.browsing import HTMX, Page, signed_in
from tests.factories import create_teammate

pytestmark = pytest.mark.django_db
CHANGE = "/password/"


@pytest.fixture
def newcomer(admin):
    person = create_teammate(username="newcomer")
    people.give_password(person, "made-for-you", by=admin)
    return person


@pytest.mark.parametrize("address", ["/", "/history/", "/sign-in/"])
def test_every_page_leads_to_the_password_page(newcomer, address):
    response = signed_in(newcomer).get(address)
    assert (response.status_code, response["Location"]) == (302, CHANGE)


def test_a_press_fires_nothing(newcomer, routine):
    response = signed_in(newcomer).post(f"/routines/{routine.slug}/fire/", {"text": "x"})
    assert (response.status_code, response["Location"]) == (302, CHANGE)
    assert not routine.runs.exists()


def test_an_htmx_call_sends_the_whole_page_there(newcomer):
    assert signed_in(newcomer).get("/", headers=HTMX)["HX-Redirect"] == CHANGE


def test_they_choose_their_own_and_are_in(newcomer):
    client = signed_in(newcomer)
    page = Page(client.get(CHANGE))
    assert page.says("was made for you")
    typed = {"password1": "a sentence of my own", "password2": "a sentence of my own"}
    response = client.post(CHANGE, {"oldpassword": "made-for-you"} | typed)
    assert response.status_code == 302
    assert client.get("/").status_code == 200
    assert not Page(client.get(CHANGE)).says("was made for you")


def test_they_may_sign_out_instead(newcomer):
    client = signed_in(newcomer)
    client.post("/sign-out/")
    assert client.get("/history/")["Location"].startswith("/sign-in/")
