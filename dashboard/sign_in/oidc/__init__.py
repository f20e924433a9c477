"""Signing in at the company's identity provider: OpenID Connect, authorization code with PKCE.

allauth keeps the state, makes the PKCE pair, drives the flow and the sign-in. Ours, since allauth
skips them for a token that it fetched itself: the nonce, and the signature of the ID token
(id_token.py); that the discovery document is the issuer's own (wire.py); and who a subject is to
us (adapter.py).
"""
