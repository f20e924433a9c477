"""Stored tokens: replacing and removing them (rotation.py), and how they fare (health.py).

The token as a value, and how it is encrypted, is in values/tokens.py.
"""
