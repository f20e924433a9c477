from django.http import HttpResponse


class ShownOnce(HttpResponse):
    """The one answer in which a new secret stands. No cache keeps it, and no address leads to it.

    It answers the POST that has made the secret: kept for a redirect, it would have to be stored.
    """

    def __init__(self, page: str, *, secret: str) -> None:
        super().__init__(page)
        self.secret = secret
        self.headers["Cache-Control"] = "no-store"
