"""v1: codes of an authenticator app, turned on, asked for, and turned off."""

import asyncio
from typing import Any

import httpx2
from sqlalchemy import select, update

from taskwell.api.gateway import Gateway
from taskwell.database import Database, Query, now
from taskwell.users.tables import OneTimeTokenRow, RecoveryCodeRow, TotpRow
from tests.support.authenticator import BEGIN, TOTP, Authenticator, answer, challenge_of
from tests.support.letters import problem
from tests.support.people import PASSWORD, Person, client

LOGIN = "/api/v1/auth/login"
NEW = "engine 1852"


async def test_a_secret_asks_for_nothing_until_a_code_confirms_it(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator
):
    begun = await ada.http.post(TOTP, json=BEGIN)

    assert begun.status_code == 200
    secret, uri = begun.json()["secret"], begun.json()["uri"]
    assert uri == f"otpauth://totp/Taskwell:ada%40example.com?secret={secret}&issuer=Taskwell"
    login = {"email": ada.email, "password": PASSWORD}
    assert (await nobody.post(LOGIN, json=login)).status_code == 200

    authenticator.secret = secret
    confirmed = await ada.http.post(f"{TOTP}/confirm", json={"code": authenticator.code()})
    assert confirmed.status_code == 200
    assert len(set(confirmed.json()["recovery_codes"])) == 10
    assert await problem(await nobody.post(LOGIN, json=login)) == (401, "totp_required")


async def test_the_password_and_a_code_sign_in(
    app: Gateway, nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator
):
    await authenticator.turn_on(ada)
    challenge = await challenge_of(nobody, ada)

    signed_in = await answer(nobody, challenge, authenticator.code())

    assert signed_in.status_code == 200
    assert signed_in.headers["Cache-Control"] == "no-store"
    assert signed_in.json().keys() == {"user", "access_token", "token_type", "expires_at"}
    device = client(app, {"Authorization": f"Bearer {signed_in.json()['access_token']}"})
    assert (await device.get("/api/v1/users/me")).json()["email"] == ada.email


async def test_no_code_works_twice_not_even_at_once(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator
):
    await authenticator.turn_on(ada)
    challenges = [await challenge_of(nobody, ada) for _ in range(4)]
    code = authenticator.code()

    answers = await asyncio.gather(*(answer(nobody, each, code) for each in challenges))

    assert sorted(each.status_code for each in answers) == [200, 401, 401, 401]
    assert {each.json()["code"] for each in answers if each.status_code == 401} == {"invalid_credentials"}
    assert (await answer(nobody, await challenge_of(nobody, ada), code)).status_code == 401


async def test_an_earlier_code_is_worth_nothing_after_a_later_one(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator
):
    await authenticator.turn_on(ada)
    earlier, later = authenticator.code(), authenticator.code()

    assert (await answer(nobody, await challenge_of(nobody, ada), later)).status_code == 200
    assert (await answer(nobody, await challenge_of(nobody, ada), earlier)).status_code == 401


async def test_the_code_that_confirmed_the_secret_signs_nobody_in(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator
):
    authenticator.secret = (await ada.http.post(TOTP, json=BEGIN)).json()["secret"]
    code = authenticator.code()
    await ada.http.post(f"{TOTP}/confirm", json={"code": code})

    assert (await answer(nobody, await challenge_of(nobody, ada), code)).status_code == 401


async def test_a_challenge_serves_until_it_succeeds(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator
):
    await authenticator.turn_on(ada)
    challenge = await challenge_of(nobody, ada)

    assert await problem(await answer(nobody, challenge, "000000")) == (401, "invalid_credentials")
    assert (await answer(nobody, challenge, authenticator.code())).status_code == 200
    assert await problem(await answer(nobody, challenge, authenticator.code())) == (401, "challenge_over")


async def test_of_two_answers_to_a_challenge_at_once_one_signs_in(
    nobody: httpx2.AsyncClient, database: Database, ada: Person, authenticator: Authenticator
):
    recovery_codes = await authenticator.turn_on(ada)
    challenge = await challenge_of(nobody, ada)

    answers = await asyncio.gather(*(answer(nobody, challenge, code) for code in recovery_codes[:4]))

    assert sorted(each.status_code for each in answers) == [200, 401, 401, 401]
    left: Query[str] = Query(select(RecoveryCodeRow.hash), str)
    assert len(await database.rows(left)) == 9


async def test_a_challenge_ends_after_five_minutes(
    nobody: httpx2.AsyncClient, database: Database, ada: Person, authenticator: Authenticator
):
    await authenticator.turn_on(ada)
    challenge = await challenge_of(nobody, ada)
    ends: Query[Any] = Query(select(OneTimeTokenRow.expires_at), lambda at: at)
    (ends_at,) = await database.rows(ends)
    assert 295 < (ends_at - now()).total_seconds() <= 300
    await database.rows(Query(update(OneTimeTokenRow).values(expires_at=now()), lambda *_: None))

    assert await problem(await answer(nobody, challenge, authenticator.code())) == (401, "challenge_over")


async def test_a_new_password_ends_the_challenges_before_it(
    nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator
):
    await authenticator.turn_on(ada)
    challenge = await challenge_of(nobody, ada)

    await ada.http.post("/api/v1/auth/password", json={"current_password": PASSWORD, "new_password": NEW})

    assert await problem(await answer(nobody, challenge, authenticator.code())) == (401, "challenge_over")
    assert (await answer(nobody, await challenge_of(nobody, ada, NEW), authenticator.code())).status_code == 200


async def test_a_recovery_code_serves_once(nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator):
    first, second, *_ = await authenticator.turn_on(ada)

    assert (await answer(nobody, await challenge_of(nobody, ada), f" {first.upper()} ")).status_code == 200
    assert (await answer(nobody, await challenge_of(nobody, ada), first)).status_code == 401
    assert (await answer(nobody, await challenge_of(nobody, ada), second)).status_code == 200


async def test_recovery_codes_are_stored_as_hashes_only(
    database: Database, ada: Person, authenticator: Authenticator
):
    codes = await authenticator.turn_on(ada)

    rows: Query[str] = Query(select(RecoveryCodeRow.hash), str)
    stored = await database.rows(rows)
    assert len(stored) == 10
    assert not set(codes) & set(stored)


async def test_the_secrets_are_told_once_and_stored_with_no_answer(
    database: Database, ada: Person, authenticator: Authenticator
):
    key = {"Idempotency-Key": "totp-1"}
    begun = (await ada.http.post(TOTP, json=BEGIN, headers=key)).json()
    assert (await ada.http.post(TOTP, json=BEGIN, headers=key)).json() == {"secret": None, "uri": None}

    authenticator.secret = begun["secret"]
    code = {"code": authenticator.code()}
    confirmed = await ada.http.post(f"{TOTP}/confirm", json=code, headers=key)
    again = await ada.http.post(f"{TOTP}/confirm", json=code, headers=key)
    assert len(confirmed.json()["recovery_codes"]) == 10
    assert (again.status_code, again.json()) == (200, {"recovery_codes": None})


async def test_turning_it_off_takes_the_password_and_a_code(
    nobody: httpx2.AsyncClient, database: Database, ada: Person, authenticator: Authenticator
):
    recovery_codes = await authenticator.turn_on(ada)

    async def off(**body: str) -> httpx2.Response:
        return await ada.http.request("DELETE", TOTP, json=body)

    code = authenticator.code()
    assert await problem(await off(current_password="engine 1844", code=code)) == (403, "wrong_password")
    assert await problem(await off(current_password=PASSWORD, code="000000")) == (403, "wrong_code")
    assert (await off(current_password=PASSWORD)).status_code == 422
    assert (await off(current_password=PASSWORD, code=code)).status_code == 204

    assert (await nobody.post(LOGIN, json={"email": ada.email, "password": PASSWORD})).status_code == 200
    for table in (TotpRow.user_id, RecoveryCodeRow.user_id):
        assert await database.rows(Query(select(table), str)) == []
    assert await problem(await off(current_password=PASSWORD, code=recovery_codes[0])) == (404, "not_found")
    await authenticator.turn_on(ada)
    assert (await off(current_password=PASSWORD, code=recovery_codes[0])).status_code == 403


async def test_each_step_is_a_security_event(nobody: httpx2.AsyncClient, ada: Person, authenticator: Authenticator):
    recovery_codes = await authenticator.turn_on(ada)
    challenge = await challenge_of(nobody, ada)
    await answer(nobody, challenge, "000000")
    await answer(nobody, challenge, recovery_codes[0])
    body = {"current_password": PASSWORD, "code": authenticator.code()}
    await ada.http.request("DELETE", TOTP, json=body)

    items = (await ada.http.get("/api/v1/users/me/activity")).json()["items"]
    assert [item["kind"] for item in reversed(items)] == [
        "totp_asked",
        "totp_on",
        "sign_in_failed",
        "sign_in",
        "recovery_code_used",
        "totp_off",
    ]
