"""A real mail server, a real HTTP receiver, and settings that send to them."""

from collections.abc import AsyncIterator

import pytest

from taskwell.settings import Settings
from tests.support.receiver import Receiver
from tests.support.smtp import Mailbox


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def sending(settings: Settings, mailbox: Mailbox) -> Settings:
    return settings.model_copy(
        update={
            "smtp_host": "127.0.0.1",
            "smtp_port": mailbox.port,
            "webhook_allow_private": True,
            "worker_poll_seconds": 0.1,
        }
    )
