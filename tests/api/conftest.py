"""Limits and providers, which the tests' application is without until a test turns them on."""

from collections.abc import AsyncIterator, Iterator

import pytest

from taskwell.api.gateway import Gateway
from taskwell.api.limits import Limits
from taskwell.settings import Settings
from tests.support.limiting import Clock, Limit
from tests.support.openid import Peer, taskwell_with


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limit(app: Gateway, settings: Settings, clock: Clock) -> Iterator[Limit]:
    """Turns limits on, with fresh counts; and off again after the test."""
    assert app.services is not None
    services, before = app.services, (app.services.settings, app.services.limits)

    def turn_on(**changes: object) -> None:
        services.settings = settings.model_copy(update={"rate_limit_per_minute": 5} | changes)
        services.limits = Limits(services.settings, clock)

    yield turn_on
    services.settings, services.limits = before


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with Peer() as peer:
        yield peer


@pytest.fixture
async def providing(app: Gateway, settings: Settings, peer: Peer) -> AsyncIterator[Gateway]:
    """Taskwell that knows the peer; ``app`` clears its database."""
    async with taskwell_with(settings, peer) as other:
        yield other
