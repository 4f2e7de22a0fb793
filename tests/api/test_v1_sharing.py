"""v1: who has to do with a task, moves, and comments."""

import uuid
from typing import Any

import pytest

from taskwell import tasks
from taskwell.database import Database, new_id
from taskwell.spaces import SpaceAccess
from taskwell.tasks import TaskDraft, lists
from tests.support.people import Person
from tests.support.sharing import shared_space

TASKS = "/api/v1/tasks"
LISTS = "/api/v1/lists"


@pytest.fixture
async def family(database: Database, ada: Person, eve: Person) -> dict[str, SpaceAccess]:
    return await shared_space(database, (ada, "owner"), (eve, "reader"))


async def made(person: Person, **values: Any) -> dict[str, Any]:
    answer = await person.http.post(TASKS, json={"title": "Buy milk"} | values)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_task_says_where_it_is_who_made_it_and_who_completed_it(ada: Person):
    task = await made(ada)
    assert (task["space_id"], task["created_by"], task["completed_by"], task["assignee_id"]) == (
        ada.id,
        ada.id,
        None,
        None,
    )

    done = (await ada.http.patch(f"{TASKS}/{task['id']}/complete")).json()
    assert done["completed_by"] == ada.id
    assert (await ada.http.get(f"{TASKS}/{task['id']}")).json() == done
    assert (await ada.http.get(TASKS)).json()["items"] == [done]


async def test_a_task_is_given_to_a_member_and_to_nobody_again(ada: Person):
    task = await made(ada, assignee_id=ada.id.upper())
    assert task["assignee_id"] == ada.id
    path = f"{TASKS}/{task['id']}"

    assert (await ada.http.patch(path, json={"assignee_id": None})).json()["assignee_id"] is None
    assert (await ada.http.patch(path, json={"assignee_id": ada.id})).json()["assignee_id"] == ada.id
    assert (await ada.http.put(path, json={"title": "Buy milk"})).json()["assignee_id"] is None


async def test_whoever_is_no_member_cannot_be_given_a_task(ada: Person, eve: Person):
    task = await made(ada)
    path = f"{TASKS}/{task['id']}"

    for stranger in (eve.id, new_id(), "nobody", ""):
        update = {"op": "update", "id": task["id"], "data": {"assignee_id": stranger}}
        for answer, field in (
            (await ada.http.post(TASKS, json={"title": "Buy milk", "assignee_id": stranger}), "assignee_id"),
            (await ada.http.patch(path, json={"assignee_id": stranger}), "assignee_id"),
            (await ada.http.patch(path, json={"assignee_id": stranger, "completed": True}), "assignee_id"),
            (await ada.http.put(path, json={"title": "Buy milk", "assignee_id": stranger}), "assignee_id"),
            (await ada.http.post(f"{TASKS}/bulk", json={"operations": [update]}), "operations.0.data.assignee_id"),
        ):
            assert answer.status_code == 422, answer.text
            assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await ada.http.get(path)).json() == task


async def test_tasks_are_found_by_whose_they_are(ada: Person, eve: Person):
    hers, nobodys = await made(ada, assignee_id=ada.id), await made(ada)

    for assignee, found in (("me", [hers]), (ada.id, [hers]), ("none", [nobodys]), (eve.id, []), ("nobody", [])):
        answer = await ada.http.get(TASKS, params={"assignee": assignee})
        assert answer.json()["items"] == found, assignee


async def test_a_task_moves_to_another_space_and_is_not_found_where_it_was(
    ada: Person, family: dict[str, SpaceAccess]
):
    task = await made(ada)

    moved = await ada.http.post(f"{TASKS}/{task['id']}/move", json={"space_id": family[ada.id].id})

    assert moved.status_code == 200
    assert moved.json()["space_id"] == family[ada.id].id
    assert moved.headers["etag"] == '"1"'
    assert (await ada.http.get(f"{TASKS}/{task['id']}")).status_code == 404


async def test_within_one_space_a_move_changes_the_list(ada: Person):
    task = await made(ada)
    home = (await ada.http.post(LISTS, json={"name": "Home"})).json()

    body = {"space_id": "personal", "list_id": home["id"]}
    moved = await ada.http.post(f"{TASKS}/{task['id']}/move", json=body)

    assert (moved.status_code, moved.json()["list_id"]) == (200, home["id"])


async def test_a_space_that_is_not_the_callers_is_not_there_and_a_readers_is_read_only(
    database: Database, ada: Person, eve: Person, family: dict[str, SpaceAccess]
):
    task, home = await made(eve), (await eve.http.post(LISTS, json={"name": "Home"})).json()

    for path in (f"{TASKS}/{task['id']}/move", f"{LISTS}/{home['id']}/move"):
        told = [
            (await eve.http.post(path, json={"space_id": space})).json()
            for space in (ada.id, str(uuid.uuid4()), "nowhere")
        ]
        assert {(each["status"], each["detail"]) for each in told} == {(404, "There is no such space.")}
        refused = await eve.http.post(path, json={"space_id": family[eve.id].id})
        assert (refused.status_code, refused.json()["code"]) == (403, "read_only")
    strangers = await tasks.create(database, ada.principal, ada.space, TaskDraft("Secret"))
    assert (await eve.http.post(f"{TASKS}/{strangers.id}/move", json={"space_id": "personal"})).status_code == 404


async def test_a_list_moves_and_is_shared(database: Database, ada: Person, family: dict[str, SpaceAccess]):
    first, second = [(await ada.http.post(LISTS, json={"name": "Home"})).json() for _ in range(2)]
    assert first["space_id"] == ada.id
    await made(ada, list_id=first["id"])

    moved = await ada.http.post(f"{LISTS}/{first['id']}/move", json={"space_id": family[ada.id].id})
    shared = await ada.http.post(f"{LISTS}/{second['id']}/share", json={"name": "Flat"})

    assert (moved.status_code, moved.json()["space_id"], moved.json()["open_tasks"]) == (200, family[ada.id].id, 1)
    assert shared.status_code == 201
    assert (await ada.http.get(LISTS)).json()["items"] == []
    (found,) = (await lists.every(database, ada.principal, SpaceAccess(shared.json()["id"], "owner", 0, "UTC"))).items
    assert found.id == second["id"]


async def test_a_bulk_moves_tasks_as_one_write_of_each_space(ada: Person, family: dict[str, SpaceAccess]):
    first, second, third = [await made(ada) for _ in range(3)]
    where = {"space_id": family[ada.id].id}

    answer = await ada.http.post(
        f"{TASKS}/bulk",
        json={
            "operations": [
                {"op": "update", "id": first["id"], "data": {"title": "Buy oats"}},
                {"op": "move", "id": first["id"], "data": where},
                {"op": "move", "id": second["id"], "data": where},
                {"op": "complete", "id": third["id"]},
            ]
        },
    )

    shown = [(each["status"], each["task"]["revision"]) for each in answer.json()["results"]]
    assert shown == [(200, 4), (200, 1), (200, 1), (200, 4)]
    assert [task["id"] for task in (await ada.http.get(TASKS)).json()["items"]] == [third["id"]]


async def test_in_a_bulk_each_move_that_cannot_be_fails_by_itself(
    ada: Person, eve: Person, family: dict[str, SpaceAccess]
):
    task = await made(eve)
    operations = [
        {"op": "move", "id": task["id"], "data": {"space_id": ada.id}},
        {"op": "move", "id": task["id"], "data": {"space_id": family[eve.id].id}},
        {"op": "move", "id": task["id"], "data": {"list_id": None}},
        {"op": "move", "id": str(uuid.uuid4()), "data": {"space_id": "personal"}},
        {"op": "move", "id": task["id"], "data": {"space_id": "personal"}},
    ]

    answer = await eve.http.post(f"{TASKS}/bulk", json={"operations": operations, "atomic": False})

    assert [each["status"] for each in answer.json()["results"]] == [404, 403, 422, 404, 200]


async def test_a_comment_is_made_changed_and_deleted(ada: Person):
    task = await made(ada)
    path = f"{TASKS}/{task['id']}/comments"

    answer = await ada.http.post(path, json={"text": "The oat one."})
    said = answer.json()
    assert answer.status_code == 201
    assert said.keys() == {"id", "task_id", "author_id", "text", "revision", "created_at", "updated_at"}
    assert (said["task_id"], said["author_id"], answer.headers["etag"]) == (task["id"], ada.id, '"2"')
    assert (await ada.http.get(path)).json() == {"items": [said]}

    changed = await ada.http.patch(f"{path}/{said['id']}", json={"text": "The soy one."})
    assert (changed.status_code, changed.json()["text"], changed.json()["revision"]) == (200, "The soy one.", 3)
    old = await ada.http.delete(f"{path}/{said['id']}", headers={"If-Match": '"2"'})
    assert old.status_code == 412
    assert (await ada.http.delete(f"{path}/{said['id']}")).status_code == 204
    assert (await ada.http.get(path)).json() == {"items": []}
    assert (await ada.http.delete(f"{path}/{said['id']}")).status_code == 404


@pytest.mark.parametrize("text", ["", "x" * 10_001, "\u200b", "a\x00b", None, 7])
async def test_a_comment_that_breaks_a_rule_is_told(ada: Person, text: object):
    task = await made(ada)

    answer = await ada.http.post(f"{TASKS}/{task['id']}/comments", json={"text": text})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "text"


async def test_comments_of_somebody_elses_task_are_not_there(ada: Person, eve: Person):
    path = f"{TASKS}/{(await made(ada))['id']}/comments"

    assert (await eve.http.get(path)).status_code == 404
    assert (await eve.http.post(path, json={"text": "Hello"})).status_code == 404


async def test_an_export_keeps_whose_a_task_is_where_they_are_a_member(ada: Person, eve: Person):
    await made(ada, assignee_id=ada.id)
    exported = (await ada.http.get(f"{TASKS}/export")).json()
    assert [task["assignee_id"] for task in exported["tasks"]] == [ada.id]
    task = {"title": "Buy milk", "assignee_id": ada.id}

    for person, told in ((ada, []), (eve, [{"what": "assignee_id of no member", "count": 1, "example": ada.id}])):
        answer = await person.http.post(f"{TASKS}/import", json={"tasks": [task]})
        assert (answer.json()["imported"], answer.json()["ignored"]) == (1, told)
    (kept,) = (await eve.http.get(TASKS)).json()["items"]
    assert kept["assignee_id"] is None


async def test_pages_over_several_spaces_name_each_tasks_own(ada: Person, database: Database):
    family = (await shared_space(database, (ada, "owner")))[ada.id]
    for query in ("", f"?space={family.id}"):
        for _ in range(3):
            assert (await ada.http.post(f"{TASKS}{query}", json={"title": "Buy milk"})).status_code == 201

    first = await ada.http.get(TASKS, params={"space": "all", "limit": 4, "include_total": True})
    assert first.json()["total"] == 6
    second = await ada.http.get(first.headers["link"].split(";")[0].strip("<>"))
    found = [*first.json()["items"], *second.json()["items"]]
    assert [task["space_id"] for task in found] == [family.id] * 3 + [ada.id] * 3

    tag = first.headers["etag"]
    asked: dict[str, Any] = {"space": "all", "limit": 4, "include_total": True}
    assert (await ada.http.get(TASKS, params=asked, headers={"If-None-Match": tag})).status_code == 304
    both = await ada.http.get(TASKS, params={"space": [family.id, "personal"], "cursor": first.json()["next_cursor"]})
    assert both.status_code == 400
    refused = await ada.http.get(TASKS, params={"space": "all", "sort": "relevance", "q": "milk"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "sort")
    for path in (LISTS, "/api/v1/tags", f"{TASKS}/trash"):
        assert (await ada.http.get(path, params={"space": [family.id, "personal"]})).status_code == 200
