"""Which header versions are known and supported, and adding one."""

from datetime import date

import pytest
import time_machine
from django.db import IntegrityError
from django.utils import timezone

from routines.models import AuditEvent, Header, HeaderVersion
from routines.registry import header_versions
from routines.registry.header_versions import Standing, VersionRefused
from routines.values.reasons import Reason
from tests.factories import create_admin, create_routine, create_run, create_version

pytestmark = pytest.mark.django_db

FIRST = header_versions.BETA_VERSION  # 2026-04-01
NEWER = [f"experimental-cc-routine-2026-0{month}-01" for month in (5, 6, 7)]


def standing(value: str, header: Header = Header.BETA) -> Standing:
    return header_versions.known().standing(header, value)


# --- Supported or not ---


def test_the_documented_versions_are_known_from_the_start():
    versions = header_versions.known()
    assert [one.value for one in versions.of_header(Header.BETA)] == [FIRST]
    assert [one.value for one in versions.of_header(Header.API)] == [header_versions.API_VERSION]
    assert standing(FIRST) == standing(header_versions.API_VERSION, Header.API) == "supported"


def test_the_newest_and_the_two_before_are_supported_and_older_ones_are_not():
    for value in NEWER[:2]:
        create_version(value)
    assert standing(FIRST) == Standing.SUPPORTED
    create_version(NEWER[2])
    versions = header_versions.known()
    assert [versions.is_supported(Header.BETA, value) for value in [FIRST, *NEWER]] == [
        False,
        True,
        True,
        True,
    ]
    assert standing(FIRST) == Standing.OLD


def test_the_order_is_that_of_the_dates_and_not_of_adding_or_spelling():
    for value in ("a-2026-07-01", "z-2026-05-01", "m-2026-06-01"):
        create_version(value)
    newest = header_versions.known().newest(Header.BETA)
    assert newest is not None
    assert newest.value == "a-2026-07-01"
    assert standing(FIRST) == Standing.OLD


def test_versions_of_one_header_do_not_age_the_other():
    for value in NEWER:
        create_version(value)
    assert standing(header_versions.API_VERSION, Header.API) == Standing.SUPPORTED


def test_a_version_that_nobody_added_is_unknown_and_counts_as_unsupported():
    assert standing("experimental-cc-routine-2026-12-01") == Standing.UNKNOWN
    assert not header_versions.known().is_supported(Header.API, FIRST)


def test_not_sending_the_beta_header_is_supported_and_the_api_header_has_to_be_sent():
    assert standing("") == Standing.NOT_SENT
    assert header_versions.known().is_supported(Header.BETA, "")
    assert not header_versions.known().is_supported(Header.API, "")


def test_a_routine_is_warned_of_for_each_header_that_may_not_work():
    for value in NEWER:
        create_version(value)
    versions = header_versions.known()
    old = create_routine(beta_version=FIRST, api_version="2099-01-01")
    assert [(one.header, one.standing) for one in versions.warnings(old)] == [
        (Header.BETA, Standing.OLD),
        (Header.API, Standing.UNKNOWN),
    ]
    assert versions.warnings(create_routine(beta_version="")) == []


def test_the_overview_counts_every_value_that_is_known_or_pinned():
    create_version(NEWER[0])
    for values in ({}, {}, {"archived_at": timezone.now()}, {"beta_version": ""}):
        create_routine(**values)
    create_routine(beta_version="other-2020-01-01")
    rows = header_versions.overview(Header.BETA, header_versions.known())
    assert [(row.value, row.standing, row.current, row.archived) for row in rows] == [
        (NEWER[0], "supported", 0, 0),
        (FIRST, "supported", 2, 1),
        ("other-2020-01-01", "unknown", 1, 0),
        ("", "not_sent", 1, 0),
    ]


@pytest.mark.parametrize(
    ("message", "header"),
    [
        ("Unexpected value 'x' for anthropic-beta", Header.BETA),
        ("anthropic-version: '2023-06-01' is not a version", Header.API),
        ("This API version is retired", Header.API),
        ("The beta version is retired", Header.BETA),
    ],
)
def test_a_refusal_says_which_header_it_is_about(message: str, header: Header):
    run = create_run(reason=Reason.HEADER_VERSION, error_message=message)
    assert header_versions.refused_header(run) == header


@pytest.mark.parametrize(
    ("value", "successor"),
    [(FIRST, NEWER[0]), ("other", NEWER[0]), ("", NEWER[0]), (NEWER[0], "")],
    ids=["old", "unknown", "not sent", "newest"],
)
def test_what_is_refused_has_a_successor(value: str, successor: str):
    create_version(NEWER[0])
    assert header_versions.known().successor(Header.BETA, value) == successor


def test_the_newest_api_version_has_no_successor_for_it_has_to_be_sent():
    versions = header_versions.known()
    assert versions.successor(Header.API, header_versions.API_VERSION) is None


# --- Adding ---


def test_a_version_is_added_with_the_date_that_it_ends_in():
    admin = create_admin()
    added = header_versions.add(Header.BETA, f"  {NEWER[0]}\n", by=admin)
    assert (added.value, added.dated, added.added_by) == (NEWER[0], date(2026, 5, 1), admin)
    event = AuditEvent.objects.get()
    assert (event.action, event.person, event.routine) == ("version_added", admin, None)
    assert event.subject == f"anthropic-beta: {NEWER[0]}"
    assert event.changes == {"dated": [None, "2026-05-01"]}


def test_a_version_without_a_date_takes_the_given_one():
    added = header_versions.add(
        Header.BETA, "routines-v2", dated=date(2026, 6, 1), by=create_admin()
    )
    assert header_versions.known().newest(Header.BETA) == added


def test_one_value_may_be_known_for_both_headers():
    admin = create_admin()
    for header in Header:
        header_versions.add(header, "2026-09-09", by=admin)
    assert HeaderVersion.objects.filter(value="2026-09-09").count() == 2


REFUSED = {
    "empty": (" ", None, "value", "Give the API version"),
    "two words": ("two words", None, "value", "letters, digits, dots, commas and dashes"),
    "line break": ("2023\r\nX-Other: 1", None, "value", "letters, digits"),
    "zero width": ("2023-06\u200b-01", None, "value", "letters, digits"),
    "other digits": ("٢٠٢٦-06-01", None, "value", "letters, digits"),
    "token": ("sk-ant-oat01-abcdefgh-2026-06-01", None, "value", "This is a token"),
    "too long": ("x" * 30 + "-2026-06-01", None, "value", "at most 40 characters"),
    "known": (header_versions.API_VERSION, None, "value", "is known already"),
    "no date": ("v2", None, "dated", "ends in no date"),
    "no day of the calendar": ("2026-02-30", None, "dated", "ends in no date"),
    "part of a number": ("v12026-06-01", None, "dated", "ends in no date"),
    "two dates": ("2026-06-01", date(2026, 6, 2), "dated", "The version itself says 2026-06-01"),
    "far ahead": ("2062-06-01", None, "value", "more than a year ahead"),
    "given far ahead": ("v2", date(2062, 6, 1), "dated", "more than a year ahead"),
}


@pytest.mark.parametrize(
    ("value", "dated", "field", "sentence"), REFUSED.values(), ids=list(REFUSED)
)
def test_a_version_that_cannot_be_added_is_refused_with_a_sentence(value, dated, field, sentence):
    admin, before = create_admin(), HeaderVersion.objects.count()
    with time_machine.travel("2026-11-24"), pytest.raises(VersionRefused) as refused:
        header_versions.add(Header.API, value, dated=dated, by=admin)
    assert sentence in str(refused.value)
    assert refused.value.field == field
    assert HeaderVersion.objects.count() == before
    assert not AuditEvent.objects.exists()


def test_the_database_keeps_a_version_once():
    with pytest.raises(IntegrityError):
        create_version(FIRST)


# --- Removing ---


def test_a_version_that_was_added_by_mistake_is_taken_off_the_list():
    admin = create_admin()
    added = header_versions.add(Header.BETA, NEWER[0], by=admin)
    header_versions.remove(added, by=admin)
    header_versions.remove(added, by=admin)  # somebody else was faster
    assert standing(NEWER[0]) == Standing.UNKNOWN
    event = AuditEvent.objects.get(action="version_removed")
    assert event.changes == {"dated": ["2026-05-01", None]}


@pytest.mark.parametrize("archived", [False, True])
def test_a_version_that_a_routine_is_pinned_to_stays(archived: bool):
    create_routine(archived_at=timezone.now() if archived else None)
    create_version(NEWER[0])
    with pytest.raises(VersionRefused, match="move them first"):
        header_versions.remove(HeaderVersion.objects.get(value=FIRST), by=create_admin())
    assert standing(FIRST) == Standing.SUPPORTED


def test_a_version_of_the_other_header_does_not_keep_it():
    same = create_version(header_versions.API_VERSION, header=Header.BETA)
    create_routine(beta_version=FIRST, api_version=same.value)
    header_versions.remove(same, by=create_admin())
    assert not HeaderVersion.objects.filter(pk=same.pk).exists()


def test_the_only_version_of_a_header_stays():
    with pytest.raises(VersionRefused, match="the only known version"):
        header_versions.remove(HeaderVersion.objects.get(value=FIRST), by=create_admin())
    assert standing(FIRST) == Standing.SUPPORTED
