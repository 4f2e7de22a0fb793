"""Idempotency-Key: a POST that is sent again does nothing twice."""

import asyncio
import threading
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from taskwell.api.gateway import Gateway
from taskwell.api.limits import Limits
from taskwell.app import create_app
from taskwell.security.passwords import hash_password
from taskwell.settings import Settings
from taskwell.tasks import exchange
from taskwell.users import idempotency, sign_in
from taskwell.users.principal import Principal
from taskwell.users.profile import confirm_owner
from tests.conftest import running
from tests.support.people import PASSWORD, Person, client

MILK = {"title": "Buy milk"}
CHANGE = {"current_password": PASSWORD, "new_password": "engine 1852"}


async def post(ada: Person, key: str | None, body: object = MILK, path: str = "/api/v1/tasks") -> httpx2.Response:
    return await ada.http.post(path, json=body, headers={"Idempotency-Key": key} if key is not None else {})


async def titles(ada: Person) -> list[str]:
    return [task["title"] for task in (await ada.http.get("/api/v1/tasks")).json()["items"]]


@pytest.mark.parametrize(
    "key", ["k", "k" * 255, "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f", "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"]
)
async def test_a_repeated_request_gets_the_first_answer_again(ada: Person, key: str):
    first, again = await post(ada, key), await post(ada, key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    for name in ("location", "etag", "content-type", "cache-control"):
        assert again.headers[name] == first.headers[name]
    assert await titles(ada) == ["Buy milk"]


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "two words", "tab\tinside", "schlüssel", "ключ"])
async def test_a_malformed_key_is_told_and_nothing_is_done(ada: Person, key: str):
    response = await ada.http.post("/api/v1/tasks", json=MILK, headers=[(b"Idempotency-Key", key.encode())])

    assert (response.status_code, response.json()["code"]) == (400, "invalid_header")
    assert await titles(ada) == []


async def test_two_keys_are_one_too_many(ada: Person):
    response = await ada.http.post(
        "/api/v1/tasks", json=MILK, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    )

    assert response.status_code == 400


@pytest.mark.parametrize("body", [{"title": "Buy bread"}, {}, {"title": "Buy milk", "nope": 1}, []])
async def test_a_key_with_another_body_is_refused(ada: Person, body: object):
    await post(ada, "k")

    response = await post(ada, "k", body)

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    (error,) = response.json()["errors"]
    assert (error["location"], error["field"]) == ("header", "Idempotency-Key")
    assert error["type"] == "idempotency_key_reused"
    assert await titles(ada) == ["Buy milk"]


async def test_a_key_belongs_to_its_caller(ada: Person, eve: Person):
    first, hers = await post(ada, "k"), await post(eve, "k")

    assert "idempotency-replayed" not in hers.headers
    assert first.json()["id"] != hers.json()["id"]


async def test_a_new_key_leaves_the_others_remembered(ada: Person, eve: Person):
    for person, key in ((ada, "a"), (eve, "a"), (ada, "b")):
        await post(person, key)

    for person, key in ((ada, "a"), (eve, "a"), (ada, "b")):
        assert (await post(person, key)).headers["Idempotency-Replayed"] == "true"


async def test_a_key_belongs_to_its_path(ada: Person):
    task = (await post(ada, "k")).json()
    await ada.http.delete(f"/api/v1/tasks/{task['id']}")

    restored = await post(ada, "k", None, f"/api/v1/tasks/{task['id']}/restore")

    assert (restored.status_code, "idempotency-replayed" in restored.headers) == (200, False)


async def test_a_trailing_slash_is_the_same_path(ada: Person):
    await post(ada, "k")

    assert (await post(ada, "k", path="/api/v1/tasks/")).headers["idempotency-replayed"] == "true"


async def test_a_failure_is_not_remembered(ada: Person):
    assert (await post(ada, "k", {"title": ""})).status_code == 422
    assert (
        await post(ada, "k", {"title": "x", "list_id": "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"})
    ).status_code == 422

    corrected = await post(ada, "k")

    assert (corrected.status_code, "idempotency-replayed" in corrected.headers) == (201, False)


async def test_a_bug_is_not_remembered_and_leaves_nothing_behind(ada: Person, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "keep", None)
        assert (await post(ada, "k")).status_code == 500
    assert await titles(ada) == []

    assert (await post(ada, "k")).status_code == 201


async def test_of_twenty_at_once_one_is_done(ada: Person):
    answers = await asyncio.gather(*(post(ada, "k") for _ in range(20)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(ids) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "request_in_progress"
    assert sum("idempotency-replayed" not in answer.headers for answer in answers if answer.status_code == 201) == 1
    assert await titles(ada) == ["Buy milk"]


async def test_of_twenty_at_once_in_two_processes_one_is_done(app: Gateway, ada: Person):
    async with running(create_app(app.settings)) as another:
        there = client(another, dict(ada.http.headers))
        both = [ada.http, there] * 10
        answers = await asyncio.gather(
            *(http.post("/api/v1/tasks", json=MILK, headers={"Idempotency-Key": "k"}) for http in both)
        )

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert await titles(ada) == ["Buy milk"]


async def test_others_write_while_a_file_with_a_key_is_read(ada: Person, eve: Person, monkeypatch):
    reading, may_end = asyncio.Event(), threading.Event()
    loop, read = asyncio.get_running_loop(), exchange.read_file

    def slow(content: bytes, **options: Any):
        loop.call_soon_threadsafe(reading.set)
        may_end.wait(10)
        return read(content, **options)

    monkeypatch.setattr(exchange, "read_file", slow)
    importing = asyncio.create_task(post(ada, "k", [MILK], "/api/v1/tasks/import"))
    async with asyncio.timeout(5):
        await reading.wait()
        written = await post(eve, None)
    may_end.set()

    assert (written.status_code, (await importing).json()["imported"]) == (201, 1)
    assert (await post(ada, "k", [MILK], "/api/v1/tasks/import")).headers["idempotency-replayed"] == "true"
    assert await titles(ada) == ["Buy milk"]


async def test_others_write_while_a_new_password_with_a_key_is_hashed(ada: Person, eve: Person, monkeypatch):
    hashing, may_end = asyncio.Event(), asyncio.Event()

    async def slow(password: str) -> str:
        hashing.set()
        await may_end.wait()
        return await hash_password(password)

    monkeypatch.setattr(sign_in, "hash_password", slow)
    changing = asyncio.create_task(post(ada, "k", CHANGE, "/api/v1/auth/password"))
    async with asyncio.timeout(5):
        await hashing.wait()
        written = await post(eve, None)
    may_end.set()

    assert (written.status_code, (await changing).status_code) == (201, 204)


async def test_others_write_while_a_password_with_a_key_waits_for_its_attempt(
    app: Gateway, ada: Person, eve: Person, settings: Settings, monkeypatch
):
    """Five who sign in at the address have all its places, and will write themselves."""
    assert app.services is not None
    limits = Limits(settings.model_copy(update={"rate_limit_per_minute": 5}))
    monkeypatch.setattr(app.services, "limits", limits)
    async with AsyncExitStack() as others:
        for number in range(5):
            await others.enter_async_context(limits.sign_in("127.0.0.1", f"{number}@example.com").under_way())
        changing = asyncio.create_task(post(ada, "k", CHANGE, "/api/v1/auth/password"))
        await asyncio.wait([changing], timeout=0.1)
        assert not changing.done()
        async with asyncio.timeout(5):
            assert (await post(eve, None)).status_code == 201

    assert (await changing).status_code == 204


async def test_a_change_of_password_that_its_twin_overtakes_is_a_replay(ada: Person, monkeypatch):
    """The twin has changed what the first one's password is compared with."""

    async def late(lane: Any, user: Principal, **given: Any) -> str | None:
        monkeypatch.setattr(sign_in, "confirm_owner", confirm_owner)
        assert (await post(ada, "k", CHANGE, "/api/v1/auth/password")).status_code == 204
        return await confirm_owner(lane, user, **given)

    monkeypatch.setattr(sign_in, "confirm_owner", late)

    overtaken = await post(ada, "k", CHANGE, "/api/v1/auth/password")

    assert (overtaken.status_code, overtaken.headers["idempotency-replayed"]) == (204, "true")


async def test_a_replay_is_no_attempt_to_guess_a_password(app: Gateway, ada: Person, settings: Settings, monkeypatch):
    assert app.services is not None
    limits = Limits(settings.model_copy(update={"rate_limit_per_minute": 2}))
    monkeypatch.setattr(app.services, "limits", limits)

    answers = [await post(ada, "k", CHANGE, "/api/v1/auth/password") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [204] * 5


async def test_an_answer_is_kept_for_a_day(ada: Person, monkeypatch):
    await post(ada, "k")
    monkeypatch.setattr(idempotency, "KEPT_FOR", timedelta(seconds=-1))

    assert "idempotency-replayed" not in (await post(ada, "k", {"title": "Buy bread"})).headers
    assert sorted(await titles(ada)) == ["Buy bread", "Buy milk"]


async def test_old_answers_are_purged(app: Gateway, ada: Person, monkeypatch):
    await post(ada, "k")
    assert app.services is not None
    assert await idempotency.purge(app.services.database, 10) == 0
    monkeypatch.setattr(idempotency, "KEPT_FOR", timedelta(seconds=-1))

    assert await idempotency.purge(app.services.database, 10) == 1


async def test_without_a_key_every_request_counts(ada: Person):
    for _ in range(2):
        await post(ada, None)

    assert len(await titles(ada)) == 2


async def test_other_methods_take_no_notice_of_a_key(ada: Person):
    task = (await post(ada, None)).json()
    headers = {"Idempotency-Key": "not even a good one"}

    for _ in range(2):
        response = await ada.http.patch(f"/api/v1/tasks/{task['id']}/complete", headers=headers)
        assert response.status_code == 200

    assert response.json()["completed"] is False


async def test_a_secret_that_is_told_once_is_null_in_the_repeat(ada: Person):
    path = "/api/v1/users/me/webhook"
    await ada.http.put(path, json={"url": "https://93.184.215.14/"})

    first = await post(ada, "secret-1", None, f"{path}/secret")
    again = await post(ada, "secret-1", None, f"{path}/secret")

    assert first.json()["secret"].startswith("whsec_")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json() == first.json() | {"secret": None}
