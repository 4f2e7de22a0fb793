"""v1: what the second factor refuses, and that guessing is limited."""

import httpx2
import pytest
from sqlalchemy import update

from taskwell.api.gateway import Gateway
from taskwell.database import Database, Query, now
from taskwell.users.tables import UserRow
from tests.support.authenticator import BEGIN, TOTP, Authenticator, answer, challenge_of
from tests.support.letters import problem
from tests.support.limiting import Limit
from tests.support.people import PASSWORD, Person, arrive

LOGIN = "/api/v1/auth/login"


async def test_a_wrong_code_confirms_nothing(nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator):
    assert await problem(await ada.http.post(f"{TOTP}/confirm", json={"code": "123456"})) == (409, "conflict")
    authenticator.secret = (await ada.http.post(TOTP, json=BEGIN)).json()["secret"]
    authenticator.at = now()
    wrong = authenticator.code()[::-1]

    for code in (wrong if wrong != wrong[::-1] else "000001", "12345", "abc", "\uff11" * 6):
        assert await problem(await ada.http.post(f"{TOTP}/confirm", json={"code": code})) == (403, "wrong_code")
    assert (await ada.http.post(f"{TOTP}/confirm", json={"code": ""})).status_code == 422
    login = {"email": ada.email, "password": PASSWORD}
    assert (await nobody.post(LOGIN, json=login)).status_code == 200


async def test_an_unconfirmed_user_cannot_turn_it_on(app: Gateway):
    bob = await arrive(app, "bob", is_confirmed=False)

    assert await problem(await bob.http.post(TOTP, json=BEGIN)) == (409, "email_unverified")


async def test_a_session_that_was_refused_elsewhere_turns_nothing_on(database: Database, ada: Person):
    await ada.http.get("/api/v1/users/me")
    refused = update(UserRow).values(tokens_valid_after=now(), kept_token_id=None)
    await database.rows(Query(refused, lambda *_: None))

    assert await problem(await ada.http.post(TOTP, json=BEGIN)) == (401, "invalid_token")


async def test_wrong_codes_count_as_failed_sign_ins(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator, limit: Limit
):
    await authenticator.turn_on(ada)
    limit()
    challenge = await challenge_of(nobody, ada)
    for _ in range(5):
        assert (await answer(nobody, challenge, "000000")).status_code == 401
    assert (await answer(nobody, challenge, authenticator.code())).status_code == 429
    login = {"email": ada.email, "password": PASSWORD}
    assert (await nobody.post(LOGIN, json=login)).status_code == 429


async def test_the_right_password_forgives_no_wrong_code(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator, limit: Limit
):
    await authenticator.turn_on(ada)
    limit()
    statuses = []
    for _ in range(6):
        login = await nobody.post(LOGIN, json={"email": ada.email, "password": PASSWORD})
        if login.status_code == 429:
            break
        statuses.append((await answer(nobody, login.json()["challenge"], "000000")).status_code)

    assert statuses == [401] * 5


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"challenge": "x"},
        {"code": "123456"},
        {"challenge": 1, "code": "123456"},
        {"challenge": "x", "code": 123456},
        {"challenge": "x", "code": "1" * 65},
        {"challenge": "x\x00", "code": "123456"},
        {"challenge": "x", "code": "123456", "email": "ada@example.com"},
    ],
)
async def test_an_answer_that_breaks_a_rule_is_a_422(nobody: httpx2.AsyncClient, body: dict):
    assert (await nobody.post("/api/v1/auth/login/totp", json=body)).status_code == 422


async def test_a_challenge_that_never_was_is_over(nobody: httpx2.AsyncClient):
    for guess in ("x", "", "é" * 1_000):
        assert await problem(await answer(nobody, guess, "123456")) == (401, "challenge_over")


async def test_what_is_on_is_not_begun_again(ada: Person, authenticator: Authenticator):
    await authenticator.turn_on(ada)

    assert await problem(await ada.http.post(TOTP, json=BEGIN)) == (409, "already_on")
    code = {"code": authenticator.code()}
    assert await problem(await ada.http.post(f"{TOTP}/confirm", json=code)) == (409, "already_on")


async def test_it_begins_with_the_current_password_alone(ada: Person):
    wrong = await ada.http.post(TOTP, json={"current_password": "engine 1844"})

    assert await problem(wrong) == (403, "wrong_password")
    assert (await ada.http.post(TOTP, json={})).status_code == 422
