"""What is kept in memory, and waited for, has an end."""

import asyncio
from collections.abc import Callable

import httpx2
import pytest

from taskwell.api import identity, limits
from taskwell.api import journal as journals
from taskwell.api.gateway import Gateway
from taskwell.api.journal import SecurityJournal
from taskwell.api.limits import Limits
from taskwell.database import Database
from taskwell.errors import Unavailable
from taskwell.settings import Settings
from taskwell.users import events
from tests.support.counted import counted
from tests.support.people import PASSWORD, Person


def lost() -> float:
    return counted("taskwell_security_events_lost_total")


@pytest.fixture
def journal(database: Database, settings: Settings) -> SecurityJournal:
    """One that nobody else writes to."""
    return SecurityJournal(database, settings)


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    def break_(error: Exception) -> None:
        async def refuse(*_: object) -> None:
            raise error

        monkeypatch.setattr(events, "keep", refuse)

    return break_


async def test_of_more_tokens_than_are_remembered_all_are_good(
    app: Gateway, ada: Person, eve: Person, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(identity, "MAX_ENTRIES", 1)
    assert app.services is not None
    app.services.identities._entries.clear()  # those of other tests
    app.services.identities._by_name.clear()

    for person in (ada, eve, ada):
        assert (await person.http.get("/api/v1/auth/me")).json()["id"] == person.id

    assert len(app.services.identities._entries) == 1


async def test_events_that_find_no_room_are_counted(
    journal: SecurityJournal, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(journals, "MAX_WAITING", 1)
    before = lost()

    for _ in range(3):
        journal.record("sign_in", "127.0.0.1", user_id=ada.id)

    assert lost() - before == 2
    await journal.close()
    assert [event["kind"] for event in (await ada.http.get("/api/v1/users/me/activity")).json()["items"]] == [
        "sign_in"
    ]


async def test_events_that_cannot_be_stored_for_a_reason_of_our_own_are_counted_and_dropped(
    journal: SecurityJournal, ada: Person, breaking: Callable[[Exception], None]
):
    breaking(ValueError("a bug"))
    before = lost()

    journal.record("sign_in", "127.0.0.1", user_id=ada.id)
    assert journal._writer is not None
    await asyncio.wait_for(journal._writer, 10)

    assert lost() - before == 1
    await journal.close()


async def test_events_that_still_wait_for_the_database_at_the_end_are_counted(
    journal: SecurityJournal, ada: Person, breaking: Callable[[Exception], None]
):
    breaking(Unavailable("The database cannot be reached."))
    before = lost()

    journal.record("sign_in", "127.0.0.1", user_id=ada.id)
    await asyncio.sleep(2 * journals.PAUSE_SECONDS)
    assert lost() == before, "it tries again"
    await journal.close()

    assert lost() - before == 1


async def test_who_finds_no_place_among_the_attempts_is_told_to_come_later(
    app: Gateway, nobody: httpx2.AsyncClient, ada: Person, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limits, "PATIENCE_SECONDS", 0.0)
    assert app.services is not None
    monkeypatch.setattr(app.services, "limits", Limits(settings.model_copy(update={"rate_limit_per_minute": 1})))
    account = {"email": ada.email, "password": PASSWORD}

    answers = await asyncio.gather(*(nobody.post("/api/v1/auth/login", json=account) for _ in range(3)))

    assert sorted(answer.status_code for answer in answers) == [200, 429, 429]
    assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 429} == {"1"}
