"""Who is at the browser, how sure we are of it, and for how long.

allauth does the signing in (docs/decisions/0003-sign-in-through-allauth.md). Each module here owns
one rule that is ours: accounts (nobody signs up), rights (what groups give), throttling (of wrong
passwords), web_sessions (their limits), reauthentication (before tokens and rights are touched),
second_factor, oidc (the company's provider), proxy (a header), external_users (people and roles
from these two), methods (how somebody has signed in), gates (what must be done before a page
opens), signed_out (what somebody gets whose sign-in has ended).
"""
