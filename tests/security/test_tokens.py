"""Our own tokens: what they say of their time."""

from datetime import datetime, timedelta

import jwt

from taskwell.database import now
from taskwell.security import tokens
from taskwell.security.tokens import AccessToken
from taskwell.security.verifier import Verifier
from tests.conftest import SECRET
from tests.security.conftest import refused
from tests.support.issuer import Issuer

OURS = "01938d1b-1111-7222-8333-444455556666"
DAY = timedelta(days=1)


def issued(at: datetime, lifetime: timedelta = DAY) -> AccessToken:
    return tokens.issue(OURS, key=SECRET, algorithm="HS256", now=at, lifetime=lifetime)


async def test_a_token_ends_when_its_receiver_was_told(verifier: Verifier):
    token = issued(now().replace(microsecond=987_654))

    claims = await verifier.verify(token.text)

    assert claims is not None
    assert claims.expires_at == token.expires_at


async def test_the_clock_that_a_token_was_issued_by_may_be_thirty_seconds_ahead(verifier: Verifier, issuer: Issuer):
    soon, late = now() + timedelta(seconds=29), now() + timedelta(minutes=1)

    assert await verifier.verify(issued(soon).text) is not None
    assert await verifier.verify(issuer.token(iat=int(soon.timestamp()))) is not None
    await refused(verifier, issued(late).text)
    await refused(verifier, issuer.token(iat=int(late.timestamp())))


async def test_a_token_says_when_its_user_signed_in(verifier: Verifier):
    at = now()

    claims = jwt.decode(issued(at).text, options={"verify_signature": False})

    assert set(claims) == {"iss", "aud", "sub", "iat", "exp", "jti", "auth_time"}
    assert claims["auth_time"] == int(at.timestamp())
