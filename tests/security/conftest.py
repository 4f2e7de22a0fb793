"""An issuer, and what judges its tokens."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from taskwell.errors import InvalidToken
from taskwell.security.verifier import Verifier
from taskwell.settings import Settings
from tests.conftest import SECRET
from tests.support.issuer import SHARED, Issuer


def settings_with(**changes: Any) -> Settings:
    return Settings(_env_file=None, environment="test", secret_key=SECRET, **changes)


async def refused(verifier: Verifier, token: str) -> str:
    """The reason that a caller with this token is given."""
    with pytest.raises(InvalidToken) as refusal:
        await verifier.verify(token)
    return refusal.value.detail


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer() as issuer:
        yield issuer


@pytest.fixture
def verifier(issuer: Issuer) -> Verifier:
    """One that knows every kind of token."""
    return Verifier(settings_with(better_auth_url=issuer.url, better_auth_secret=SHARED))
