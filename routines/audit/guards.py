"""Triggers on the audit trail: nothing in it is changed or deleted, whoever tries.

What is let through: taking a deleted person or routine out of an entry (its name stays in the
text), chaining a new entry (chain.py), and deleting sign-ins that retention has given up: the
chain's head says up to which. Made after each `migrate`, since SQLite's tables lose theirs when a
migration makes them anew.
"""

from typing import Any

from django.db import connection, transaction

from routines.models import AuditEvent, AuditHead, Chain

_EVENTS = AuditEvent._meta.db_table
_HEADS = AuditHead._meta.db_table
_SENTENCE = "The audit trail is only ever added to."
_CONTENT = ("id", "at", "person_name", "address", "action", "subject", "changes", "chain")


def ensure(**_signal: Any) -> None:
    """Make the triggers. After `migrate`."""
    if {_EVENTS, _HEADS} <= set(connection.introspection.table_names()):  # else an early state
        _run(_STATEMENTS[connection.vendor])


def remove() -> None:
    """For who has to mend the tables themselves."""
    on = f' ON "{_EVENTS}"' if connection.vendor == "postgresql" else ""
    _run([f"DROP TRIGGER IF EXISTS {name}{on}" for name in _NAMES[connection.vendor]])


def _run(statements: list[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _differ(way: str) -> str:
    changed = [f"OLD.{name} {way} NEW.{name}" for name in _CONTENT]
    # A link may be cut, and an entry without a place gets one; nothing else.
    changed += [
        f"(NEW.{link} IS NOT NULL AND OLD.{link} {way} NEW.{link})"
        for link in ("person_id", "routine_id")
    ]
    changed += [
        f"(OLD.number IS NOT NULL AND OLD.{name} {way} NEW.{name})" for name in ("number", "hash")
    ]
    return " OR ".join(changed)


_MAY_GO = (
    f"OLD.chain = '{Chain.SIGN_INS.value}' AND OLD.number <= "  # noqa: S608
    f"(SELECT deleted_to FROM {_HEADS} WHERE chain = OLD.chain)"
)

_NAMES = {
    "sqlite": ("audit_unchanged", "audit_undeleted"),
    "postgresql": ("audit_kept", "audit_not_emptied"),
}
_STATEMENTS = {
    "sqlite": [
        f"""
        CREATE TRIGGER IF NOT EXISTS audit_unchanged BEFORE UPDATE ON "{_EVENTS}"
        WHEN {_differ("IS NOT")}
        BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END""",
        f"""
        CREATE TRIGGER IF NOT EXISTS audit_undeleted BEFORE DELETE ON "{_EVENTS}"
        WHEN ({_MAY_GO}) IS NOT TRUE
        BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END""",
    ],
    "postgresql": [
        f"""
        CREATE OR REPLACE FUNCTION keep_audit_trail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF {_differ("IS DISTINCT FROM")} THEN RAISE EXCEPTION '{_SENTENCE}'; END IF;
                RETURN NEW;
            ELSIF TG_OP = 'DELETE' THEN
                IF ({_MAY_GO}) IS NOT TRUE THEN RAISE EXCEPTION '{_SENTENCE}'; END IF;
                RETURN OLD;
            END IF;
            RAISE EXCEPTION '{_SENTENCE}';
        END $$""",
        f"""
        CREATE OR REPLACE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON "{_EVENTS}"
        FOR EACH ROW EXECUTE FUNCTION keep_audit_trail()""",
        f"""
        CREATE OR REPLACE TRIGGER audit_not_emptied BEFORE TRUNCATE ON "{_EVENTS}"
        FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_trail()""",
    ],
}
