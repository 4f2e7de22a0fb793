"""The settings of Better Auth: what they take, and what they refuse in one sentence."""

import pytest

from taskwell.settings import InvalidSettings, Settings, read_settings
from tests.conftest import SECRET
from tests.security.conftest import settings_with
from tests.support.issuer import SHARED


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://auth.example.com/", "https://auth.example.com"),
        ("https://example.com/api/auth", "https://example.com"),
        ("https://example.com/site/api/auth/", "https://example.com/site"),
        ("", None),
    ],
)
def test_the_url_is_that_of_the_server(given: str, kept: str | None):
    assert settings_with(better_auth_url=given).better_auth_url == kept


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({}, None),
        ({"better_auth_url": "https://example.com"}, "https://example.com/api/auth/jwks"),
        (
            {"better_auth_url": "https://example.com", "better_auth_jwks_url": "http://web:3000/keys?v=1"},
            "http://web:3000/keys?v=1",
        ),
    ],
)
def test_the_keys_are_below_the_url_unless_they_are_elsewhere(changes: dict[str, str], url: str | None):
    assert settings_with(**changes).jwks_url == url


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("better_auth_url", "localhost:3000", "BETTER_AUTH_URL"),
        ("better_auth_url", "ftp://example.com", "BETTER_AUTH_URL"),
        ("better_auth_url", "https://ada:secret@example.com", "such as https://auth.example.com"),
        ("better_auth_url", "https://example.com/?a=b", "such as https://auth.example.com"),
        ("better_auth_jwks_url", "localhost:3000/keys", "BETTER_AUTH_JWKS_URL"),
        (
            "better_auth_jwks_url",
            "https://ada:secret@example.com/keys",
            "such as https://auth.example.com/api/auth/jwks",
        ),
        ("better_auth_jwks_url", "https://example.com/keys", "BETTER_AUTH_URL is missing"),
        ("better_auth_issuer", "taskwell", "BETTER_AUTH_ISSUER: 'taskwell' is the issuer of our own tokens"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str, words: str):
    with pytest.raises(InvalidSettings) as refused:
        read_settings(_env_file=None, secret_key=SECRET, **{name: value})

    assert words in str(refused.value)
    assert "secret@" not in str(refused.value)


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("better-auth-secret-12345678901234567890", "BETTER_AUTH_SECRET is a known default"),  # Better Auth's own
        ("too short", "BETTER_AUTH_SECRET needs at least 32 bytes"),
    ],
)
def test_production_refuses_a_weak_shared_secret(secret: str, words: str):
    assert settings_with(better_auth_secret=secret).better_auth_secret is not None

    with pytest.raises(InvalidSettings, match=words):
        read_settings(_env_file=None, environment="production", secret_key=SECRET, better_auth_secret=secret)


def test_no_secret_is_shown():
    settings = Settings(_env_file=None, secret_key=SECRET, secret_key_previous=SECRET, better_auth_secret=SHARED)

    assert SHARED not in repr(settings)
    assert SECRET not in repr(settings)
