"""The fire-compatible door: the endpoint's own request, at our address with our API key.

- `fire`: the view
- `bodies`: what it reads of a call
"""
