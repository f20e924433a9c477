"""What machines call: the fire-compatible door, and the answers that all doors share.

- `authentication`: the API key of a call
- `refusals`: one refusal in the shape of each door
- `endings`, `outcomes`: what came of a call, and what a program should do
- `bodies`, `preferences`: what the fire-compatible door reads of a call
- `fire`: the endpoint's own request, at our address with our key
"""
