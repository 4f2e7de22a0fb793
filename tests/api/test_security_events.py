"""Security events: written down, kept apart, bounded, and free of secrets."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
import structlog
from sqlalchemy import func, select

from taskwell import worker
from taskwell.api import journal as journals
from taskwell.api.gateway import Gateway
from taskwell.api.journal import SecurityJournal
from taskwell.api.limits import Limits
from taskwell.database import Database, Query, now
from taskwell.database.lanes import DatabaseFull
from taskwell.settings import Settings
from taskwell.users import events
from taskwell.users.event_tables import SecurityEventRow
from taskwell.users.events import SecurityEvent
from tests.support.counted import counted
from tests.support.people import PASSWORD, Person

ACTIVITY = "/api/v1/users/me/activity"
BURST = 300
COUNT: Query[int] = Query(select(func.count()).select_from(SecurityEventRow), int)


@pytest.fixture
def journal(app: Gateway) -> SecurityJournal:
    assert app.services is not None
    return app.services.journal


async def settle(journal: SecurityJournal) -> None:
    """Ends the minute in which events of nobody are summed up."""
    journal._sum_up()
    await journal.flush()


async def kinds(person: Person) -> list[str]:
    return [event["kind"] for event in (await person.http.get(ACTIVITY)).json()["items"]]


async def test_a_user_sees_what_happened_to_the_account(nobody: httpx2.AsyncClient, ada: Person, eve: Person):
    await nobody.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})
    await nobody.post("/api/auth/login", json={"email": ada.email.upper(), "password": "wrong 12345"})
    await nobody.post("/api/v1/auth/token", data={"username": ada.email, "password": "wrong 12345"})

    items = (await ada.http.get(ACTIVITY)).json()["items"]

    assert [item["kind"] for item in items] == ["sign_in_failed", "sign_in_failed", "sign_in"]
    assert {item["address"] for item in items} == {"127.0.0.1"}
    assert items[0].keys() == {"id", "kind", "at", "address"}
    assert await kinds(eve) == []


async def test_signing_up_and_out_are_events_too(nobody: httpx2.AsyncClient):
    body = {"email": "new@example.com", "password": PASSWORD, "name": "New"}
    token = (await nobody.post("/api/v1/auth/signup", json=body)).json()["access_token"]
    await nobody.post("/api/v1/auth/logout", headers={"Authorization": f"Bearer {token}"})
    account = {"email": body["email"], "password": PASSWORD}
    token = (await nobody.post("/api/v1/auth/login", json=account)).json()["access_token"]

    answer = await nobody.get(ACTIVITY, headers={"Authorization": f"Bearer {token}"})

    assert [item["kind"] for item in answer.json()["items"]] == ["sign_in", "sign_out", "sign_up"]


async def test_a_lock_out_is_an_event(nobody: httpx2.AsyncClient, ada: Person, app: Gateway, settings: Settings):
    assert app.services is not None
    before = app.services.limits
    app.services.limits = Limits(settings.model_copy(update={"rate_limit_per_minute": 2}))
    try:
        for _ in range(4):
            await nobody.post("/api/v1/auth/login", json={"email": ada.email, "password": "wrong 12345"})
    finally:
        app.services.limits = before

    assert await kinds(ada) == ["locked_out", "sign_in_failed", "sign_in_failed"]


async def test_activity_comes_in_pages(ada: Person, journal: SecurityJournal):
    for number in range(7):
        journal.record("sign_in", f"203.0.113.{number}", user_id=ada.id)

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await ada.http.get(ACTIVITY, params={"limit": 3, "cursor": cursor})).json()
        seen += [item["address"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert seen == [f"203.0.113.{number}" for number in range(6, -1, -1)]


async def test_a_cursor_of_somebody_elses_activity_is_refused(ada: Person, eve: Person, journal: SecurityJournal):
    for _ in range(3):
        journal.record("sign_in", "203.0.113.7", user_id=ada.id)
    cursor = (await ada.http.get(ACTIVITY, params={"limit": 1})).json()["next_cursor"]

    assert (await eve.http.get(ACTIVITY, params={"cursor": cursor})).status_code == 400


async def test_no_secret_is_written_down(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, journal: SecurityJournal
):
    await ada.http.post("/api/v1/tasks", json={"title": "canary task"})
    with structlog.testing.capture_logs() as lines:
        for email, password in (
            (ada.email, "canary 12345"),
            ("canary@example.com", "x"),
            ("my canary password 1", "x"),
        ):
            await nobody.post("/api/v1/auth/login", json={"email": email, "password": password})
        await nobody.get("/api/v1/auth/me", headers={"Authorization": "Bearer canary.canary.canary"})
        await journal.flush()
    stored = await events.recent(database, since=now() - timedelta(hours=1))

    assert "canary" not in repr(stored)
    assert "canary" not in repr(lines)
    assert ada.email not in repr(lines)
    assert [line["kind"] for line in lines if line["event"] == "security event"].count("sign_in_failed") == 3


async def test_a_burst_of_forged_tokens_is_counted_whole_and_stored_as_a_few_rows(
    nobody: httpx2.AsyncClient, database: Database, journal: SecurityJournal
):
    before = counted("taskwell_security_events_total", kind="token_refused")
    await settle(journal)
    rows_before = await database.row(COUNT) or 0
    for number in range(BURST):
        answer = await nobody.get("/api/v1/auth/me", headers={"Authorization": f"Bearer forged.{number}.token"})
        assert answer.status_code == 401
    await settle(journal)

    rows = await events.recent(database, since=now() - timedelta(hours=1))
    assert (await database.row(COUNT) or 0) - rows_before <= 2
    assert sum(row.count for row in rows if row.kind == "token_refused") >= BURST - 1
    assert counted("taskwell_security_events_total", kind="token_refused") - before == BURST


async def test_refused_tokens_from_many_addresses_are_a_few_rows(database: Database, journal: SecurityJournal):
    await settle(journal)
    before = await database.row(COUNT) or 0
    for number in range(5_000):
        journal.token_refused(f"10.1.{number // 250}.{number % 250}")
    await settle(journal)

    assert (await database.row(COUNT) or 0) - before <= 2 * journals.ROWS_OF_NOBODY + 1
    rows = await events.recent(database, since=now() - timedelta(hours=1), limit=1_000)
    assert (
        sum(row.count for row in rows if row.kind == "token_refused" and (row.address or "10.1").startswith("10.1"))
        >= 5_000
    )


async def test_an_event_outlives_the_transaction_that_failed_and_waits_for_the_database(
    nobody: httpx2.AsyncClient, ada: Person, journal: SecurityJournal, database: Database
):
    async with database.transaction():
        answer = await nobody.post("/api/v1/auth/login", json={"email": ada.email, "password": "wrong 12345"})
        assert answer.status_code == 401

    assert await kinds(ada) == ["sign_in_failed"]


async def test_what_has_been_summed_up_is_not_counted_again_when_the_rest_is_tried_again(
    journal: SecurityJournal, ada: Person, database: Database, monkeypatch: pytest.MonkeyPatch
):
    await settle(journal)
    for number in range(30):
        journal.record("sign_in_failed", "203.0.113.7", email=f"nobody{number}@example.com")
    journal.record("sign_in_failed", "203.0.113.7", email=ada.email)

    async def full(*_: object) -> None:
        raise DatabaseFull("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(events, "keep", full)
        for _ in range(3):
            with pytest.raises(DatabaseFull):
                await journal.flush()
    await settle(journal)

    stored = await events.recent(database, since=now() - timedelta(hours=1))
    failures = [event for event in stored if event.address == "203.0.113.7"]
    assert sum(event.count for event in failures if event.user_id is None) == 30
    assert [event.count for event in failures if event.user_id == ada.id] == [1]


async def test_events_of_a_user_who_is_gone_are_dropped(ada: Person, journal: SecurityJournal, database: Database):
    gone = "01938d1b-1111-7222-8333-444455556666"
    journal.record("sign_in", "203.0.113.7", user_id=gone)
    journal.record("account_deleted", "203.0.113.7", subject=gone)
    journal.record("sign_in", "203.0.113.7", user_id=ada.id)
    await journal.flush()

    stored = await events.recent(database, since=now() - timedelta(minutes=5))
    assert [(event.kind, event.user_id) for event in stored if event.user_id == gone] == []
    assert any(event.kind == "account_deleted" and event.subject == gone for event in stored)
    assert await kinds(ada) == ["sign_in"]


async def test_what_is_old_or_too_much_is_forgotten(ada: Person, eve: Person, database: Database):
    await worker.purge(database)
    await events.keep(
        database,
        [
            SecurityEvent("sign_in", ada.id, None, at=now() - events.KEPT_FOR - timedelta(minutes=1)),
            SecurityEvent("sign_in", ada.id, None, at=now() - events.KEPT_FOR + timedelta(minutes=1)),
            *(SecurityEvent("sign_in", eve.id, None) for _ in range(events.KEPT_OF_A_USER + 5)),
        ],
    )

    assert (await worker.purge(database))["security_events"] == 6
    assert await kinds(ada) == ["sign_in"]
    kept = await events.recent(database, since=now() - timedelta(hours=1), user_id=eve.id, limit=2_000)
    assert len(kept) == events.KEPT_OF_A_USER
    assert (await worker.purge(database))["security_events"] == 0


async def test_of_nobodys_events_the_newest_are_kept(database: Database, monkeypatch: pytest.MonkeyPatch):
    await worker.purge(database)
    monkeypatch.setattr(events, "KEPT_OF_NOBODY", 3)
    await events.keep(database, [SecurityEvent("token_refused", None, str(number)) for number in range(8)])
    for _ in range(3):
        await events.thin(database, None, 2)

    left = await events.recent(database, since=now() - timedelta(hours=1))

    assert [event.address for event in left] == ["7", "6", "5"]


async def test_the_journal_is_written_when_the_process_ends(app: Gateway, ada: Person, settings: Settings):
    assert app.services is not None
    ending = SecurityJournal(app.services.database, settings)
    ending.record("sign_in", "203.0.113.7", user_id=ada.id)
    for number in range(3):
        ending.token_refused(f"192.0.2.{number}")
    await ending.close()

    assert await kinds(ada) == ["sign_in"]


async def test_signing_in_does_not_wait_for_the_journal(
    nobody: httpx2.AsyncClient, ada: Person, journal: SecurityJournal
):
    async with journal._writing:  # as while its rows are being stored, however long that takes
        async with asyncio.timeout(5):
            answer = await nobody.post("/api/v1/auth/login", json={"email": ada.email, "password": PASSWORD})
        assert answer.status_code == 200

    assert await kinds(ada) == ["sign_in"]
