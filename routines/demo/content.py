"""Who and what the demo holds: people called by their role, one routine for each use."""

import json
from dataclasses import dataclass

from routines.models import Outcome
from routines.roles import Role

PASSWORD = "practice-runs-only"  # noqa: S105  # printed by `make demo`, on a loopback address


@dataclass(frozen=True)
class DemoPerson:
    """Called by the role: the demo makes up no names."""

    username: str
    role: Role
    may: str


@dataclass(frozen=True, eq=False)
class DemoRoutine:
    name: str
    routine_id: str
    purpose: str
    account: str
    tags: tuple[str, ...]
    templates: dict[str, str]
    past_texts: tuple[tuple[str, str], ...]  # (template's name, the text that was sent)


# What people said came of runs: the outcome, and the note with it.
OUTCOMES = (
    *[(Outcome.USEFUL, "")] * 4,
    (Outcome.USEFUL, "Found the cause; the draft needed one more test."),
    (Outcome.USEFUL, "Merged as it was."),
    (Outcome.NOT_USEFUL, "Looked in the wrong service: say which one in the text."),
    (Outcome.FAILED, "Stopped half-way: it had no access to the logs."),
)

PEOPLE = (
    DemoPerson("teammate", Role.TEAMMATE, "runs routines and sees their own runs"),
    DemoPerson("manager", Role.MANAGER, "sees everybody's runs"),
    DemoPerson("admin", Role.ADMIN, "does all of it, and keeps the registry"),
)


def _alert(summary: str, service: str, severity: str, **more: str) -> str:
    """Structured data travels as text; the routine's saved prompt says how to read it."""
    alert = {"summary": summary, "service": service, "severity": severity} | more
    return json.dumps(alert, indent=2)


ALERT_TRIAGE = DemoRoutine(
    name="Alert triage",
    routine_id="trig_practice_alert_triage",
    purpose=(
        "Looks into an alert: recent deploys, logs, likely cause, and a draft fix where it is "
        "small. Its saved prompt reads the JSON in the routine-fire-payload block."
    ),
    account="Platform team",
    tags=("operations",),
    templates={
        "Alert from monitoring": _alert(
            "Error rate above 5 % for 10 minutes",
            "checkout",
            "critical",
            environment="production",
            started_at="2026-01-31T09:30:00Z",
            runbook="docs/runbooks/error-rate.md",
            already_known="",
        ),
        "Report from support": _alert(
            "Customers cannot download their invoices",
            "billing",
            "major",
            environment="production",
            first_report="2026-01-31T09:30:00Z",
            reports="3",
            steps="Sign in, open Invoices, press Download: an empty page.",
        ),
    },
    past_texts=(
        (
            "Alert from monitoring",
            _alert(
                "Error rate above 5 % for 10 minutes",
                "checkout",
                "critical",
                environment="production",
                runbook="docs/runbooks/error-rate.md",
                already_known="Began right after the deploy of checkout 4.18.0.",
            ),
        ),
        (
            "Alert from monitoring",
            _alert(
                "95th percentile of response time above 2 s",
                "search",
                "warning",
                environment="production",
                runbook="docs/runbooks/slow-search.md",
                already_known="The index was rebuilt last night.",
            ),
        ),
        (
            "Alert from monitoring",
            _alert(
                "Queue of outgoing e-mail older than 30 minutes",
                "notifications",
                "major",
                environment="production",
                runbook="docs/runbooks/mail-queue.md",
                already_known="",
            ),
        ),
        (
            "Report from support",
            _alert(
                "Customers cannot download their invoices",
                "billing",
                "major",
                environment="production",
                reports="7",
                steps="Sign in, open Invoices, press Download: an empty page.",
            ),
        ),
        (
            "Alert from monitoring",
            _alert(
                "Disk of the staging database 90 % full",
                "database",
                "warning",
                environment="staging",
                runbook="docs/runbooks/disk-full.md",
                already_known="A load test ran this morning.",
            ),
        ),
    ),
)

_VERIFY = """\
Verify the deploy of {service} {version} to {environment}.

Compare with {previous}: error rate, response times and background jobs of the 30 minutes before
and after. Walk through the smoke tests in docs/smoke-tests.md.

Pay attention to: {attention}

End with one line: keep, watch or roll back, and why."""

DEPLOY_VERIFICATION = DemoRoutine(
    name="Deploy verification",
    routine_id="trig_practice_deploy_verification",
    purpose=(
        "Checks a fresh deploy against the one before it, and ends with keep, watch or roll back. "
        "Its saved prompt takes the deploy from the routine-fire-payload block."
    ),
    account="Release team",
    tags=("operations", "release"),
    templates={
        "After a deploy": _VERIFY.format(
            service="checkout",
            version="4.19.0",
            environment="production",
            previous="4.18.2",
            attention="the new payment form",
        )
    },
    past_texts=tuple(
        ("After a deploy", _VERIFY.format(**deploy))
        for deploy in (
            {
                "service": "checkout",
                "version": "4.18.0",
                "environment": "production",
                "previous": "4.17.3",
                "attention": "the price rounding that changed",
            },
            {
                "service": "checkout",
                "version": "4.18.2",
                "environment": "production",
                "previous": "4.18.0",
                "attention": "the fix for the error rate of 4.18.0",
            },
            {
                "service": "search",
                "version": "2.7.0",
                "environment": "staging",
                "previous": "2.6.1",
                "attention": "memory use while the index is rebuilt",
            },
            {
                "service": "billing",
                "version": "1.31.0",
                "environment": "production",
                "previous": "1.30.4",
                "attention": "the download of invoices",
            },
        )
    ),
)

_NOTES = """\
Write the release notes of {product} {version}, from the changes since {since}.

Readers: {readers}
Group by New, Better and Fixed. Leave out refactoring, tests and dependencies, but for those that
close a security hole. Link each entry to its pull request.

Open a pull request that adds them to CHANGELOG.md; do not publish anything."""

RELEASE_NOTES = DemoRoutine(
    name="Release notes",
    routine_id="trig_practice_release_notes",
    purpose=(
        "Writes release notes from the merged pull requests and opens a pull request with them. "
        "Its saved prompt follows what the routine-fire-payload block asks for."
    ),
    account="Release team",
    tags=("product", "release"),
    templates={
        "For customers": _NOTES.format(
            product="the web app",
            version="2026.4",
            since="tag v2026.3",
            readers="customers; no internal names, and no words that only we use.",
        ),
        "For the team": _NOTES.format(
            product="the internal tools",
            version="of this week",
            since="last Monday",
            readers="the team; name who has to do something before the release.",
        ),
    },
    past_texts=(
        (
            "For customers",
            _NOTES.format(
                product="the web app",
                version="2026.3",
                since="tag v2026.2",
                readers="customers; no internal names, and no words that only we use.",
            ),
        ),
        (
            "For customers",
            _NOTES.format(
                product="the mobile app",
                version="5.2",
                since="tag mobile-5.1",
                readers="customers; at most eight entries, the shops cut the text.",
            ),
        ),
        (
            "For the team",
            _NOTES.format(
                product="the internal tools",
                version="of this week",
                since="last Monday",
                readers="the team; name who has to do something before the release.",
            ),
        ),
    ),
)

_CHANGE = """\
What should change: {what}

Where people see it: {where}
Why: {why}
It is done when: {done}

Keep the change small, add a test, and open a draft pull request for review."""

ASK_FOR_A_CHANGE = DemoRoutine(
    name="Ask for a change",
    routine_id="trig_practice_ask_for_a_change",
    purpose=(
        "Turns a request in plain words into a draft pull request. Its saved prompt treats the "
        "routine-fire-payload block as the request and asks back in the pull request when unsure."
    ),
    account="Platform team",
    tags=("product",),
    templates={
        "A small change": _CHANGE.format(
            what="the export button should say how many rows it will export",
            where="the list of orders, for everybody in operations",
            why="people start exports of a million rows by mistake",
            done="the button shows the number, and asks once more above 100,000",
        )
    },
    past_texts=tuple(
        ("A small change", _CHANGE.format(**request))
        for request in (
            {
                "what": "the password page should say which rules a new password must meet",
                "where": "Settings, Password",
                "why": "support gets a question about it every other day",
                "done": "the rules stand above the field, and a failed one is named",
            },
            {
                "what": "sort the list of warehouses by name",
                "where": "the form for a new delivery",
                "why": "with sixty of them nobody finds theirs",
                "done": "the list is sorted, without regard to upper and lower case",
            },
            {
                "what": "correct the German reminder e-mail: 'Rechnung', not 'Quittung'",
                "where": "the second reminder for an unpaid invoice",
                "why": "it is the wrong word",
                "done": "subject and body say Rechnung",
            },
            {
                "what": "show times in the order history in the customer's time zone",
                "where": "the customer's own pages",
                "why": "orders of the evening appear on the day after",
                "done": "an order at 23:30 in Lisbon is shown on that day",
            },
        )
    ),
)

ROUTINES = (ALERT_TRIAGE, DEPLOY_VERIFICATION, RELEASE_NOTES, ASK_FOR_A_CHANGE)
