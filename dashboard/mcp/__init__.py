"""The MCP endpoint: agents list, fire and follow routines, as the person whose key they carry.

- `tools`: what an agent may do, and its sentences
- `shapes`: what goes in and out, as the agent's schemas say it
- `endpoint`: the view, and what may come in
"""
