"""What machines call: the fire-compatible door, and the answers that all doors share.

- `authentication`: the API key of a call
- `refusals`: one refusal in the shape of each door
- `fire`: the endpoint's own request, at our address with our key
"""
