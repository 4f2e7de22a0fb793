"""Idempotency-Key: a POST that is sent again does nothing twice."""

import asyncio
from datetime import timedelta

import httpx2
import pytest

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.users import idempotency
from tests.conftest import running
from tests.support.people import Person, client

MILK = {"title": "Buy milk"}


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
