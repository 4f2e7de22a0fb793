"""The message, and how its way to the mail server is made safe."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from taskwell.delivery.mail import due_phrase
from taskwell.mail.smtp import tls_mode
from taskwell.settings import Settings
from tests.support.deliveries import AT_NOON


@pytest.mark.parametrize(
    ("changes", "mode"),
    [
        ({}, "auto"),
        ({"smtp_port": 465}, "on"),
        ({"smtp_password": "hunter2"}, "starttls"),
        ({"smtp_password": "hunter2", "smtp_tls": "off"}, "off"),
        ({"smtp_port": 465, "smtp_tls": "starttls"}, "starttls"),
    ],
)
def test_a_password_travels_in_the_clear_only_where_that_is_asked_for(changes: dict[str, Any], mode: str):
    assert tls_mode(Settings(_env_file=None, environment="test", smtp_host="mail.example.com", **changes)) == mode


@pytest.mark.parametrize(
    ("due_date", "due_at", "phrase"),
    [
        (date(2026, 12, 4), None, "Due on Friday, 4 December 2026."),
        (
            None,
            datetime(2026, 12, 4, 23, 30, tzinfo=UTC),
            "Due on Saturday, 5 December 2026 at 00:30 (Europe/Berlin).",
        ),
        (None, None, ""),
    ],
)
def test_what_is_due_is_told_in_the_users_own_time(due_date: date | None, due_at: datetime | None, phrase: str):
    timing = replace(AT_NOON, due_date=due_date, due_at=due_at, due_key=due_at, time_zone="Europe/Berlin")

    assert due_phrase(timing) == phrase
