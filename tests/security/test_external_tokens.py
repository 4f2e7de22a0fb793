"""What Better Auth's tokens may look like, and what a caller is told where one is refused."""

import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from taskwell.security.claims import ExternalClaims
from taskwell.security.verifier import Verifier
from tests.security.conftest import refused, settings_with
from tests.support.issuer import SHARED, SUBJECT, Issuer, public_jwk, shared_secret_token


async def test_the_keys_may_be_at_another_address_and_behind_a_redirect(issuer: Issuer):
    issuer.path, issuer.redirects = "/keys/", {"/keys": "/keys/"}
    verifier = Verifier(settings_with(better_auth_url=issuer.url, better_auth_jwks_url=f"{issuer.url}/keys"))

    assert (await verifier.verify(issuer.token())).subject == SUBJECT


@pytest.mark.parametrize("name", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("published", ["EdDSA", "Ed25519", None])
async def test_both_names_of_ed25519_are_one_algorithm(
    verifier: Verifier, issuer: Issuer, name: str, published: str | None
):
    issuer.keys = [{k: v for k, v in (public_jwk("EdDSA") | {"alg": published}).items() if v is not None}]

    claims = await verifier.verify(issuer.token(algorithm=name, header={"kid": "key-EdDSA"}))

    assert claims.subject == SUBJECT


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exp": 1}, "expired"),
        ({"exp": None}, 'missing the "exp" claim'),
        ({"iat": 4_000_000_000}, "not yet valid (iat)"),
        ({"nbf": 4_000_000_000}, "not yet valid (nbf)"),
        ({"aud": "https://other.example"}, "Audience"),
        ({"iss": "https://other.example"}, "issuer"),
        ({"sub": ""}, "the user's id is not a text of 1 to 255 characters"),
        ({"header": {}}, "kid is missing"),
        ({"header": {"kid": "unknown"}}, "no key for this kid and EdDSA is published"),
        ({"algorithm": "ES384", "key": ec.generate_private_key(ec.SECP384R1())}, "alg is not one of"),
    ],
)
async def test_a_refusal_gives_its_true_reason(
    verifier: Verifier, issuer: Issuer, changes: dict[str, Any], words: str
):
    assert words in await refused(verifier, issuer.token(**changes))


async def test_the_issuers_word_that_an_e_mail_is_verified_is_read(verifier: Verifier, issuer: Issuer):
    for given, read in ((True, True), (False, False), (None, False), ("true", False), (1, False)):
        claims = await verifier.verify(issuer.token(emailVerified=given))
        assert isinstance(claims, ExternalClaims)
        assert claims.email_verified is read
    snake = await verifier.verify(shared_secret_token(SHARED, sub="u", email_verified=True))
    assert isinstance(snake, ExternalClaims)
    assert snake.email_verified


@pytest.mark.parametrize("claim", ["iat", "nbf"])
async def test_the_issuers_clock_may_be_thirty_seconds_ahead(verifier: Verifier, issuer: Issuer, claim: str):
    def token(ahead: int) -> str:
        changes: dict[str, Any] = {claim: int(time.time()) + ahead}
        return issuer.token(**changes)

    assert (await verifier.verify(token(28))).subject == SUBJECT
    assert "not yet valid" in await refused(verifier, token(40))
