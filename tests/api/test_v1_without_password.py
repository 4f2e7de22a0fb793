"""v1: a local user without a password, as a provider's sign-in makes them, and what stands in for it."""

from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import update

from taskwell.api.gateway import Gateway
from taskwell.database import Database, Query
from taskwell.users.tables import UserRow
from tests.api.test_v1_sessions import signed_in
from tests.support.letters import problem
from tests.support.people import Person, client

NEW = "engine 1852"
PASSWORD_PATH = "/api/v1/auth/password"


@pytest.fixture
async def bare(ada: Person, database: Database) -> Person:
    """ada, without a password."""
    await database.rows(Query(update(UserRow).values(password_hash=None), lambda *_: None))
    return ada


async def login(app: Gateway, person: Person) -> int:
    answer = await client(app).post("/api/v1/auth/login", json={"email": person.email, "password": NEW})
    return answer.status_code


async def test_the_own_id_soon_after_a_sign_in_gives_the_first_password(app: Gateway, bare: Person):
    answer = await bare.http.post(PASSWORD_PATH, json={"confirm": bare.id, "new_password": NEW})

    assert answer.status_code == 204
    assert await login(app, bare) == 200
    again = await bare.http.post(PASSWORD_PATH, json={"confirm": bare.id, "new_password": "engine 1861"})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "current_password")


async def send(http: httpx2.AsyncClient, way: str, given: dict[str, str]) -> httpx2.Response:
    if way == "password":
        return await http.post(PASSWORD_PATH, json={"new_password": NEW} | given)
    if way == "e-mail":
        return await http.patch("/api/v1/users/me", json={"email": "lovelace@example.com"} | given)
    return await http.request("DELETE", "/api/v1/users/me", json=given)


WAYS = ["password", "e-mail", "deletion"]


@pytest.mark.parametrize("way", WAYS)
async def test_an_older_sign_in_has_to_be_repeated_and_a_renewal_makes_it_no_newer(
    app: Gateway, bare: Person, way: str
):
    late = signed_in(app, bare, timedelta(minutes=10))
    renewed = (await late.post("/api/v1/auth/renew")).json()["access_token"]
    for http in (late, client(app, {"Authorization": f"Bearer {renewed}"})):
        assert await problem(await send(http, way, {"confirm": bare.id})) == (403, "sign_in_again")

    assert (await send(signed_in(app, bare, timedelta(minutes=9)), way, {"confirm": bare.id})).is_success


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("given", [{}, {"confirm": "somebody else"}])
async def test_without_the_own_id_nothing_changes(app: Gateway, bare: Person, way: str, given: dict[str, str]):
    answer = await send(bare.http, way, given)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "confirm")
    assert (await bare.http.get("/api/v1/users/me")).json()["pending_email"] is None
    assert await login(app, bare) == 401


@pytest.mark.parametrize("way", WAYS)
async def test_who_has_a_password_gives_it(ada: Person, way: str):
    answer = await send(ada.http, way, {"confirm": ada.id})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in ("current_password", "password")
