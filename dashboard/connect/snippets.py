"""The text for each system. Nothing of it is typed by anybody: of a routine only its slug is in it.

A slug and an address need no escaping in any of these languages; a routine's name would.
"""

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import indent

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from routines.models import Routine

VARIABLE = "ROUTINES_API_KEY"
_MARGIN = 30  # seconds beyond what an answer may take


@dataclass(frozen=True)
class Snippet:
    """`secret`: where its system keeps the key; `intent`: what makes a new Idempotency-Key."""

    name: str  # of the template
    title: str
    file: str
    secret: str
    intent: str
    text: str


@dataclass(frozen=True)
class _Step:
    """The shell step that several systems share, as each of them indents and escapes it."""

    intent: str
    text: str
    margin: int
    escape: Callable[[str], str] = str


def _groovy(step: str) -> str:
    return step.replace("\\", "\\\\")  # in a string of three quotes it escapes


_STEPS = {
    "curl": _Step("$1", "Deployed $1.", 0),
    "github": _Step(
        "$GITHUB_REPOSITORY $GITHUB_RUN_ID $GITHUB_RUN_ATTEMPT $GITHUB_JOB",
        "Commit $GITHUB_SHA of $GITHUB_REPOSITORY is live. "
        "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID",
        10,
    ),
    "gitlab": _Step(
        "gitlab $CI_PROJECT_ID $CI_JOB_ID",
        "Commit $CI_COMMIT_SHA is live. $CI_PIPELINE_URL",
        6,
    ),
    "jenkins": _Step("$BUILD_URL", "Build $BUILD_NUMBER is live. $BUILD_URL", 10, _groovy),
}

_AGENT = (
    "The agent makes an idempotency key for each thing that you ask of it. It lists and fires all "
    "that the key may fire. Only a personal key opens this: agents act as somebody."
)
_KINDS = (
    (
        *("curl", "curl", "fire.sh"),
        f"Read {VARIABLE} from your secret store into the environment.",
        "The first argument names the intent: sh fire.sh release-1.2 fires once, however often "
        "you call it.",
    ),
    (
        *("github", "GitHub Actions", ".github/workflows/fire.yml"),
        f"Settings → Secrets and variables → Actions → New repository secret: {VARIABLE}.",
        "“Re-run jobs” is a new attempt, so it fires again. Leave $GITHUB_RUN_ATTEMPT out of the "
        "Idempotency-Key to fire once for each workflow run.",
    ),
    (
        *("gitlab", "GitLab CI", ".gitlab-ci.yml"),
        f"Settings → CI/CD → Variables: {VARIABLE}, masked and hidden.",
        "A retried job has a new ID, so it fires again. Write $CI_PIPELINE_ID for $CI_JOB_ID to "
        "fire once for each pipeline.",
    ),
    (
        *("jenkins", "Jenkins", "Jenkinsfile"),
        "Manage Jenkins → Credentials: a “Secret text” with the ID routines-api-key.",
        "A build fires once, also within retry(3). A rebuild has a new number and fires again.",
    ),
    (
        *("python", "Python", "fire.py"),
        f"{VARIABLE} in the environment of the process. Nothing has to be installed.",
        "The first argument names the intent: python3 fire.py release-1.2 fires once, however "
        "often you call it.",
    ),
    (
        *("node", "Node", "fire.mjs"),
        f"{VARIABLE} in the environment of the process. Node 18 or newer, nothing to install.",
        "The first argument names the intent: node fire.mjs release-1.2 fires once, however "
        "often you call it.",
    ),
    (
        *("make", "Makefile", "Makefile"),
        f"{VARIABLE} in the environment of make.",
        "INTENT names the intent: it fires once for each value, however often you call it.",
    ),
    (
        *("claude", "Claude Code (MCP)", "in a terminal"),
        f"{VARIABLE} in the environment. Claude Code keeps it in its own settings.",
        _AGENT,
    ),
    (
        *("mcp", "Other agents (MCP)", ".mcp.json"),
        f"{VARIABLE} in the environment of the agent.",
        _AGENT,
    ),
)


def of(routine: Routine) -> list[Snippet]:
    context = {
        "slug": routine.slug,
        "url": address_of(routine),
        "mcp_url": f"{settings.DASHBOARD_URL}{reverse('mcp')}",
        "seconds": settings.FIRE_TIMEOUT + _MARGIN,
        "twice": 2 * (settings.FIRE_TIMEOUT + _MARGIN),
    }
    return [
        Snippet(
            name,
            title,
            file,
            secret,
            intent,
            _render(name, context | {"step": _step(name, context)}),
        )
        for name, title, file, secret, intent in _KINDS
    ]


def address_of(routine: Routine) -> str:
    return f"{settings.DASHBOARD_URL}{reverse('fire_door', args=[routine.reference])}"


def _step(name: str, context: dict[str, object]) -> str:
    step = _STEPS.get(name)
    if step is None:
        return ""
    written = _render("step", context | {"intent": step.intent, "text": step.text})
    return step.escape(indent(written, " " * step.margin)).strip()


def _render(name: str, context: dict[str, object]) -> str:
    return render_to_string(f"connect/snippets/{name}.txt", context).strip() + "\n"
