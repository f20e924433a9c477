from playwright.sync_api import ConsoleMessage

# What htmx says itself of a call that brought no answer; the page says it to people.
HTMX_GOT_NO_ANSWER = ("htmx:sendError", "htmx:afterRequest")


class Console:
    """Collects errors and warnings: each exception, each violation of the security policy."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._expected: list[str] = []

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)

    def expect(self, *beginnings: str) -> None:
        """Lines that begin so belong to the story. They must come."""
        self._expected += beginnings

    def expect_answer(self, status: int) -> None:
        """Chromium's own line for an answer of 400 or more."""
        self.expect(f"Failed to load resource: the server responded with a status of {status}")

    def check(self) -> None:
        unexpected = [line for line in self.said if not line.startswith(tuple(self._expected))]
        assert not unexpected, unexpected
        missing = [
            beginning
            for beginning in self._expected
            if not any(line.startswith(beginning) for line in self.said)
        ]
        assert not missing, missing
