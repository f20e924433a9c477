"""One corpus of words, and the same answers on SQLite and on PostgreSQL in whatever locale."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from django.core.management import call_command

from routines.history.search import NothingToSearch, Words
from routines.models import Run
from tests.bench.million import connected
from tests.factories import create_routine, create_run, create_teammate

HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
UUID = "123e4567-e89b-12d3-a456-426614174000"

# A text, searches that find it, and searches that do not.
CORPUS: list[tuple[str, list[str], list[str]]] = [
    (f"sha256:{HASH}", [HASH, HASH.upper(), f"sha256 {HASH}"], [HASH[:60], f"{HASH}0"]),
    (f"Request {UUID}", [UUID, UUID.upper(), "426614174000"], ["4266141740"]),
    ("At /srv/app/releases/v1.2.3/main.py:42", ["/srv/app", "main.py:42", "v1.2.3"], ["rele"]),
    ("From ana.diaz+ops@example.org", ["ana.diaz+ops@example.org", "Ana Diaz"], ["exampl"]),
    ("max_retry_count was 7", ["max_retry_count", "retry", "MAX"], ["maxretry"]),
    ("See GitHub issue #45218 about it", ["45218", "issue #45218"], ["4521"]),
    ("Prüfung der Übersicht für naïve Größen", ["prüfung", "GRÖSSEN", "größen"], ["grossen"]),
    ("İstanbul deployment failed", ["İstanbul", "istanbul", "ISTANBUL"], ["stanbul"]),
    ("Cafe\u0301 in Hue\u0302\u0301", ["café", "CAFE\u0301", "Huế"], ["cafe", "hue"]),
    ("ΟΔΟΣ", ["οδος", "οδοσ", "ΟΔΟΣ"], ["οδό"]),
    ("ἡ ὁδός", ["ὁδός", "ὉΔΌΣ"], ["οδος"]),
    ("Проверка прошла", ["проверка", "ПРОВЕРКА"], ["провер"]),
    ("परीक्षण विफल हुआ", ["परीक्षण", "विफल"], ["परीक"]),
    ("การทดสอบล้มเหลว", ["ทดสอบ", "ล้มเหลว"], ["สำเร็จ"]),
    ("فَشِلَ الاختبار", ["فَشِلَ", "الاختبار"], ["فشل"]),
    (
        "重跑gen-itgc后50条悬空引用清零，修复已验证",
        ["悬空", "空", "gen-itgc", "50", "悬空引用"],
        ["空悬"],
    ),
    ("新しいテストが失敗した", ["テスト", "失敗", "ﾃｽﾄ"], ["成功"]),
    ("PayPal支付失败", ["PayPal", "paypal支付失败", "支付"], ["pay"]),
    ("서버가 멈췄다", ["서버", "서버가"], ["가서"]),
    ("deploy🚀done 👩‍💻", ["deploy", "🚀done", "👩‍💻 deploy"], ["deploydone"]),
    ("STRASSE Straße ﬁne ２０２６", ["straße", "strasse", "fine", "2026"], ["strase"]),
    ("co\u00adopera\u200dtion", ["cooperation"], ["co opera"]),
    ("ẞ and ꓘ and \U00010400", ["ss", "ẞ", "ꓘ", "\U00010428"], ["s"]),
]


def check_the_corpus() -> None:
    routine, person = create_routine(), create_teammate()
    for text, finds, others in CORPUS:
        run = create_run(routine=routine, person=person, text=text)
        for typed in finds:
            assert run.pk in answer(typed), (text, typed)
        for typed in others:
            assert run.pk not in answer(typed), (text, typed)
    with pytest.raises(NothingToSearch):
        Words.read("🚀")


def answer(typed: str) -> set[int]:
    words = Words.read(typed)
    found = set(Run.objects.filter(words.by_index()).values_list("pk", flat=True))
    assert found == set(Run.objects.filter(words.by_run()).values_list("pk", flat=True)), typed
    return found


@pytest.mark.django_db
def test_the_corpus_is_found_as_it_should_be():
    check_the_corpus()


SERVER = os.environ.get("TEST_DATABASE_URL", "").rpartition("/")[0]
LOCALES = [
    "LC_COLLATE 'C' LC_CTYPE 'C'",
    "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'",
    "LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C.UTF-8'",
    "LOCALE_PROVIDER icu ICU_LOCALE 'tr' LOCALE 'C'",
]


@contextmanager
def new_database(locale: str) -> Iterator[str]:
    name = f"search_{uuid4().hex}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {locale}")
        try:
            yield f"{SERVER}/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


if SERVER:  # SQLite knows no locales

    @pytest.mark.parametrize("locale", LOCALES)
    def test_no_locale_of_the_server_changes_an_answer(locale, django_db_blocker):
        with new_database(locale) as url, django_db_blocker.unblock(), connected(url):
            call_command("migrate", verbosity=0)
            check_the_corpus()
