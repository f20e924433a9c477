"""Who and what the demo holds: people called by their role, one routine for each use."""

from routines.demo.shapes import DemoPerson, DemoRoutine, DemoTemplate
from routines.models import Outcome
from routines.people.roles import Role
from routines.text_templates import Field, Kind

PASSWORD = "practice-runs-only"  # noqa: S105  # printed by `make demo`, on a loopback address


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


# Structured data travels as text; the routine's saved prompt says how to read it.
_ALERT = """\
{
  "summary": "{{ summary }}",
  "service": "{{ service }}",
  "severity": "{{ severity }}",
  "environment": "{{ environment }}",
  "runbook": "{{ runbook }}",
  "already_known": "{{ already_known }}",
  "asked_by": "{{ person }}",
  "asked_at": "{{ now }}"
}"""
_REPORT = """\
{
  "summary": "{{ summary }}",
  "service": "{{ service }}",
  "severity": "{{ severity }}",
  "environment": "production",
  "ticket": "{{ ticket }}",
  "steps": "{{ steps }}",
  "asked_by": "{{ person }}",
  "asked_at": "{{ now }}"
}"""
_SUMMARY = Field(
    "summary", "What happens", "One line, as in the alert.", "Error rate above 5 % for 10 minutes"
)
_SERVICES = ("billing", "checkout", "database", "notifications", "search")
_SERVICE = Field("service", default="checkout", kind=Kind.CHOICE, choices=_SERVICES)
_SEVERITY = Field(
    "severity", default="critical", kind=Kind.CHOICE, choices=("critical", "major", "warning")
)
_ENVIRONMENT = Field(
    "environment", default="production", kind=Kind.CHOICE, choices=("production", "staging")
)

ALERT_TRIAGE = DemoRoutine(
    name="Alert triage",
    routine_id="trig_practice_alert_triage",
    purpose=(
        "Looks into an alert: recent deploys, logs, likely cause, and a draft fix where it is "
        "small. Its saved prompt reads the JSON in the routine-fire-payload block."
    ),
    account="Platform team",
    tags=("operations",),
    templates=(
        DemoTemplate(
            "Alert from monitoring",
            _ALERT,
            (
                _SUMMARY,
                _SERVICE,
                _SEVERITY,
                _ENVIRONMENT,
                Field("runbook", default="docs/runbooks/error-rate.md", required=False),
                Field(
                    "already_known",
                    "Already known",
                    "Deploys, load tests, what you have tried. Several lines are fine.",
                    required=False,
                    kind=Kind.LINES,
                ),
            ),
            is_json=True,
        ),
        DemoTemplate(
            "Report from support",
            _REPORT,
            (
                Field("summary", "What happens", default="Customers cannot download invoices"),
                Field("service", default="billing", kind=Kind.CHOICE, choices=_SERVICES),
                _SEVERITY,
                Field("ticket", "Ticket", "Like SUP-1234.", pattern="SUP-[0-9]+"),
                Field(
                    "steps",
                    "Steps to see it",
                    default="Sign in, open Invoices, press Download: an empty page.",
                    kind=Kind.LINES,
                ),
            ),
            is_json=True,
        ),
    ),
    past_values=(
        (
            "Alert from monitoring",
            {
                "summary": "Error rate above 5 % for 10 minutes",
                "service": "checkout",
                "severity": "critical",
                "environment": "production",
                "runbook": "docs/runbooks/error-rate.md",
                "already_known": "Began right after the deploy of checkout 4.18.0.",
            },
        ),
        (
            "Alert from monitoring",
            {
                "summary": "95th percentile of response time above 2 s",
                "service": "search",
                "severity": "warning",
                "environment": "production",
                "runbook": "docs/runbooks/slow-search.md",
                "already_known": "The index was rebuilt last night.",
            },
        ),
        (
            "Alert from monitoring",
            {
                "summary": "Queue of outgoing e-mail older than 30 minutes",
                "service": "notifications",
                "severity": "major",
                "environment": "production",
                "runbook": "docs/runbooks/mail-queue.md",
                "already_known": "",
            },
        ),
        (
            "Report from support",
            {
                "summary": "Customers cannot download their invoices",
                "service": "billing",
                "severity": "major",
                "ticket": "SUP-2207",
                "steps": "Sign in, open Invoices, press Download: an empty page.",
            },
        ),
        (
            "Alert from monitoring",
            {
                "summary": "Disk of the staging database 90 % full",
                "service": "database",
                "severity": "warning",
                "environment": "staging",
                "runbook": "docs/runbooks/disk-full.md",
                "already_known": "A load test ran this morning.",
            },
        ),
    ),
)

_VERSION = r"[0-9]+\.[0-9]+\.[0-9]+"
_VERIFY = """\
Verify the deploy of {{ service }} {{ version }} to {{ environment }}.

Compare with {{ previous }}: error rate, response times and background jobs of the 30 minutes before
and after. Walk through the smoke tests in docs/smoke-tests.md.

Pay attention to: {{ attention }}

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
    templates=(
        DemoTemplate(
            "After a deploy",
            _VERIFY,
            (
                _SERVICE,
                Field("version", help="Like 4.19.0.", default="4.19.0", pattern=_VERSION),
                Field("previous", "Version before", default="4.18.2", pattern=_VERSION),
                _ENVIRONMENT,
                Field("attention", "Pay attention to", default="the new payment form"),
            ),
        ),
    ),
    past_values=tuple(
        ("After a deploy", deploy)
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
Write the release notes of {{ product }} {{ version }}, from the changes since {{ since }}.

Readers: {{ readers }}
Group by New, Better and Fixed. Leave out refactoring, tests and dependencies, but for those that
close a security hole. Link each entry to its pull request.

Open a pull request that adds them to CHANGELOG.md; do not publish anything."""

_CUSTOMERS = "customers; no internal names, and no words that only we use."
_TEAM = "the team; name who has to do something before the release."

RELEASE_NOTES = DemoRoutine(
    name="Release notes",
    routine_id="trig_practice_release_notes",
    purpose=(
        "Writes release notes from the merged pull requests and opens a pull request with them. "
        "Its saved prompt follows what the routine-fire-payload block asks for."
    ),
    account="Release team",
    tags=("product", "release"),
    templates=(
        DemoTemplate(
            "For customers",
            _NOTES,
            (
                Field("product", default="the web app"),
                Field("version", default="2026.4"),
                Field("since", "Changes since", default="tag v2026.3"),
                Field("readers", default=_CUSTOMERS, kind=Kind.LINES),
            ),
        ),
        DemoTemplate(
            "For the team",
            _NOTES,
            (
                Field("product", default="the internal tools"),
                Field("version", default="of this week"),
                Field("since", "Changes since", default="last Monday"),
                Field("readers", default=_TEAM, kind=Kind.LINES),
            ),
        ),
    ),
    past_values=(
        (
            "For customers",
            {
                "product": "the web app",
                "version": "2026.3",
                "since": "tag v2026.2",
                "readers": _CUSTOMERS,
            },
        ),
        (
            "For customers",
            {
                "product": "the mobile app",
                "version": "5.2",
                "since": "tag mobile-5.1",
                "readers": "customers; at most eight entries, the shops cut the text.",
            },
        ),
        (
            "For the team",
            {
                "product": "the internal tools",
                "version": "of this week",
                "since": "last Monday",
                "readers": _TEAM,
            },
        ),
    ),
)

_CHANGE = """\
What should change: {{ what }}

Where people see it: {{ where }}
Why: {{ reason }}
It is done when: {{ done }}

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
    templates=(
        DemoTemplate(
            "A small change",
            _CHANGE,
            (
                Field(
                    "what",
                    "What should change",
                    default="the export button should say how many rows it will export",
                    kind=Kind.LINES,
                ),
                Field(
                    "where",
                    "Where people see it",
                    default="the list of orders, for everybody in operations",
                ),
                Field(
                    "reason",
                    "Why",
                    default="people start exports of a million rows by mistake",
                    required=False,
                ),
                Field(
                    "done",
                    "It is done when",
                    default="the button shows the number, and asks once more above 100,000",
                ),
            ),
        ),
    ),
    past_values=tuple(
        ("A small change", request)
        for request in (
            {
                "what": "the password page should say which rules a new password must meet",
                "where": "Settings, Password",
                "reason": "support gets a question about it every other day",
                "done": "the rules stand above the field, and a failed one is named",
            },
            {
                "what": "sort the list of warehouses by name",
                "where": "the form for a new delivery",
                "reason": "with sixty of them nobody finds theirs",
                "done": "the list is sorted, without regard to upper and lower case",
            },
            {
                "what": "correct the German reminder e-mail: 'Rechnung', not 'Quittung'",
                "where": "the second reminder for an unpaid invoice",
                "reason": "it is the wrong word",
                "done": "subject and body say Rechnung",
            },
            {
                "what": "show times in the order history in the customer's time zone",
                "where": "the customer's own pages",
                "reason": "orders of the evening appear on the day after",
                "done": "an order at 23:30 in Lisbon is shown on that day",
            },
        )
    ),
)

# Pressed in two tabs, it shows how runs wait: while one tab's press is under way, the other's are
# accepted at once, one after the other.
SLOW_PRACTICE = DemoRoutine(
    name="Slow practice routine",
    routine_id="trig_practice_slow",
    purpose="Answers after five seconds. Press it again and again in two tabs to see runs wait.",
    account="Platform team",
    tags=("practice",),
    templates=(),
    past_values=(),
)

ROUTINES = (ALERT_TRIAGE, DEPLOY_VERIFICATION, RELEASE_NOTES, ASK_FOR_A_CHANGE, SLOW_PRACTICE)
