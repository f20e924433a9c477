from allauth.account.forms import LoginForm

from dashboard.forms.tokens import NoTokenInClear


class SignInForm(NoTokenInClear, LoginForm):  # type: ignore[misc]  # allauth has no types
    """A token that was pasted in place of the username is not drawn back."""
