"""The second factor where a contract has no step for it: the code stands behind the password and a space."""

import httpx2
import pytest

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.database import Database
from taskwell.users import totp
from tests.support.authenticator import Authenticator
from tests.support.limiting import WAYS_IN, Limit, sign_in
from tests.support.people import PASSWORD, Person

OLDER = WAYS_IN[1:]
LIKE_A_CODE = "engine 184300"
CHANGE = {"current_password": PASSWORD, "new_password": LIKE_A_CODE}


def refusal(way: str) -> int:
    return 400 if way.endswith("token") else 401


@pytest.mark.parametrize("way", OLDER)
async def test_the_code_is_appended_to_the_password_after_a_space(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator, way: str
):
    recovery_code, *_ = await authenticator.turn_on(ada)
    code = authenticator.code()

    for appended in (code, recovery_code):
        signed_in = await sign_in(nobody, ada.email, f"{PASSWORD} {appended}", way)
        assert (signed_in.status_code, bool(signed_in.json()["access_token"])) == (200, True)
        again = await sign_in(nobody, ada.email, f"{PASSWORD} {appended}", way)
        assert again.status_code == refusal(way)
    wrong = await sign_in(nobody, ada.email, f"engine 1844 {authenticator.code()}", way)
    assert wrong.status_code == refusal(way)


@pytest.mark.parametrize("way", OLDER)
async def test_the_password_alone_is_refused_with_a_sentence_that_says_what_is_missing(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator, way: str
):
    await authenticator.turn_on(ada)

    refused = await sign_in(nobody, ada.email, PASSWORD, way)

    assert refused.status_code == refusal(way)
    assert "code" in (refused.json().get("message") or refused.json()["error_description"])
    assert "access_token" not in refused.json()


async def test_v1s_login_takes_no_appended_code(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator
):
    await authenticator.turn_on(ada)

    refused = await sign_in(nobody, ada.email, f"{PASSWORD} {authenticator.code()}")

    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credentials")


@pytest.mark.parametrize("way", WAYS_IN)
async def test_a_password_that_ends_like_a_code_is_a_password(nobody: httpx2.AsyncClient, ada: Person, way: str):
    await ada.http.post("/api/v1/auth/password", json=CHANGE)

    assert (await sign_in(nobody, ada.email, LIKE_A_CODE, way)).status_code == 200


async def test_a_code_may_follow_a_password_that_ends_like_one(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator
):
    await authenticator.turn_on(ada)
    await ada.http.post("/api/v1/auth/password", json=CHANGE)

    signed_in = await sign_in(nobody, ada.email, f"{LIKE_A_CODE} {authenticator.code()}", "/api/auth/login")

    assert signed_in.status_code == 200


async def test_wrong_appended_codes_count_as_failed_sign_ins(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator, limit: Limit
):
    await authenticator.turn_on(ada)
    limit()
    for _ in range(5):
        assert (await sign_in(nobody, ada.email, f"{PASSWORD} 000000", "/api/auth/login")).status_code == 401

    code = authenticator.code()
    assert (await sign_in(nobody, ada.email, f"{PASSWORD} {code}", "/api/auth/login")).status_code == 429


async def test_the_operator_turns_the_second_factor_off(
    app: Gateway, nobody: httpx2.AsyncClient, database: Database, ada: Person, authenticator: Authenticator
):
    await authenticator.turn_on(ada)
    user = await users.by_email(database, ada.email)

    assert await totp.forget(database, user.id)
    assert not await totp.forget(database, user.id)

    assert (await sign_in(nobody, ada.email, PASSWORD)).status_code == 200
