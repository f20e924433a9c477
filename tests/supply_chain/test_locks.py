"""The locks hold what the requirements pin, with hashes, and nothing of whoever made them."""

import re

import pytest

from tests.supply_chain.locks import BASE, LOCKS, hashes, missing, pins

REQUIREMENTS = "Django==5.2.19 # web\nallauth[mfa,x]==1.0\n-r ../other.txt\n# a word\n"
LOCK = "django==5.2.19 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nallauth==1.0 \\\n"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_its_version_and_its_hashes(lock):
    text = (BASE / lock).read_text()
    counted = hashes(text)
    assert set(counted) == set(pins(text))
    assert min(counted.values()) >= 1
    assert len(counted) > len(pins((BASE / LOCKS[lock][0]).read_text())), "not only direct ones"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_place_on_a_machine(lock):
    lines = (BASE / lock).read_text().splitlines()
    plain = re.compile(
        r" *#.*|[\w.-]+==[\w.+-]+( ; [\w .'<>=!()-]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
    )
    assert [line for line in lines if not plain.fullmatch(line)] == []
    assert [line for line in lines if "//" in line or "/opt" in line] == []


def test_a_stale_lock_would_be_seen():
    assert pins(REQUIREMENTS) == {"django": "5.2.19", "allauth": "1.0"}
    assert pins(LOCK) == {"django": "5.2.19", "allauth": "1.0"}
    assert hashes(LOCK) == {"django": 2, "allauth": 0}
    assert missing(REQUIREMENTS, LOCK) == {}
    assert missing(REQUIREMENTS + "new==1.0\n", LOCK) == {"new": "1.0"}
    assert missing(REQUIREMENTS.replace("5.2.19", "5.2.20"), LOCK) == {"django": "5.2.20"}
