"""Our own tokens: what they say of their time."""

from datetime import datetime, timedelta

import pytest

from taskwell.database import now
from taskwell.security import tokens
from taskwell.security.tokens import AccessToken
from taskwell.security.verifier import Verifier
from tests.conftest import SECRET
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


@pytest.mark.parametrize(("ahead", "is_good"), [(4, True), (60, False)])
async def test_the_clock_that_a_token_was_issued_by_may_be_five_seconds_ahead(
    verifier: Verifier, issuer: Issuer, ahead: int, is_good: bool
):
    at = now() + timedelta(seconds=ahead)

    assert (await verifier.verify(issued(at).text) is not None) == is_good
    assert (await verifier.verify(issuer.token(iat=int(at.timestamp()))) is not None) == is_good
