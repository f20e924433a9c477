"""A page that plays claude.ai's trigger window: a routine's URL, its token, and a curl command."""

from html import escape
from urllib.parse import urlencode

from routines.practice_api.rules import SPECIAL_ROUTINES, PracticeApi
from routines.registry import header_versions


def draw(api: PracticeApi, base_url: str, routine_id: str) -> str:
    listed = "".join(
        f"<li><a href='/?{urlencode({'routine_id': name})}'><code>{name}</code></a> {escape(does)}"
        for name, does in SPECIAL_ROUTINES.items()
    )
    window = _window(api, base_url, routine_id) if routine_id.startswith("trig_") else ""
    return f"""<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>Practice API</title>
<style>{_STYLE}</style><main>
<h1>Practice API</h1>
<p>This plays the trigger window of claude.ai. Nothing here reaches claude.ai, and no session it
names exists.</p>
<form><label for="id">Routine ID</label>
<p class="row"><input id="id" name="routine_id" required pattern="trig_[A-Za-z0-9_\\-]+"
value="{escape(routine_id or "trig_practice_sixth")}"><button>Show its trigger</button></p></form>
{window}
<h2>Routines that answer otherwise</h2><p>Any other ID that starts with trig_ makes a session.</p>
<ul>{listed}</ul></main></html>"""


def _window(api: PracticeApi, base_url: str, routine_id: str) -> str:
    token = api.token_for(routine_id)
    url = f"{base_url}/v1/claude_code/routines/{routine_id}/fire"
    command = f"""curl -X POST {url} \\
  -H "Authorization: Bearer {token}" \\
  -H "anthropic-beta: {header_versions.BETA_VERSION}" \\
  -H "anthropic-version: {header_versions.API_VERSION}" \\
  -H "Content-Type: application/json" \\
  -d '{{"text": "Alert SEN-4521 fired in production."}}'"""
    shown = "revoked: no token fires this routine" if api.is_revoked(routine_id) else token
    hidden = f'<input type="hidden" name="routine_id" value="{escape(routine_id)}">'
    return f"""<section><h2>API trigger of {escape(routine_id)}</h2>
<dl><dt>URL<dd><code>{escape(url)}</code><dt>Token<dd><code>{escape(shown)}</code></dl>
<pre>{escape(command)}</pre>
<p class="row"><form method="post" action="/practice/regenerate">{hidden}
<button>Regenerate</button></form>
<form method="post" action="/practice/revoke">{hidden}<button>Revoke</button></form></section>"""


_STYLE = """
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
main{max-width:820px;margin:0 auto;padding:24px}h1{font-size:22px}h2{font-size:16px}
section{border:1px solid #8886;border-radius:10px;padding:4px 18px 14px;margin:20px 0}
section form{display:inline}.row{display:flex;gap:8px}
input{flex:1;font:inherit;padding:7px 10px}button{font:inherit;padding:7px 14px}
code,pre{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{white-space:pre-wrap;background:#8882;padding:12px;border-radius:8px}
dt{font-size:12px;font-weight:600;margin-top:8px}dd{margin:0}li{margin:4px 0}
"""
