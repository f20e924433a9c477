"""One form, however many POSTs of it at once or later: one request, one run."""

import threading
from pathlib import Path

import httpx

from routines.practice_api import PracticeServer
from tests.server.endpoint import listening
from tests.server.product import Database, runs_in, serving, wait_until
from tests.server.seed import SLUG

AT_ONCE = 50


def test_fifty_presses_of_one_form_at_once_send_one_request(database: Database, tmp_path: Path):
    answers: list[httpx.Response | Exception] = []
    together = threading.Barrier(AT_ONCE)
    with PracticeServer() as endpoint, serving(database, endpoint.url, tmp_path) as product:
        endpoint.api.delay = 0.3
        visitor = product.visitor()
        fields = visitor.form(SLUG)

        def press() -> None:
            together.wait(60)
            try:
                answers.append(visitor.press(SLUG, fields))
            except httpx.HTTPError as error:
                answers.append(error)

        threads = [threading.Thread(target=press) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        replayed = visitor.press(SLUG, fields)
        requests, [session] = endpoint.api.requests, endpoint.api.sessions

    assert requests == 1
    assert len(answers) == AT_ONCE
    assert [one for one in answers if not isinstance(one, httpx.Response)] == []
    shown = [runs_in(one) for one in [*answers, replayed] if isinstance(one, httpx.Response)]
    [run] = database.rows("SELECT id, session_url FROM routines_run")
    assert shown == [{run[0]}] * (AT_ONCE + 1)
    assert run[1] == session.session_url
    assert session.session_url in replayed.text


def test_a_hanging_endpoint_leaves_the_pages_their_threads(database: Database, tmp_path: Path):
    settings = {"WEB_WORKERS": "1", "WEB_THREADS": "6"}
    with (
        listening() as (endpoint, url),
        serving(database, url, tmp_path, **settings) as product,
    ):
        visitor = product.visitor()
        forms = [visitor.form(SLUG) for _ in range(10)]
        answers: list[httpx.Response] = []

        def press(form: dict[str, str]) -> None:
            answers.append(visitor.press(SLUG, form))

        presses = [threading.Thread(target=press, args=(form,)) for form in forms]
        with endpoint.holding():
            for thread in presses:
                thread.start()
            # While three presses hang, the other seven are accepted at once, and pages are drawn.
            wait_until(lambda: len(answers) == 7)
            for page in ("/", "/history/"):
                assert visitor.client.get(page).status_code == 200
            told = list(answers)
            states = database.states()
        for thread in presses:
            thread.join(30)

    assert all("Nothing has been sent yet." in a.text for a in told)
    assert sorted(states) == [("accepted", "accepted")] * 7 + [("sending", "sending")] * 3
    assert endpoint.requests == 3
    assert all("Session created" in a.text for a in answers[7:])
