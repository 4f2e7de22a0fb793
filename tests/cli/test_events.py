"""``taskwell users events``."""

from pathlib import Path

import httpx2
import pytest

from taskwell.api.gateway import Gateway
from taskwell.settings import Settings
from tests.conftest import SECRET
from tests.support.command import taskwell
from tests.support.people import PASSWORD, Person


async def test_the_operator_sees_what_happened_to_whom(
    app: Gateway, settings: Settings, nobody: httpx2.AsyncClient, ada: Person, eve: Person, tmp_path: Path
):
    for person, password in ((ada, PASSWORD), (ada, "wrong 12345"), (eve, PASSWORD)):
        await nobody.post("/api/v1/auth/login", json={"email": person.email, "password": password})
    assert app.services is not None
    await app.services.journal.flush()

    def events(*options: str) -> list[list[str]]:
        shown = taskwell(tmp_path, "users", "events", *options, DATABASE_URL=settings.database_url, SECRET_KEY=SECRET)
        assert shown.code == 0, shown.complaint
        return [line.split()[1:] for line in shown.output.splitlines()]

    assert events() == [
        ["sign_in", "127.0.0.1", eve.id],
        ["sign_in_failed", "127.0.0.1", ada.id],
        ["sign_in", "127.0.0.1", ada.id],
    ]
    assert [kind for kind, *_ in events("--email", "ADA@example.com", "--since", "1h")] == [
        "sign_in_failed",
        "sign_in",
    ]
    assert events("--since", "2099-01-01") == []
    assert len(events("--limit", "1", "--since", "2020-01-01T00:00:00+02:00")) == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--since", "yesterday"],
        ["--since", "7w"],
        ["--since", "999999d"],
        ["--since", "0001-01-01T00:00+14:00"],
        ["--limit", "0"],
        ["--email", "nobody@example.com"],
    ],
)
def test_what_cannot_be_shown_is_told(tmp_path: Path, options: list[str]):
    outcome = taskwell(tmp_path, "users", "events", *options)

    assert outcome.code in (1, 2)
    assert outcome.output == ""
    assert "Traceback" not in outcome.complaint
