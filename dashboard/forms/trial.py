from typing import Any

from dashboard.forms.run import RunForm

# What an admin tries a token with: it asks for as little as a session can do.
TEST_TEXT = (
    "This is a test of the connection from the dashboard. Do nothing but answer with one sentence."
)


class TrialForm(RunForm):
    """The text of a trial run with its one-time key, and nothing that only the board asks.

    A routine that wants to be confirmed wants it of a trial, too: that is a real run.
    """

    reason = "To test the stored token."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - {"key", "text", "confirmation", "aware_of"}:
            del self.fields[name]
