"""What a paste from claude.ai's trigger window is understood as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routines.registry.paste import pasted
from routines.registry.paste.pasted import Pasted, PasteRefused
from routines.values import tokens

HOST = "https://api.example.com"
ID = "trig_01Real9TpQ2nXc"
URL = f"{HOST}/v1/claude_code/routines/{ID}/fire"
PLAIN = "sk-ant-oat01-AbC_dEf-0123456789ghIJklMNop"
TOKEN = tokens.Token(PLAIN)
BETA = "experimental-cc-routine-2026-04-01"
API = "2023-06-01"
ALL = Pasted(ID, TOKEN, BETA, API)


def read(text: str) -> Pasted:
    return pasted.read(text, api_base_url=HOST)


def refusal(text: str) -> str:
    """The sentence that refuses it; empty if something was understood."""
    try:
        read(text)
    except PasteRefused as refused:
        return str(refused)
    return ""


COMMANDS = {
    "as claude.ai shows it": f"""curl -X POST {URL} \\
  -H "Authorization: Bearer {PLAIN}" \\
  -H "anthropic-beta: {BETA}" \\
  -H "anthropic-version: {API}" \\
  -H "Content-Type: application/json" \\
  -d '{{"text": "Alert fired."}}'
""",
    "Windows line ends": f'curl -X POST {URL} \\\r\n -H "Authorization: Bearer {PLAIN}" \\\r\n'
    f' -H "anthropic-beta: {BETA}" \\\r\n -H "anthropic-version: {API}"\r\n',
    "spaces behind the backslashes": f"curl {URL} \\  \n -H 'Authorization: Bearer {PLAIN}' \\ \n"
    f" -H 'anthropic-beta: {BETA}' \\\n -H 'anthropic-version: {API}'",
    "line breaks without backslashes": f"curl {URL}\n-H 'Authorization: Bearer {PLAIN}'\n"
    f"-H 'anthropic-beta: {BETA}'\n-H 'anthropic-version: {API}'",
    "carets of cmd": f'curl.exe -X POST ^"{URL}^" ^\n  -H ^"Authorization: Bearer {PLAIN}^" ^\n'
    f'  -H ^"anthropic-beta: {BETA}^" ^\n  -H ^"anthropic-version: {API}^" ^\n'
    '  -d ^"^{^\\^"text^\\^": ^\\^"x^\\^"^}^"',
    "backticks of PowerShell": f'curl.exe {URL} `\n -H "Authorization: Bearer {PLAIN}" `\n'
    f' -H "anthropic-beta: {BETA}" `\n -H "anthropic-version: {API}"',
    "any order, --header and --url": f"curl --header 'anthropic-version: {API}' --data-raw '{{}}' "
    f"--header 'Authorization: Bearer {PLAIN}' --request POST --header 'anthropic-beta: {BETA}' "
    f"--url {URL}",
    "equals signs": f"curl '--header=Authorization: Bearer {PLAIN}' --url={URL} "
    f"'--header=anthropic-beta: {BETA}' '--header=anthropic-version:{API}' --data={{}}",
    "glued short options": f"curl -sSXPOST -H'Authorization:Bearer {PLAIN}' -d{{}} {URL} "
    f"-H'anthropic-beta:{BETA}' -sH 'anthropic-version: {API}'",
    "$'..' quotes": f"curl {URL} -H $'Authorization: Bearer {PLAIN}' "
    f"-H $'anthropic-beta: {BETA}' -H $'anthropic-version: {API}' -d $'it\\'s'",
    "names in any case": f"CURL {URL} -H 'AUTHORIZATION: bearer {PLAIN}' "
    f"-H 'Anthropic-Beta: {BETA}' -H 'ANTHROPIC-VERSION: {API}'",
    "a prompt, a pipe": f"$ curl -s {URL} -H 'authorization: Bearer {PLAIN}' "
    f"-H 'anthropic-beta: {BETA}' -H 'anthropic-version: {API}' | jq .",
    "words before it": f"Here is the command:\n\ncurl {URL} -H 'Authorization: Bearer {PLAIN}' "
    f"-H 'anthropic-beta: {BETA}' -H 'anthropic-version: {API}'",
    "--oauth2-bearer": f"curl {URL} --oauth2-bearer {PLAIN} -H 'anthropic-beta: {BETA}' "
    f"-H 'anthropic-version: {API}'",
    "another address in the text": f"curl {URL} -H 'Authorization: Bearer {PLAIN}' "
    f"-H 'anthropic-beta: {BETA}' -H 'anthropic-version: {API}' "
    """-d '{"text": "see https://example.org/v1/claude_code/routines/trig_other/fire"}'""",
    "a token placeholder, and the token below": f"curl {URL} -H 'Authorization: Bearer "
    f"sk-ant-oat01-xxxxx' -H 'anthropic-beta: {BETA}' -H 'anthropic-version: {API}'\n\n{PLAIN}\n",
    "a variable, and the token below": f'curl {URL} -H "Authorization: Bearer $TOKEN" '
    f"-H 'anthropic-beta: {BETA}' -H 'anthropic-version: {API}'\n\n{PLAIN}\n",
    "header options alone": f"POST {URL}\n-H 'Authorization: Bearer {PLAIN}'\n"
    f"-H 'anthropic-beta: {BETA}'\n-H 'anthropic-version: {API}'",
    "plain header lines": f"POST {URL}\nAuthorization: Bearer {PLAIN}\nanthropic-beta: {BETA}\n"
    f"Anthropic-Version: {API}\nContent-Type: application/json\n",
    "headers as JSON": f'fetch("{URL}", {{"headers": {{\n"Authorization": "Bearer {PLAIN}",\n'
    f'"anthropic-beta": "{BETA}",\n"anthropic-version": "{API}"}}\n}})',
}

# From the field: as word processors, chats and other programs hand it on.
HOST_AND_PATH = URL.removeprefix("https://")
BEARER, BETA_LINE, API_LINE = (
    f"Authorization: Bearer {PLAIN}",
    f"anthropic-beta: {BETA}",
    f"anthropic-version: {API}",
)
COMMANDS |= {
    "curly quotes": f"curl -X POST {URL} \\\n  -H “{BEARER}” \\\n  -H “{BETA_LINE}” \\\n"
    f"  -H “{API_LINE}” \\\n  -H \"Content-Type: application/json\" \\\n  -d '{{}}'",
    "single curly quotes": f"curl {URL} -H ‘{BEARER}’ -H ‘{BETA_LINE}’ -H ‘{API_LINE}’",
    "low quotes": f"curl {URL} -H „{BEARER}“ -H „{BETA_LINE}“ -H „{API_LINE}“",
    "dashes for hyphens": f"curl {URL} –H “{BEARER}” –H “anthropic–beta: {BETA}” –H “{API_LINE}”",
    "guillemets": f"curl {URL} -H «{BEARER}» -H «{BETA_LINE}» -H «{API_LINE}»",
    "no https://": f"curl -X POST {HOST_AND_PATH} \\\n  -H '{BEARER}' -H '{BETA_LINE}' "
    f"-H '{API_LINE}'",
    "the default port": f"curl {URL.replace(HOST, HOST + ':443')} -H '{BEARER}' "
    f"-H '{BETA_LINE}' -H '{API_LINE}'",
    "a hash table on one line": f"Invoke-RestMethod -Method Post -Uri '{URL}' -Headers @{{ "
    f"Authorization = 'Bearer {PLAIN}'; 'anthropic-beta' = '{BETA}'; 'anthropic-version' = "
    f"'{API}' }} -ContentType 'application/json' -Body '{{\"text\":\"x\"}}'",
    "a hash table on several lines": f'$headers = @{{\n  "Authorization" = "Bearer {PLAIN}"\n  '
    f'"anthropic-beta" = "{BETA}"\n  "anthropic-version" = "{API}"\n}}\nirm -Uri {URL}',
    "an indexed hash table": f'$h["Authorization"] = "Bearer {PLAIN}"; $h["anthropic-beta"] = '
    f'"{BETA}"; $h.Add("anthropic-version", "{API}"); irm {URL} -Headers $h',
    "Python requests": f"requests.post('{URL}', headers={{'Authorization': 'Bearer {PLAIN}', "
    f"'anthropic-beta': '{BETA}', 'anthropic-version': '{API}'}}, json={{'text': 'x'}})",
    "JavaScript fetch": f'fetch(`{URL}`, {{method: "POST", headers: {{Authorization: `Bearer '
    f'{PLAIN}`, "anthropic-beta": "{BETA}", "anthropic-version": "{API}"}}}})',
    "JSON": f'{{"url": "{URL}", "headers": {{"Authorization": "Bearer {PLAIN}", "anthropic-beta": '
    f'"{BETA}", "anthropic-version": "{API}"}}}}',
    "JSON in a string": f'"{{\\"url\\": \\"{URL}\\", \\"Authorization\\": \\"Bearer {PLAIN}\\", '
    f'\\"anthropic-beta\\": \\"{BETA}\\", \\"anthropic-version\\": \\"{API}\\"}}"',
    "JSON with escaped slashes": f'{{"url": "{URL}", "Authorization": "Bearer {PLAIN}", '
    f'"anthropic-beta": "{BETA}", "anthropic-version": "{API}"}}'.replace("/", "\\/"),
    "a Postman collection": f'{{"key": "Authorization", "value": "Bearer {PLAIN}"}},\n'
    f'{{"key": "anthropic-beta",\n   "value": "{BETA}", "type": "text"}},\n'
    f'{{"key": "anthropic-version",\n   "value": "{API}"}}], "url": {{"raw": "{URL}"}}',
    "Postman's bulk edit": f"{URL}\nAuthorization:Bearer {PLAIN}\nanthropic-beta:{BETA}\n"
    f"anthropic-version:{API}",
    "a table": f"URL\t{URL}\nAuthorization\tBearer {PLAIN}\nanthropic-beta\t{BETA}\n"
    f"anthropic-version\t{API}\n",
    "a table, a cell a line": f"{URL}\nAuthorization\nBearer {PLAIN}\nanthropic-beta\n{BETA}\n"
    f"anthropic-version\n{API}\n",
    "HTTPie": f"http POST {URL} Authorization:'Bearer {PLAIN}' anthropic-beta:{BETA} "
    f"anthropic-version:{API} text='see trig_other'",
    "HTTPie's own bearer": f"https -A bearer -a {PLAIN} {HOST_AND_PATH} anthropic-beta:{BETA} "
    f"anthropic-version:{API} text=hello",
    "a raw request": f"POST /v1/claude_code/routines/{ID}/fire HTTP/1.1\r\nHost: api.example.com"
    f"\r\n{BEARER}\r\n{BETA_LINE}\r\n{API_LINE}\r\n\r\n",
    "a variable for the host": f"curl $BASE/v1/claude_code/routines/{ID}/fire -H '{BEARER}' "
    f"-H '{BETA_LINE}' -H '{API_LINE}'",
    "a link of a chat": f"curl -X POST <{URL}> \\\n  -H '{BEARER}' -H '{BETA_LINE}' "
    f"-H '{API_LINE}'",
    "a link of a chat and what it shows": f"<{URL}|{HOST_AND_PATH}>\n{BEARER}\n{BETA_LINE}\n"
    f"{API_LINE}",
    "Markdown": f"[{URL}]({URL}) **{PLAIN}** `{BETA_LINE}` `{API_LINE}`",
    "Markdown's escapes": f"{URL} {PLAIN} {BETA_LINE} {API_LINE}".replace("_", "\\_").replace(
        "-", "\\-"
    ),
    "HTML": f"curl {URL} -H &quot;{BEARER}&quot; -H &quot;{BETA_LINE}&quot; "
    f"-H &#39;{API_LINE}&#39;",
    "no quote behind the token": f'curl {URL} -H "{BEARER} -H "{BETA_LINE}" -H "{API_LINE}"',
    "no quote behind anything": f'curl {URL} \\\n -H "{BEARER} \\\n -H "{BETA_LINE} \\\n'
    f' -H "{API_LINE}',
    "no quotes at all": f"curl {URL} -H {BEARER} -H {BETA_LINE} -H {API_LINE} -d x",
    "a quoted mail": f'> curl {URL} \\\n>   -H "{BEARER}" \\\n>   -H "{BETA_LINE}" \\\n'
    f'>   -H "{API_LINE}"',
    "no-break spaces": f"curl\u00a0{URL}\u00a0-H\u00a0'{BEARER}' -H\u00a0'{BETA_LINE}' "
    f"-H\u00a0'{API_LINE}'",
    "an env file": f"URL={URL}\nTOKEN={PLAIN}\nANTHROPIC_BETA={BETA}\nANTHROPIC_VERSION={API}\n",
    "YAML": f"url: {URL}\nheaders:\n- name: anthropic-beta\n  value: {BETA}\n"
    f"- name: anthropic-version\n  value: '{API}'\n- {BEARER}\n",
    "a chat message": f"POST to {HOST_AND_PATH} with {PLAIN} and {BETA_LINE}, {API_LINE}. Bye!",
    "line breaks written out": f"URL: {URL}\\nToken: {PLAIN}\\n{BETA_LINE}\\n{API_LINE}",
    "a message as JSON": f'{{"text": "curl {URL} -H {BEARER} -H {BETA_LINE} -H {API_LINE}"}}',
}


@pytest.mark.parametrize("text", COMMANDS.values(), ids=COMMANDS)
def test_a_whole_command_is_understood(text: str):
    assert read(text) == ALL


WITHOUT_VERSIONS = {
    "URL and token": f"{URL}\n{PLAIN}\n",
    "token and URL": f"{PLAIN} {URL}",
    "ID and token": f"{ID}\n{PLAIN}",
    "the window's labels": f"URL\n{URL}\nCopy\nToken\n{PLAIN}\nCopy\nRegenerate\n",
    "labels with colons": f"Routine ID: {ID}\nToken: {PLAIN}\n",
    "quotes": f'"{ID}", "{PLAIN}",',
    "prose": f"The routine's URL is {URL} and the token is {PLAIN}, don't lose it.",
    "the end of a sentence": f"It is {ID}. Its token is {PLAIN}.",
    "the page at claude.ai": f"https://claude.ai/code/routines/{ID}\n{PLAIN}",
    "zero-width around": f"\ufeff{ID}\u200b\n\u200b{PLAIN}\u2060",
    "a shortened token, and the whole one": f"{URL} {PLAIN[:20]}…\n{PLAIN}",
    "a list": f"1. {ID}\n2. {PLAIN}\n3. Pause it at night\n",
    "the same twice": f"{URL}\n{ID}\n{PLAIN}\n{PLAIN}\n",
}


@pytest.mark.parametrize("text", WITHOUT_VERSIONS.values(), ids=WITHOUT_VERSIONS)
def test_an_id_or_url_with_a_token_is_understood(text: str):
    assert read(text) == Pasted(ID, TOKEN)


@pytest.mark.parametrize(
    ("text", "understood"),
    [(ID, Pasted(routine_id=ID)), (URL, Pasted(routine_id=ID)), (PLAIN, Pasted(token=TOKEN))],
)
def test_a_part_is_understood_and_the_rest_is_missing(text: str, understood: Pasted):
    assert read(text) == understood


# --- Refused whole ---


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "No routine ID and no token were found"),
        ("Good morning.", "No routine ID and no token were found"),
        ("x" * (pasted.LONGEST + 1), "far too long (200,001 characters)"),
        (COMMANDS["as claude.ai shows it"].replace(HOST, "https://example.org"), "another host"),
        (f"https://example.org/v1/claude_code/routines/{ID}/fire {PLAIN}", "another host"),
        (f"curl https://example.org/ -H 'Authorization: Bearer {PLAIN}'", "another host"),
        (f"curl --url https://example.org/ --oauth2-bearer {PLAIN}", "another host"),
        (f"https://api.example.com.evil.example/v1/claude_code/routines/{ID}/fire", "another host"),
        (f"https://api.example.com@evil.example/v1/claude_code/routines/{ID}/fire", "another host"),
    ],
)
def test_what_leads_elsewhere_or_says_nothing_is_refused(text: str, sentence: str):
    assert sentence in refusal(text)
    assert PLAIN not in refusal(text)


def test_a_token_as_the_name_in_a_url_is_neither_taken_nor_repeated():
    understood = read(f"https://{PLAIN}@api.example.com/v1/claude_code/routines/{ID}/fire")
    assert (understood.routine_id, understood.token) == (None, None)
    assert "A token stands inside the URL" in understood.problems[0]
    assert PLAIN[13:-4] not in repr(understood)


def test_the_documented_host_counts_only_where_it_is_the_configured_one():
    documented = URL.replace(HOST, "https://api.anthropic.com")
    assert pasted.read(documented, api_base_url="https://api.anthropic.com").routine_id == ID
    with pytest.raises(PasteRefused, match=r"only ever sent to 127\.0\.0\.1:8001"):
        pasted.read(documented, api_base_url="http://127.0.0.1:8001")


# --- Problems ---

HALVES = PLAIN[:25], PLAIN[25:]
PROBLEMS = {
    "placeholder token": (f"{ID} sk-ant-oat01-xxxxx", "placeholder", "token"),
    "dotted placeholder token": (f"{ID} sk-ant-oat01-...", "placeholder", "token"),
    "named placeholder token": (f"{ID} sk-ant-oat01-your-token", "placeholder", "token"),
    "placeholder ID": (f"trig_01ABCDEF... {PLAIN}", "placeholder", "ID"),
    "placeholder ID, whole": (f"trig_01ABCDEFGHJKLMNOPQRSTUVW {PLAIN}", "placeholder", "ID"),
    "placeholder in the URL": (URL.replace(ID, "trig_xxxxx") + f" {PLAIN}", "placeholder", "ID"),
    "variable in the URL": (
        f"curl {URL.replace(ID, '$ROUTINE_ID')} -H 'Authorization: Bearer {PLAIN}'",
        "No routine ID",
        "ID",
    ),
    "ID of another kind": (f"routine_01Real {PLAIN}", "never with routine_", "ID"),
    "API key": (f"curl {URL} -H 'x-api-key: sk-ant-api03-abcdef'", "API key", "token"),
    "API key as bearer": (
        f"curl {URL} -H 'Authorization: Bearer sk-ant-api03-abcdef'",
        "starts with sk-ant-oat01-",
        "token",
    ),
    "broken inside quotes": (
        f"curl {URL} -H 'Authorization: Bearer {HALVES[0]}\n{HALVES[1]}'",
        "broken over lines",
        "token",
    ),
    "broken over lines": (f"{ID}\n{HALVES[0]}\n{HALVES[1]}", "broken over lines", "token"),
    "broken by a space": (f"{ID} {HALVES[0]} {HALVES[1]}", "broken over lines", "token"),
    "broken header line": (
        f"{ID}\nAuthorization: Bearer {HALVES[0]}\n{HALVES[1]}\n",
        "broken over lines",
        "token",
    ),
    "zero-width inside": (f"{ID} {HALVES[0]}\u200b{HALVES[1]}", "invisible", "token"),
    "soft hyphen inside": (f"{ID} {HALVES[0]}\u00ad{HALVES[1]}", "invisible", "token"),
    "a hyphen that became a dash": (f"{ID} {HALVES[0]}–{HALVES[1]}", "characters", "token"),
    "shortened": (f"{ID} {HALVES[0]}…", "cut short", "token"),
    "shortened ID": (f"{ID[:12]}… {PLAIN}", "cut short", "ID"),
    "broken ID": (f"{ID[:12]}\n{ID[12:]}\n{PLAIN}", "broken over lines", "ID"),
    "broken after a backslash": (
        f'curl {URL} -H "Authorization: Bearer {HALVES[0]}\\\n{HALVES[1]}"',
        "broken over lines",
        "token",
    ),
    "non-ASCII": (f"{ID} {PLAIN}é", "characters that no token has", "token"),
    "two tokens": (f"{ID} {PLAIN} {PLAIN}2", "Two different tokens", "token"),
    "two IDs": (f"{ID} trig_another {PLAIN}", "Two different routine IDs", "ID"),
    "token as ID": (f"trig_{PLAIN}", "A token stands inside", "both"),
}


@pytest.mark.parametrize(("text", "sentence", "lacking"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_looks_wrong_is_said_and_not_taken(text: str, sentence: str, lacking: str):
    understood = read(text)
    (problem,) = understood.problems
    assert sentence in problem
    assert (understood.routine_id is None) == (lacking in ("ID", "both"))
    assert (understood.token is None) == (lacking in ("token", "both"))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [("two words", "cannot be sent"), (PLAIN, "cannot be sent"), ("a\u200b\x07", "cannot be sent")],
)
def test_a_version_that_is_none_is_not_taken(value: str, sentence: str):
    understood = read(f"curl {URL} -H 'anthropic-beta: {value}' -H 'anthropic-version: {value}'")
    assert [sentence in problem for problem in understood.problems] == [True, True]
    assert (understood.beta_version, understood.api_version) == (None, None)


def test_two_different_versions_are_for_the_admin_to_choose_from():
    understood = read(f"{ID}\nanthropic-beta: a-2026-01-01\nanthropic-beta: a-2026-02-01\n")
    assert "Two different values of the beta version" in understood.problems[0]


def test_a_token_is_in_no_repr_of_what_was_understood():
    assert PLAIN[13:-4] not in repr(read(COMMANDS["as claude.ai shows it"]))


# --- Anything at all ---

SIGNS = ["'", '"', "$'", "\\", "\\\n", "^\n", "^", "`\n", "\n", " ", "|", "\u200b", "é", "\x00"]
NAMES = ["curl ", "-H ", "--header=", "--url ", "-d", "Authorization: Bearer ", "anthropic-beta: "]
WORDS = [URL, ID, PLAIN, HALVES[0], "trig_", "://", "https://[", "/routines/", ":"]
PIECES = st.sampled_from([*SIGNS, *NAMES, *WORDS]) | st.text(max_size=8)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_paste_is_understood_or_refused_and_nothing_of_it_is_repeated(text: str):
    sentence = refusal(text)
    understood = Pasted() if sentence else read(text)
    assert PLAIN[13:25] not in sentence + repr(understood)
    assert (understood.routine_id or "") in text.replace("\u200b", "")
    assert understood.token is None or understood.token.reveal().startswith(tokens.PREFIX)


@pytest.mark.parametrize(
    "piece", ["-", "'", '"', "\\", "a", " ", "trig_a ", f"{PLAIN} ", "-H ", "a: ", "$'", "^"]
)
def test_a_huge_paste_of_anything_comes_to_an_end(piece: str):
    assert piece * 3 not in refusal("curl " + piece * (100_000 // len(piece)))
