"""Who is at the browser, how sure we are of it, and for how long.

allauth does the signing in. Each module here owns one rule that is ours: accounts (nobody signs
up), rights (what groups give), guesses (throttling), web_sessions (limits), fresh (confirming that
it is you), second_factor, oidc (the company's provider), proxy (a header), provided (people and
roles from these two), means (by what somebody has signed in).
"""
