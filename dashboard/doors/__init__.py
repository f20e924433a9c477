"""What the doors for machines share: the fire-compatible door, the API and the MCP endpoint.

- `authentication`: the API key of a call
- `preferences`: how long a caller wants to wait for the outcome
- `endings`, `outcomes`: what came of a call, and what a program should do now
- `replies`: an answer that is a sentence, in the shape of its door
"""
