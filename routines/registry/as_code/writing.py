"""From the registry to the text of a file that people can read and compare."""

import re
from typing import Any

import yaml

from routines.models import Account, Routine
from routines.registry.as_code.scalars import DEFAULT, DO_NOT_SEND, NOBODY, holds_a_token
from routines.registry.snapshots import EVERYBODY

_HEADER = "# Routines of the dashboard, without their tokens: docs/routines-as-code.md\n"
# Line breaks of YAML that it does not keep as they are outside of double quotes.
_ODD_BREAKS = re.compile("[\r\x85\u2028\u2029]")


class ExportRefused(Exception):
    """A stored text holds a token; `str()` says which."""


def write() -> str:
    """Every account and routine, archived ones too. Raise ExportRefused."""
    content = {
        "accounts": [
            _checked(account, {"label": account.label, "hourly_limit": _limit(account)})
            for account in sorted(Account.objects.all(), key=lambda account: account.label)
        ],
        "routines": [
            _checked(routine, _routine(routine))
            for routine in sorted(
                Routine.objects.select_related("account").prefetch_related(
                    "text_templates", "open_to", "tags"
                ),
                key=lambda routine: (routine.name, routine.routine_id),
            )
        ],
    }
    text: str = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000
    )
    return _HEADER + re.sub(r"^(?=routines:|  - routine_id:)", "\n", text, flags=re.MULTILINE)


def _routine(routine: Routine) -> dict[str, Any]:
    return {
        "routine_id": routine.routine_id,
        "name": routine.name,
        "slug": routine.slug,
        "purpose": routine.purpose,
        "account": routine.account.label,
        "beta_version": routine.beta_version or DO_NOT_SEND,
        "api_version": routine.api_version,
        "hourly_limit": _limit(routine),
        "cool_down": routine.cool_down,
        "tags": sorted(tag.name for tag in routine.tags.all()),
        "enabled": routine.enabled,
        "archived": routine.is_archived,
        "open_to": _open_to(routine),
        "confirmation": routine.confirmation,
        "asks_why": routine.asks_why,
        "runs_seen_by_group": routine.runs_seen_by_group,
        "templates": [
            {
                "name": template.name,
                "body": template.body,
                "json": template.is_json,
                "fields": template.fields,
            }
            for template in routine.text_templates.all()
            if template.owner_id is None  # people's own stay theirs
        ],
    }


def _open_to(routine: Routine) -> str | list[str]:
    if routine.open_to_everybody:
        return EVERYBODY
    return sorted(group.name for group in routine.open_to.all()) or NOBODY


def _limit(of: Account | Routine) -> int | str:
    return DEFAULT if of.hourly_limit is None else of.hourly_limit


def _checked(of: Account | Routine, entry: dict[str, Any]) -> dict[str, Any]:
    for field, value in entry.items():
        if holds_a_token(str(value)):
            raise ExportRefused(
                f"A token stands in the clear text of “{_name(of)}”, in {field}. Take it out on "
                "its page, and regenerate it at claude.ai, since others may have seen it. "
                "Nothing was written."
            )
    return entry


def _name(of: Account | Routine) -> str:
    return f"account {of.pk}" if isinstance(of, Account) else of.slug


class _Dumper(yaml.SafeDumper):
    """Lists set in, and texts of several lines written as they look."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None
    if _ODD_BREAKS.search(text) or text.endswith("\n\n") or not text.strip("\n"):
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
