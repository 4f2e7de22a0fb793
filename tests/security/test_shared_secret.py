"""Tokens that are signed with the secret that Better Auth shares."""

import pytest

from taskwell.security.claims import ExternalClaims
from taskwell.security.verifier import Verifier
from tests.security.conftest import refused, settings_with
from tests.support.issuer import SHARED, SUBJECT, Issuer, shared_secret_token


@pytest.mark.parametrize("claim", ["sub", "user_id", "userId", "id"])
async def test_the_shared_secrets_user_has_one_of_four_names_and_a_number_counts_as_its_text(claim: str):
    verifier = Verifier(settings_with(better_auth_secret=SHARED))

    for given, subject in (("u1", "u1"), (7, "7"), (0, "0")):
        claims = await verifier.verify(shared_secret_token(SHARED, **{claim: given}))
        assert isinstance(claims, ExternalClaims)
        assert (claims.issuer, claims.subject) == ("better-auth", subject)
    for wrong in (True, 7.5, "", ["u1"], {"id": "u1"}, "a\x00b", 10**30):
        await refused(verifier, shared_secret_token(SHARED, **{claim: wrong}))


async def test_sub_goes_first(verifier: Verifier):
    claims = await verifier.verify(shared_secret_token(SHARED, id="c", user_id="b", sub="a"))
    assert claims.subject == "a"
    claims = await verifier.verify(shared_secret_token(SHARED, id="d", userId="c", user_id="b"))
    assert claims.subject == "b"
    nobody = await refused(verifier, shared_secret_token(SHARED, email="u@example.com"))
    assert "none of sub, user_id, userId, id is there" in nobody


async def test_the_shared_secrets_users_are_those_of_the_urls_origin(verifier: Verifier, issuer: Issuer):
    by_secret = await verifier.verify(shared_secret_token(SHARED, user_id=SUBJECT))
    by_key = await verifier.verify(issuer.token())

    assert isinstance(by_secret, ExternalClaims)
    assert isinstance(by_key, ExternalClaims)
    assert by_secret.identity_id == by_key.identity_id


async def test_the_shared_secrets_issuer_and_audience_are_checked_where_configured(issuer: Issuer):
    verifier = Verifier(settings_with(better_auth_secret=SHARED, better_auth_issuer="me", better_auth_audience="you"))

    assert await verifier.verify(shared_secret_token(SHARED, sub="u", iss="me", aud="you")) is not None
    for wrong in ({}, {"iss": "me"}, {"aud": "you"}, {"iss": "me", "aud": "x"}, {"iss": "x", "aud": "you"}):
        await refused(verifier, shared_secret_token(SHARED, sub="u", **wrong))


async def test_the_secret_alone_takes_the_issuer_that_the_token_names():
    verifier = Verifier(settings_with(better_auth_secret=SHARED))

    claims = await verifier.verify(
        shared_secret_token(SHARED, sub="u", iss="http://a.example", aud="http://a.example")
    )

    assert isinstance(claims, ExternalClaims)
    assert claims.issuer == "http://a.example"


@pytest.mark.parametrize("issuer", ["x" * 256, "a\x00b"])
async def test_an_issuer_that_cannot_be_stored_is_nobodys(issuer: str):
    verifier = Verifier(settings_with(better_auth_secret=SHARED))

    await refused(verifier, shared_secret_token(SHARED, sub="u", iss=issuer))


async def test_two_users_of_an_issuer_and_one_of_two_issuers_are_not_the_same():
    verifier = Verifier(settings_with(better_auth_secret=SHARED))

    claims = [
        await verifier.verify(shared_secret_token(SHARED, iss=issuer, sub=subject))
        for issuer, subject in (("a", "u"), ("b", "u"), ("a", "w"), ("u", "a"))
    ]

    assert len({each.identity_id for each in claims if isinstance(each, ExternalClaims)}) == 4
