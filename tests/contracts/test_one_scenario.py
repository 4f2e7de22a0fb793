"""One scenario through every contract: they are five doors to the same tasks."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.people import Person


@dataclass(frozen=True)
class Door:
    """One way in.

    Attributes:
        path: Its collection for a user's id.
        items: The tasks in its list's envelope.
    """

    name: str
    path: Callable[[str], str]
    items: Callable[[dict], list[dict]] = lambda envelope: envelope["items"]
    names_user: bool = True
    body_of_delete: bool = False


DOORS = [
    Door("v1", lambda _: "/api/v1/tasks", names_user=False),
    Door("v1 by users/id", lambda user: f"/api/v1/users/{user}/tasks"),
    Door("v1_user_tasks", lambda user: f"/api/v1/{user}/tasks", lambda array: array),  # type: ignore[arg-type, return-value]
    Door("user_tasks", lambda user: f"/api/{user}/tasks", lambda array: array, body_of_delete=True),  # type: ignore[arg-type, return-value]
    Door("todos", lambda user: f"/api/users/{user}/todos", lambda envelope: envelope["todos"], body_of_delete=True),
]
SHARED = (
    "id",
    "user_id",
    "title",
    "description",
    "priority",
    "completed",
    "completed_at",
    "created_at",
    "updated_at",
)


def shared(task: dict) -> dict:
    """What a task has in every contract."""
    return {name: task[name] for name in SHARED}


async def seen_through(door: Door, person: Person) -> list[dict]:
    answer = await person.http.get(door.path(person.id))
    assert answer.status_code == 200
    return [shared(task) for task in door.items(answer.json())]


@pytest.mark.parametrize("made_in", DOORS, ids=lambda door: door.name)
async def test_a_day_with_a_task_made_in_one_contract_and_seen_in_all(ada: Person, made_in: Door):
    path = made_in.path(ada.id)
    made = await ada.http.post(path, json={"title": "Buy milk", "description": "two litres", "priority": "high"})
    assert made.status_code == 201
    task = shared(made.json())
    assert (task["user_id"], task["completed"]) == (ada.id, False)
    one = f"{path}/{task['id']}"

    async def everywhere(expected: list[dict]) -> None:
        for door in DOORS:
            assert await seen_through(door, ada) == expected
            single = await ada.http.get(f"{door.path(ada.id)}/{task['id']}")
            assert single.status_code == (200 if expected else 404)
            assert not expected or shared(single.json()) == expected[0]

    await everywhere([task])
    renamed = shared((await ada.http.patch(one, json={"title": "Buy oat milk"})).json())
    assert renamed["title"] == "Buy oat milk"
    await everywhere([renamed])
    done = shared((await ada.http.patch(f"{one}/complete", json={"completed": True})).json())
    assert done["completed"] is True
    await everywhere([done])
    put = shared((await ada.http.put(one, json={"title": "Buy tea", "priority": "low", "completed": False})).json())
    assert (put["title"], put["priority"], put["completed"]) == ("Buy tea", "low", False)
    await everywhere([put])
    deleted = await ada.http.delete(one)
    assert deleted.status_code == (200 if made_in.body_of_delete else 204)
    await everywhere([])


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
async def test_eve_finds_nothing_of_adas_and_may_not_use_her_path(ada: Person, eve: Person, door: Door):
    made = await ada.http.post(door.path(ada.id), json={"title": "Secret"})
    task_id = made.json()["id"]

    assert await seen_through(door, eve) == []
    ways = [(f"{door.path(eve.id)}/{task_id}", 404)]
    if door.names_user:
        ways.append((f"{door.path(ada.id)}/{task_id}", 403))
        assert (await eve.http.get(door.path(ada.id))).status_code == 403
        assert (await eve.http.post(door.path(ada.id), json={"title": "Hers"})).status_code == 403
    for one, status in ways:
        for answer in (
            await eve.http.get(one),
            await eve.http.put(one, json={"title": "Mine", "completed": True}),
            await eve.http.patch(one, json={"title": "Mine"}),
            await eve.http.patch(f"{one}/complete", json={"completed": True}),
            await eve.http.delete(one),
        ):
            assert answer.status_code == status
            assert "Secret" not in answer.text
    assert await seen_through(door, ada) == [shared(made.json())]
