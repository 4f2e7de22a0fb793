"""v1: tasks through HTTP, one by one."""

from typing import Any

import httpx2
import pytest

from tests.support.people import Person

FIELDS = [
    "id",
    "user_id",
    "title",
    "description",
    "priority",
    "completed",
    "completed_at",
    "due_date",
    "due_at",
    "list_id",
    "tags",
    "space_id",
    "created_by",
    "completed_by",
    "assignee_id",
    "revision",
    "created_at",
    "updated_at",
]
FULL = {
    "title": "Buy milk",
    "description": "Two litres",
    "priority": "high",
    "completed": False,
    "due_date": "2026-12-24",
    "due_at": None,
    "list_id": None,
    "tags": ["Home", "shop"],
}


async def create(ada: Person, **fields: object) -> dict[str, Any]:
    response = await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"} | fields)
    assert response.status_code == 201
    return dict(response.json())


async def get(ada: Person, task: dict[str, Any]) -> httpx2.Response:
    return await ada.http.get(f"/api/v1/tasks/{task['id']}")


async def change(ada: Person, task: dict[str, Any], **fields: object) -> httpx2.Response:
    return await ada.http.patch(f"/api/v1/tasks/{task['id']}", json=fields)


@pytest.fixture(params=["/api/v1/tasks", "/api/v1/users/{user}/tasks", "/api/v1/users/{user}/tasks"])
def tasks(request, ada: Person) -> str:
    """Where ada's tasks are, each way of addressing them."""
    return str(request.param).format(user=ada.id)


async def test_a_new_task_has_every_field(ada: Person, tasks: str):
    response = await ada.http.post(tasks, json={"title": "Buy milk"})

    assert response.status_code == 201
    task = response.json()
    assert list(task) == FIELDS
    assert task["user_id"] == ada.id
    assert (task["priority"], task["completed"], task["tags"], task["revision"]) == ("medium", False, [], 1)
    assert {task[name] for name in ("description", "completed_at", "due_date", "due_at", "list_id")} == {None}
    assert task["created_at"] == task["updated_at"]
    assert task["created_at"].endswith("Z")


async def test_a_task_is_the_same_wherever_it_is_read(ada: Person, tasks: str):
    task = (await ada.http.post(tasks, json=FULL)).json()

    assert {name: task[name] for name in FULL} == FULL
    assert (await ada.http.get(f"{tasks}/{task['id']}")).json() == task
    assert (await ada.http.get(tasks)).json() == {"items": [task], "next_cursor": None}
    assert (await get(ada, task)).json() == task


async def test_a_task_keeps_its_text_as_it_is(ada: Person):
    text = "\"quotes\" \\ back\nnew\ttab \u2028 😀 ж 'x'; DROP TABLE tasks; -- </script> %s $1 :y ?"

    task = await create(ada, title=text, description=text, tags=["a\"b\\c'd"])

    assert (task["title"], task["description"], task["tags"]) == (text, text, ["a\"b\\c'd"])
    assert (await ada.http.get("/api/v1/tasks")).json()["items"] == [task]


async def test_put_sets_every_field_and_what_it_leaves_out_has_its_default(ada: Person, tasks: str):
    task = await create(ada, **FULL)

    response = await ada.http.put(f"{tasks}/{task['id']}", json={"title": "Buy bread"})

    assert response.status_code == 200
    bread = response.json()
    assert (bread["title"], bread["description"], bread["priority"]) == ("Buy bread", None, "medium")
    assert (bread["due_date"], bread["tags"], bread["completed"]) == (None, [], False)
    assert (bread["id"], bread["created_at"]) == (task["id"], task["created_at"])
    assert bread["revision"] == task["revision"] + 1
    assert bread["updated_at"] > task["updated_at"]


async def test_put_needs_a_title(ada: Person):
    task = await create(ada)

    response = await ada.http.put(f"/api/v1/tasks/{task['id']}", json={"description": "x"})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "title")


@pytest.mark.parametrize("name", ["title", "description", "priority", "completed", "due_date", "tags"])
async def test_patch_changes_what_it_names_and_keeps_the_rest(ada: Person, tasks: str, name: str):
    task = await create(ada, **FULL)
    values = {
        "title": "x",
        "description": "y",
        "priority": "low",
        "completed": True,
        "due_date": "2027-01-01",
        "tags": [],
    }

    changed = (await ada.http.patch(f"{tasks}/{task['id']}", json={name: values[name]})).json()

    assert changed[name] == values[name]
    differing = {field for field in FIELDS if changed[field] != task[field]}
    assert differing == {name, "revision", "updated_at"} | (
        {"completed_at", "completed_by"} if name == "completed" else set()
    )


@pytest.mark.parametrize("name", ["description", "due_date", "due_at", "list_id"])
async def test_null_clears_what_may_be_empty(ada: Person, name: str):
    task = await create(ada, **FULL)

    assert (await change(ada, task, **{name: None})).json()[name] is None


@pytest.mark.parametrize("name", ["title", "priority", "completed", "tags"])
async def test_null_is_refused_where_nothing_can_be_empty(ada: Person, name: str):
    task = await create(ada, **FULL)

    response = await change(ada, task, **{name: None})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, name)
    assert (await get(ada, task)).json() == task


@pytest.mark.parametrize(
    "name", ["id", "user_id", "revision", "created_at", "updated_at", "completed_at", "deleted_at", "x"]
)
async def test_what_the_server_owns_cannot_be_written(ada: Person, name: str):
    task = await create(ada)
    for response in (
        await change(ada, task, **{name: "x"}),
        await ada.http.put(f"/api/v1/tasks/{task['id']}", json={"title": "x", name: "x"}),
    ):
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, name)


async def test_setting_one_kind_of_due_clears_the_other(ada: Person):
    task = await create(ada, due_date="2026-12-24")

    timed = (await change(ada, task, due_at="2026-12-24T18:00:00+02:00")).json()
    assert (timed["due_date"], timed["due_at"]) == (None, "2026-12-24T16:00:00Z")

    dated = (await change(ada, task, due_date="2026-12-25")).json()
    assert (dated["due_date"], dated["due_at"]) == ("2026-12-25", None)
    assert (await change(ada, task, due_at=None)).json()["due_date"] == "2026-12-25"


async def test_completing_sets_the_instant_and_reopening_clears_it(ada: Person, tasks: str):
    task = await create(ada)
    path = f"{tasks}/{task['id']}/complete"

    done = (await ada.http.patch(path)).json()
    assert (done["completed"], done["completed_at"]) == (True, done["updated_at"])
    reopened = (await ada.http.patch(path, json={})).json()
    assert (reopened["completed"], reopened["completed_at"]) == (False, None)


async def test_setting_completed_twice_is_setting_it_once(ada: Person):
    task = await create(ada)
    path = f"/api/v1/tasks/{task['id']}/complete"

    for completed in (True, False):
        first = (await ada.http.patch(path, json={"completed": completed})).json()
        assert first["completed"] is completed
        assert (await ada.http.patch(path, json={"completed": completed})).json() == first


@pytest.mark.parametrize(
    "body",
    ["null", "[]", '{"completed": null, "x": 1}', '{"completed": null}', '{"completed": "true"}', '{"completed": 1}'],
)
async def test_complete_takes_nothing_else(ada: Person, body: str):
    task = await create(ada)
    headers = {"Content-Type": "application/json"}

    response = await ada.http.patch(f"/api/v1/tasks/{task['id']}/complete", content=body, headers=headers)

    assert response.status_code == 422
    assert (await get(ada, task)).json() == task


async def test_a_deleted_task_is_gone_and_can_come_back(ada: Person, tasks: str):
    task = await create(ada, **FULL)
    path = f"{tasks}/{task['id']}"

    deleted = await ada.http.delete(path)

    assert (deleted.status_code, deleted.content) == (204, b"")
    for method in ("GET", "DELETE", "PATCH", "PUT"):
        body = {"title": "x"} if method in ("PATCH", "PUT") else None
        assert (await ada.http.request(method, path, json=body)).status_code == 404
    assert (await ada.http.patch(f"{path}/complete")).status_code == 404
    trash = (await ada.http.get(f"{tasks}/trash")).json()
    assert [each["id"] for each in trash["items"]] == [task["id"]]
    assert list(trash["items"][0]) == [*FIELDS, "deleted_at"]

    restored = await ada.http.post(f"{path}/restore")

    assert restored.status_code == 200
    assert {name: restored.json()[name] for name in FULL} == FULL
    assert (await ada.http.get(f"{tasks}/trash")).json()["items"] == []
    assert (await ada.http.post(f"{path}/restore")).status_code == 404


async def test_the_trash_is_newest_first(ada: Person):
    for title in ("first", "second", "third"):
        task = await create(ada, title=title)
        await ada.http.delete(f"/api/v1/tasks/{task['id']}")

    page = (await ada.http.get("/api/v1/tasks/trash?limit=2&include_total=true")).json()
    rest = (await ada.http.get(f"/api/v1/tasks/trash?limit=2&cursor={page['next_cursor']}")).json()

    assert [task["title"] for task in page["items"] + rest["items"]] == ["third", "second", "first"]
    assert (page["total"], rest["next_cursor"]) == (3, None)


async def test_a_task_deleted_for_good_cannot_come_back(ada: Person):
    task = await create(ada)

    assert (await ada.http.delete(f"/api/v1/tasks/{task['id']}?permanent=true")).status_code == 204

    assert (await ada.http.post(f"/api/v1/tasks/{task['id']}/restore")).status_code == 404
    assert (await ada.http.get("/api/v1/tasks/trash")).json()["items"] == []


async def test_somebody_elses_task_is_not_there(ada: Person, eve: Person):
    task = await create(ada)
    path = f"/api/v1/tasks/{task['id']}"
    for method, suffix, body in (
        ("GET", "", None),
        ("PUT", "", {"title": "x"}),
        ("PATCH", "", {"title": "x"}),
        ("PATCH", "/complete", None),
        ("DELETE", "", None),
        ("DELETE", "?permanent=true", None),
        ("POST", "/restore", None),
    ):
        response = await eve.http.request(method, path + suffix, json=body)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert (await eve.http.get("/api/v1/tasks?include_total=true")).json()["total"] == 0
    assert (await get(ada, task)).json() == task


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_the_first_and_the_last_day_are_days_in_a_list_as_well(day: str, ada: Person):
    task = await create(ada, due_date=day)

    (listed,) = (await ada.http.get("/api/v1/tasks")).json()["items"]
    assert listed == task == (await get(ada, task)).json()
    assert listed["due_date"] == day
