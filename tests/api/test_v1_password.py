"""v1: changing one's password, which signs every other device out."""

import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import update

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database, Query, now
from taskwell.settings import Settings
from taskwell.users.tables import UserRow
from tests.conftest import running
from tests.support.people import PASSWORD, Person, client

NEW = "engine 1852"
CHANGE = {"current_password": PASSWORD, "new_password": NEW}


async def sign_in(app: Gateway, person: Person, password: str = PASSWORD):
    """A client with a token of its own."""
    body = {"email": person.email, "password": password}
    answer = await client(app).post("/api/v1/auth/login", json=body)
    assert answer.status_code == 200
    return client(app, {"Authorization": f"Bearer {answer.json()['access_token']}"})


async def test_the_new_password_is_good_and_the_old_one_is_not(ada: Person, nobody):
    answer = await ada.http.post("/api/v1/auth/password", json=CHANGE)

    assert (answer.status_code, answer.content) == (204, b"")
    for password, status in ((NEW, 200), (PASSWORD, 401)):
        login = {"email": ada.email, "password": password}
        assert (await nobody.post("/api/v1/auth/login", json=login)).status_code == status


async def test_a_change_that_lies_in_the_future_locks_nobody_out_and_the_next_is_later_still(
    app: Gateway, database: Database, ada: Person
):
    """The clock was an hour ahead, and has been set right."""
    at = now() + timedelta(hours=1)
    await database.rows(Query(update(UserRow).values(tokens_valid_after=at), lambda *_: None))
    phone, laptop = await sign_in(app, ada), await sign_in(app, ada)

    assert (await phone.get("/api/v1/tasks")).status_code == 200
    assert (await laptop.post("/api/v1/auth/password", json=CHANGE)).status_code == 204
    assert [(await device.get("/api/v1/tasks")).status_code for device in (laptop, phone)] == [200, 401]
    assert (await (await sign_in(app, ada, NEW)).get("/api/v1/tasks")).status_code == 200


async def test_every_other_token_is_refused_at_once_and_this_one_is_not(app: Gateway, ada: Person, eve: Person):
    phone, laptop = await sign_in(app, ada), await sign_in(app, ada)
    for device in (phone, laptop, ada.http):
        assert (await device.get("/api/v1/tasks")).status_code == 200

    assert (await laptop.post("/api/v1/auth/password", json=CHANGE)).status_code == 204

    assert (await laptop.get("/api/v1/tasks")).status_code == 200
    for device in (phone, ada.http):
        answer = await device.get("/api/v1/tasks")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert (await eve.http.get("/api/v1/tasks")).status_code == 200
    assert (await (await sign_in(app, ada, NEW)).get("/api/v1/tasks")).status_code == 200


async def test_a_second_change_refuses_the_token_that_the_first_one_left(app: Gateway, ada: Person):
    await ada.http.post("/api/v1/auth/password", json=CHANGE)
    phone = await sign_in(app, ada, NEW)

    change = {"current_password": NEW, "new_password": "engine 1861"}
    assert (await phone.post("/api/v1/auth/password", json=change)).status_code == 204

    assert (await ada.http.get("/api/v1/tasks")).status_code == 401
    assert (await phone.get("/api/v1/tasks")).status_code == 200


async def test_other_processes_refuse_within_two_seconds(app: Gateway, ada: Person, settings: Settings):
    async with running(create_app(settings)) as other:
        elsewhere = client(other, dict(ada.http.headers))
        laptop = await sign_in(app, ada)
        laptop_elsewhere = client(other, dict(laptop.headers))
        for device in (elsewhere, laptop_elsewhere):
            assert (await device.get("/api/v1/tasks")).status_code == 200

        await laptop.post("/api/v1/auth/password", json=CHANGE)

        ends = time.monotonic() + 2
        while (await elsewhere.get("/api/v1/tasks")).status_code != 401:
            assert time.monotonic() < ends
            await asyncio.sleep(0.05)
        assert (await laptop_elsewhere.get("/api/v1/tasks")).status_code == 200


async def test_a_wrong_current_password_is_a_403_and_changes_nothing(ada: Person):
    wrong = CHANGE | {"current_password": "engine 1844"}

    answer = await ada.http.post("/api/v1/auth/password", json=wrong)

    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
    assert (await ada.http.post("/api/v1/auth/password", json=CHANGE)).status_code == 204


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("short 1", "8 to 128"),
        ("x" * 128 + "1", "8 to 128"),
        ("only letters", "letter and one digit"),
        ("1234 5678", "letter and one digit"),
        ("ada@example.com1", None),
        ("Password1", "most common"),
        ("PASSWORD123", "most common"),
        ("Qwerty123", "most common"),
        ("1q2w3e4r", "most common"),
        ("trustno1", "most common"),
        ("contraseña123 🔑", None),
        ("é" * 60 + "1", None),
    ],
)
async def test_the_new_password_keeps_the_rules(ada: Person, password: str, rule: str | None):
    answer = await ada.http.post("/api/v1/auth/password", json=CHANGE | {"new_password": password})

    if rule is None:
        assert answer.status_code == 204
        return
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["type"]) == ("new_password", "weak_password")
    assert rule in error["message"]
    assert password not in answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "new_password"),
        ({"current_password": PASSWORD}, "new_password"),
        ({"new_password": NEW}, "current_password"),
        (CHANGE | {"new_password": None}, "new_password"),
        (CHANGE | {"new_password": 12345678}, "new_password"),
        (CHANGE | {"new_password": "engine\x001852"}, "new_password"),
        (CHANGE | {"email": "x@example.com"}, "email"),
    ],
)
async def test_a_body_that_breaks_a_rule_names_its_field(ada: Person, body: dict, field: str):
    answer = await ada.http.post("/api/v1/auth/password", json=body)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_of_two_changes_at_once_one_wins(ada: Person, nobody):
    passwords = ["engine 1852", "engine 1861"]

    answers = await asyncio.gather(
        *(ada.http.post("/api/v1/auth/password", json=CHANGE | {"new_password": new}) for new in passwords)
    )

    assert sorted(answer.status_code for answer in answers) == [204, 403]
    logins = [
        await nobody.post("/api/v1/auth/login", json={"email": ada.email, "password": new}) for new in passwords
    ]
    assert [login.status_code == 200 for login in logins] == [answer.status_code == 204 for answer in answers]


async def test_a_repeated_change_happens_once(app: Gateway, ada: Person):
    key = {"Idempotency-Key": "change-1"}
    phone = await sign_in(app, ada)

    first = await ada.http.post("/api/v1/auth/password", json=CHANGE, headers=key)
    again = await ada.http.post("/api/v1/auth/password", json=CHANGE, headers=key)

    assert (first.status_code, again.status_code) == (204, 204)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await phone.get("/api/v1/tasks")).status_code == 401


async def test_a_logout_inside_an_idempotent_request_holds_at_once(ada: Person):
    answer = await ada.http.post("/api/v1/auth/logout", headers={"Idempotency-Key": "bye"})

    assert answer.status_code == 200
    assert (await ada.http.get("/api/v1/tasks")).status_code == 401


async def test_nobody_changes_it_without_a_token(nobody):
    assert (await nobody.post("/api/v1/auth/password", json=CHANGE)).status_code == 401
