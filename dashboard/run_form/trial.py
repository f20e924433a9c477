from dashboard.run_form.press import PressForm

# What an admin tries a token with: it asks for as little as a session can do.
TEST_TEXT = (
    "This is a test of the connection from the dashboard. Do nothing but answer with one sentence."
)


class TokenTrialForm(PressForm):
    """A routine that wants to be confirmed wants it of a trial, too: that is a real run."""

    reason = "To test the stored token."


class VersionTrialForm(PressForm):
    reason = "To try a header version."
