"""Limits, which the tests' application is without until a test turns them on."""

from collections.abc import Iterator

import pytest

from taskwell.api.gateway import Gateway
from taskwell.api.limits import Limits
from taskwell.settings import Settings
from tests.support.limiting import Clock, Limit


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
