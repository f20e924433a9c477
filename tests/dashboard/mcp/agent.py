import json
from typing import Any

from django.test import Client


class Agent:
    """Calls tools as a client of the older revisions does: nothing but the message itself."""

    def __init__(self, key: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {key}"})

    def post(self, body: Any, **headers: str) -> Any:
        sent = body if isinstance(body, bytes) else json.dumps(body)
        return self._client.post("/mcp", sent, content_type="application/json", headers=headers)

    def send(self, method: str, path: str = "/mcp") -> Any:
        return self._client.generic(method, path)

    def rpc(self, method: str, params: dict[str, Any]) -> Any:
        answer = self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        assert answer.status_code == 200, answer.content
        return answer.json()

    def call(self, tool: str, **arguments: Any) -> Any:
        """What the tool gives."""
        result = self.rpc("tools/call", {"name": tool, "arguments": arguments})["result"]
        assert not result["isError"], result
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result["structuredContent"]

    def refused(self, tool: str, **arguments: Any) -> str:
        """The sentence with which the tool refuses."""
        result = self.rpc("tools/call", {"name": tool, "arguments": arguments})["result"]
        assert result["isError"], result
        return str(result["content"][0]["text"])
