"""Accounts under many hands: one e-mail, a password that changes, an account that is disabled."""

import asyncio
import time
from collections import Counter
from uuid import uuid4

import httpx2

from taskwell import users
from taskwell.users import revocation, sign_in
from tests.chaos.conftest import House
from tests.chaos.test_races import ROUNDS, at_once, someone, statuses
from tests.support.people import PASSWORD, Person, client

NEW_PASSWORD = "difference 1822"


async def test_of_many_sign_ups_with_one_e_mail_one_has_it(house: House, tried):
    crowd = 20 if house.server is None else 6  # there a hash takes as long as it does for everybody
    for _ in range(ROUNDS):
        name = f"Ada-{uuid4()}@example.com"
        nobody = house.client()
        answers = await at_once(
            nobody.post("/api/v1/auth/signup", json={"email": email, "password": PASSWORD, "name": "Ada"})
            for email in [name, name.upper()] * (crowd // 2)
        )
        assert statuses(answers) == {201: 1, 409: crowd - 1}
    tried(times=ROUNDS, requests=ROUNDS * crowd, accounts=ROUNDS)


async def login(nobody: httpx2.AsyncClient, ada: Person, password: str = PASSWORD) -> httpx2.Response:
    return await nobody.post("/api/v1/auth/login", json={"email": ada.email, "password": password})


async def change_password(http: httpx2.AsyncClient) -> httpx2.Response:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    return await http.post("/api/v1/auth/password", json=body)


async def test_whoever_signs_in_with_the_old_password_while_it_changes_is_out_afterwards(house: House, tried):
    seen: Counter[str] = Counter()
    for _ in range(ROUNDS):
        ada = await someone(house)
        nobody = house.client()
        answers: list[httpx2.Response] = []
        is_over = asyncio.Event()

        async def keep_signing_in(
            nobody: httpx2.AsyncClient = nobody,
            ada: Person = ada,
            answers: list[httpx2.Response] = answers,
            is_over: asyncio.Event = is_over,
        ) -> None:
            while not is_over.is_set():
                answers.append(await login(nobody, ada))
                await asyncio.sleep(0.02)

        signing_in = asyncio.gather(*(keep_signing_in() for _ in range(4)))
        await asyncio.sleep(0.02)
        assert (await change_password(ada.http)).status_code == 204
        is_over.set()
        await signing_in
        assert statuses(answers).keys() <= {200, 401}
        tokens = [each.json()["access_token"] for each in answers if each.status_code == 200]
        await out_everywhere(house, tokens)
        assert (await ada.http.get("/api/v1/auth/me")).status_code == 200
        fresh = (await login(nobody, ada, NEW_PASSWORD)).json()["access_token"]
        assert (await house.client(fresh).get("/api/v1/auth/me")).status_code == 200
        seen.update(logins=len(answers), let_in_before=len(tokens), refused=len(answers) - len(tokens))
    tried(times=ROUNDS, **seen, let_in_afterwards=0)


async def out_everywhere(house: House, tokens: list[str]) -> None:
    """None of the tokens is good; another process may believe in one that it has seen for two seconds more."""
    anybody = house.client()
    until = time.monotonic() + 2.5
    while True:
        asked = time.monotonic()
        answers = await at_once(
            anybody.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"}) for token in tokens
        )
        if statuses(answers).keys() <= {401}:
            return
        assert asked < until
        await asyncio.sleep(0.1)


async def test_a_login_waits_for_a_change_of_password_that_is_not_committed_yet(house: House, monkeypatch, tried):
    ada = await someone(house)
    inside, go_on = asyncio.Event(), asyncio.Event()
    announce = revocation.announce_change

    async def announce_later(*arguments: object) -> None:
        await announce(*arguments)  # type: ignore[arg-type]
        inside.set()
        await go_on.wait()

    monkeypatch.setattr(sign_in, "announce_change", announce_later)
    here = client(house.app, {"Authorization": f"Bearer {ada.token}"})
    changing = asyncio.create_task(change_password(here))
    await inside.wait()
    signing_in = asyncio.create_task(login(client(house.app), ada))
    await asyncio.sleep(0.1)
    go_on.set()

    assert (await changing).status_code == 204
    assert (await signing_in).status_code == 401
    tried(times=1)


async def test_a_disabled_account_is_out_everywhere_within_two_seconds(house: House, tried):
    ada = await someone(house)
    assert house.app.services is not None
    answers: list[tuple[float, httpx2.Response]] = []
    is_over = False

    async def write() -> None:
        while not is_over:
            sent = time.monotonic()
            answers.append((sent, await ada.http.post("/api/v1/tasks", json={"title": "Task"})))
            await asyncio.sleep(0.005)

    writing = [asyncio.create_task(write()) for _ in range(8)]
    await asyncio.sleep(0.3)
    await users.disable(house.app.services.database, ada.id)
    disabled = time.monotonic()
    await asyncio.sleep(2.3)
    is_over = True
    await asyncio.gather(*writing)

    assert {each.status_code for _, each in answers} == {201, 401}
    assert max(sent for sent, each in answers if each.status_code == 201) - disabled < 2
    await users.enable(house.app.services.database, ada.id)
    stored = await ada.http.get("/api/v1/tasks?limit=1&include_total=true")
    assert stored.json()["total"] == statuses(each for _, each in answers)[201]
    tried(requests=len(answers), refused=statuses(each for _, each in answers)[401])
