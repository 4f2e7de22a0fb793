"""v1: a task may be made under an id of the client's; space and id together name it."""

import asyncio
from typing import Any

import pytest

from taskwell.database import Database
from taskwell.spaces import SpaceAccess
from tests.support.people import Person
from tests.support.sharing import shared_space

TASKS = "/api/v1/tasks"
OWN = "9b2f6c1e-0d6a-4a52-8f55-3d2f4b1c7a10"
MILK: dict[str, Any] = {"id": OWN, "title": "Buy milk"}


@pytest.fixture
async def family(database: Database, ada: Person, eve: Person) -> SpaceAccess:
    return (await shared_space(database, (ada, "owner"), (eve, "editor")))[ada.id]


@pytest.mark.parametrize(
    "own",
    [
        OWN,
        OWN.upper(),
        "c232ab00-9414-11ec-b3c8-9f6bdeced846",
        "01a21422-2ae7-7096-8fb7-1ba26924aa4b",
        "00000000-0000-0000-0000-000000000000",
    ],
)
async def test_an_id_is_a_uuid_of_any_version_in_small_letters(ada: Person, own: str):
    answer = await ada.http.post(TASKS, json=MILK | {"id": own})

    assert (answer.status_code, answer.json()["id"]) == (201, own.lower())
    assert answer.headers["Location"] == f"{TASKS}/{own.lower()}"
    assert (await ada.http.get(f"{TASKS}/{own}")).json() == answer.json()


@pytest.mark.parametrize(
    "wrong", ["", "milk", OWN.replace("-", ""), f"{{{OWN}}}", f"{OWN} ", f"urn:uuid:{OWN}", 7, None]
)
async def test_any_other_id_is_refused_and_nothing_is_stored(ada: Person, wrong: object):
    refused = await ada.http.post(TASKS, json=MILK | {"id": wrong})
    operation = {"op": "create", "data": MILK | {"id": wrong}}
    bulk = await ada.http.post(f"{TASKS}/bulk", json={"operations": [operation]})

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "id")
    assert (bulk.status_code, bulk.json()["errors"][0]["field"]) == (422, "operations.0.data.id")
    assert (await ada.http.get(TASKS)).json()["items"] == []


async def test_the_id_of_a_task_never_changes(ada: Person):
    await ada.http.post(TASKS, json=MILK)

    for method in ("PUT", "PATCH"):
        refused = await ada.http.request(method, f"{TASKS}/{OWN}", json=MILK)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "id")


async def test_of_two_creates_of_one_id_at_once_one_is_made_and_one_is_told(ada: Person):
    answers = await asyncio.gather(*(ada.http.post(TASKS, json=MILK) for _ in range(2)))

    made, refused = sorted(answers, key=lambda answer: answer.status_code)
    assert (made.status_code, refused.status_code, refused.json()["code"]) == (201, 409, "id_taken")
    assert (await ada.http.get(TASKS)).json()["items"] == [made.json()]


async def test_a_repeat_by_its_key_is_answered_as_the_first_and_with_another_key_told(ada: Person):
    first, again, other = [
        await ada.http.post(TASKS, json=MILK, headers={"Idempotency-Key": key}) for key in ("a", "a", "b")
    ]

    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (other.status_code, other.json()["code"]) == (409, "id_taken")


async def test_a_bulk_answers_as_the_single_call_does(ada: Person):
    create = {"op": "create", "data": MILK | {"id": OWN.upper()}}
    asked = {"operations": [create, create], "atomic": False}

    first, second = (await ada.http.post(f"{TASKS}/bulk", json=asked)).json()["results"]
    whole = await ada.http.post(f"{TASKS}/bulk", json={"operations": [{"op": "delete", "id": OWN}, create]})

    assert (first["status"], first["task"]["id"]) == (201, OWN)
    assert (second["status"], second["problem"]["code"]) == (409, "id_taken")
    assert (whole.status_code, whole.json()["code"], whole.json()["index"]) == (409, "id_taken", 1)
    assert (await ada.http.get(f"{TASKS}/{OWN}")).json() == first["task"]


async def test_the_same_id_in_two_spaces_names_two_tasks(ada: Person, eve: Person, family: SpaceAccess):
    shared = {"space": family.id}
    own = (await ada.http.post(TASKS, json=MILK)).json()
    theirs = (await eve.http.post(TASKS, json=MILK | {"title": "Buy oats"}, params=shared)).json()
    eves = (await eve.http.post(TASKS, json=MILK | {"title": "Call Ben"})).json()

    every: dict[str, Any] = {"space": "all", "limit": 1}
    first = (await ada.http.get(TASKS, params=every)).json()
    second = (await ada.http.get(TASKS, params=every | {"cursor": first["next_cursor"]})).json()
    assert [first["items"], second["items"]] == [[theirs | {"user_id": ada.id}], [own]]
    assert second["next_cursor"] is None

    await ada.http.post(f"{TASKS}/{OWN}/comments", json={"text": "Two litres"}, params=shared)
    assert (await ada.http.get(f"{TASKS}/{OWN}/comments")).json() == {"items": []}
    moved = await ada.http.post(f"{TASKS}/{OWN}/move", json={"space_id": family.id})
    assert (moved.status_code, moved.json()["code"]) == (409, "id_taken")
    assert (await ada.http.patch(f"{TASKS}/{OWN}/complete")).json()["completed"]
    await ada.http.delete(f"{TASKS}/{OWN}")
    assert (await ada.http.get(f"{TASKS}/{OWN}")).status_code == 404
    assert (await eve.http.get(f"{TASKS}/{OWN}", params=shared)).json() == theirs
    assert (await eve.http.get(f"{TASKS}/{OWN}")).json() == eves
