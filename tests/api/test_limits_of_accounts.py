"""An account that many fail to sign in to stays open to its owner, and closes for everybody else."""

import asyncio
from datetime import date, timedelta

import httpx2
import pytest
from sqlalchemy import func, select, update

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.api.limits import MAX_FROM_ANYWHERE
from taskwell.database import Database, Query, now
from taskwell.users.tables import KnownGroupRow
from tests.support.limiting import WAYS_IN, Clock, Limit, networks, sign_in, via
from tests.support.people import PASSWORD, Person

HOME, ABROAD = "203.0.113.50", "192.0.2.1"
ROWS: Query[int] = Query(select(func.count()).select_from(KnownGroupRow), int)


async def fail_from_everywhere(nobody: httpx2.AsyncClient, email: str, number: int = MAX_FROM_ANYWHERE) -> list[int]:
    answers = [await sign_in(nobody, email, **via(f"198.51.{n // 250}.{n % 250}")) for n in range(number)]
    return [answer.status_code for answer in answers]


@pytest.fixture
def limited(limit: Limit) -> None:
    limit(trusted_proxies=networks("127.0.0.0/8"))


@pytest.mark.usefixtures("limited")
async def test_after_fifty_failures_from_anywhere_only_known_addresses_may_try(
    nobody: httpx2.AsyncClient, ada: Person, clock: Clock
):
    assert (await sign_in(nobody, ada.email, PASSWORD, **via(HOME))).status_code == 200
    assert await fail_from_everywhere(nobody, ada.email) == [401] * 50

    for way in WAYS_IN:
        assert (await sign_in(nobody, ada.email, PASSWORD, way, **via(HOME))).status_code == 200
        refused = await sign_in(nobody, ada.email, PASSWORD, way, **via(ABROAD))
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "3600"
        assert refused.headers["ratelimit-policy"] == '"sign-in";q=50;w=3600'

    clock.at += 3600
    assert (await sign_in(nobody, ada.email, PASSWORD, **via(ABROAD))).status_code == 200


@pytest.mark.usefixtures("limited")
async def test_from_a_known_address_wrong_passwords_still_lock_out(nobody: httpx2.AsyncClient, ada: Person):
    await sign_in(nobody, ada.email, PASSWORD, **via(HOME))
    await fail_from_everywhere(nobody, ada.email)

    assert [(await sign_in(nobody, ada.email, **via(HOME))).status_code for _ in range(6)] == [401] * 5 + [429]


@pytest.mark.usefixtures("limited")
async def test_an_address_is_known_to_its_own_account_alone(nobody: httpx2.AsyncClient, ada: Person, eve: Person):
    await sign_in(nobody, eve.email, PASSWORD, **via(HOME))
    await fail_from_everywhere(nobody, ada.email)

    assert (await sign_in(nobody, ada.email, PASSWORD, **via(HOME))).status_code == 429
    assert (await sign_in(nobody, eve.email, PASSWORD, **via(ABROAD))).status_code == 200


@pytest.mark.usefixtures("limited")
async def test_who_opened_an_account_is_known_there(nobody: httpx2.AsyncClient):
    account = {"email": "ben@example.com", "password": PASSWORD, "name": "Ben"}
    assert (await nobody.post("/api/v1/auth/signup", json=account, headers=via(HOME))).status_code == 201
    await fail_from_everywhere(nobody, "ben@example.com")

    assert (await sign_in(nobody, "ben@example.com", PASSWORD, **via(HOME))).status_code == 200


@pytest.mark.parametrize(("days", "status"), [(30, 200), (31, 429)])
@pytest.mark.usefixtures("limited")
async def test_an_address_is_known_for_thirty_days(
    nobody: httpx2.AsyncClient, ada: Person, database: Database, days: int, status: int
):
    await sign_in(nobody, ada.email, PASSWORD, **via(HOME))
    await set_last(database, now().date() - timedelta(days=days))
    await fail_from_everywhere(nobody, ada.email)

    assert (await sign_in(nobody, ada.email, PASSWORD, **via(HOME))).status_code == status


async def set_last(database: Database, day: date) -> None:
    await database.rows(Query(update(KnownGroupRow).values(last_on=day), lambda *_: None))


@pytest.mark.usefixtures("limited")
async def test_a_sign_in_renews_what_is_known_and_what_is_old_is_purged(
    nobody: httpx2.AsyncClient, ada: Person, database: Database
):
    for address in (HOME, HOME, ABROAD):
        await sign_in(nobody, ada.email, PASSWORD, **via(address))
    assert await database.row(ROWS) == 2

    await set_last(database, now().date() - timedelta(days=31))
    await sign_in(nobody, ada.email, PASSWORD, **via(HOME))
    assert await users.purge_known_groups(database, 10) == 1
    assert await database.row(Query(select(KnownGroupRow.last_on), lambda day: day)) == now().date()


@pytest.mark.usefixtures("limited")
async def test_no_address_can_be_read_from_what_is_known(nobody: httpx2.AsyncClient, ada: Person, database: Database):
    await sign_in(nobody, ada.email, PASSWORD, **via(HOME))

    (group,) = await database.rows(Query(select(KnownGroupRow.group_hash), str))
    assert len(bytes.fromhex(group)) == 16


@pytest.mark.usefixtures("limited")
async def test_of_a_hundred_wrong_passwords_from_as_many_addresses_at_once_fifty_are_looked_at(
    nobody: httpx2.AsyncClient, ada: Person
):
    answers = await asyncio.gather(*(sign_in(nobody, ada.email, **via(f"198.51.100.{n}")) for n in range(100)))

    assert sorted(answer.status_code for answer in answers) == [401] * 50 + [429] * 50


@pytest.mark.usefixtures("limited")
async def test_the_own_password_may_be_given_fifty_times_wrong_from_anywhere(ada: Person):
    change = {"current_password": "wrong 12345", "new_password": "engine 1852"}
    answers = [
        await ada.http.post("/api/v1/auth/password", json=change, headers=via(f"198.51.100.{n}")) for n in range(52)
    ]

    assert [answer.status_code for answer in answers] == [403] * 50 + [429] * 2


async def test_without_limits_nobody_is_shut_out(nobody: httpx2.AsyncClient, ada: Person, limit: Limit, app: Gateway):
    limit(trusted_proxies=networks("127.0.0.0/8"), rate_limit_per_minute=0)
    assert await fail_from_everywhere(nobody, ada.email, 55) == [401] * 55

    assert (await sign_in(nobody, ada.email, PASSWORD, **via(ABROAD))).status_code == 200
