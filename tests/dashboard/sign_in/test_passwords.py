from django.conf import settings
from django.contrib.auth.hashers import identify_hasher, make_password
from django.test import Client, override_settings

from dashboard import settings as product
from tests.factories import PASSWORD, create_teammate


@override_settings(PASSWORD_HASHERS=product.PASSWORD_HASHERS)
def test_passwords_are_hashed_with_argon2id():
    hashed = make_password(PASSWORD)
    assert hashed.startswith("argon2$argon2id$v=19$m=47104,t=2,p=1$")
    assert not identify_hasher(hashed).must_update(hashed)


def test_an_older_hash_is_upgraded_at_the_next_sign_in(db):
    with override_settings(PASSWORD_HASHERS=product.PASSWORD_HASHERS):
        person = create_teammate()
        person.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
        person.save()
        Client().post("/sign-in/", {"login": person.username, "password": PASSWORD})
        person.refresh_from_db()
        assert person.password.startswith("argon2$argon2id$")


def test_the_tests_own_hasher_is_not_the_products():
    assert settings.PASSWORD_HASHERS != product.PASSWORD_HASHERS
