"""The todos contract, line by line (CONTRACTS.md section 3): what it does."""

import pytest

from taskwell.database import Database
from taskwell.tasks import TaskDraft, create
from tests.support.people import Person
from tests.support.todos import add, told

NO_ID = "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"


@pytest.fixture
def todos(ada: Person) -> str:
    return f"/api/users/{ada.id}/todos"


async def test_a_new_todo_has_the_members_that_the_contract_names(ada: Person):
    todo = await add(ada, title="  Buy milk ", description="two litres", priority="low")

    assert todo == {
        "id": todo["id"],
        "user_id": ada.id,
        "title": "Buy milk",
        "description": "two litres",
        "priority": "low",
        "completed": False,
        "created_at": todo["created_at"],
        "updated_at": todo["created_at"],
        "completed_at": None,
    }
    assert todo["created_at"].endswith("Z")


async def test_a_todo_is_read_and_listed_as_it_was_stored(ada: Person, todos: str):
    todo = await add(ada, description='"é"\n', completed=True)

    assert (await ada.http.get(f"{todos}/{todo['id']}")).json() == todo
    assert (await ada.http.get(todos)).json() == {
        "todos": [todo],
        "total": 1,
        "filters_applied": {"status": "all", "sort_by": "created_at", "order": "desc"},
    }


async def test_an_empty_list_is_an_envelope_too(ada: Person, todos: str):
    answer = (await ada.http.get(f"{todos}/")).json()

    assert (answer["todos"], answer["total"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["cherry", "Apple", "banana"]),
        ("?order=asc", ["banana", "Apple", "cherry"]),
        ("?status=completed", ["Apple"]),
        ("?status=pending", ["cherry", "banana"]),
        ("?sort_by=title&order=asc", ["Apple", "banana", "cherry"]),
        ("?sort_by=priority", ["banana", "Apple", "cherry"]),
        ("?sort_by=priority&order=asc", ["cherry", "Apple", "banana"]),
        ("?status=&sort_by=&page=7", ["cherry", "Apple", "banana"]),
    ],
)
async def test_lists_are_filtered_and_sorted(ada: Person, todos: str, query: str, titles: list[str]):
    await add(ada, title="banana", priority="high")
    await add(ada, title="Apple", completed=True)
    await add(ada, title="cherry", priority="low")

    answer = (await ada.http.get(todos + query)).json()

    assert [todo["title"] for todo in answer["todos"]] == titles
    assert answer["total"] == len(titles)


async def test_a_list_says_how_it_was_filtered(ada: Person, todos: str):
    answer = await ada.http.get(todos, params={"status": "pending", "sort_by": "title", "order": "asc"})

    assert answer.json()["filters_applied"] == {"status": "pending", "sort_by": "title", "order": "asc"}


async def test_a_list_holds_all_of_them(database: Database, ada: Person, todos: str):
    async with database.transaction() as transaction:
        for n in range(201):
            await create(transaction, ada.principal, ada.space, TaskDraft(title=f"{n}"))

    answer = (await ada.http.get(todos)).json()

    assert answer["total"] == len(answer["todos"]) == 201


async def test_put_sets_what_the_edit_form_has_and_patch_what_it_names(ada: Person, todos: str):
    todo = await add(ada, description="two litres", priority="high", completed=True)
    one = f"{todos}/{todo['id']}"

    patched = (await ada.http.patch(one, json={"title": "Buy oat milk"})).json()
    assert patched == todo | {"title": "Buy oat milk", "updated_at": patched["updated_at"]}
    assert (await ada.http.patch(one, json={"description": None})).json()["description"] is None

    put = (await ada.http.put(one, json={"title": "Buy tea"})).json()
    assert put == todo | {
        "title": "Buy tea",
        "description": None,
        "priority": "medium",
        "updated_at": put["updated_at"],
    }
    assert (await ada.http.put(one, json={"title": "Buy tea", "completed": False})).json()["completed"] is False


async def test_what_this_contract_does_not_know_survives_its_put(ada: Person, todos: str):
    task = (
        await ada.http.post("/api/v1/tasks", json={"title": "a", "tags": ["home"], "due_date": "2026-12-24"})
    ).json()

    await ada.http.put(f"{todos}/{task['id']}", json={"title": "b", "tags": [], "due_date": None})

    after = (await ada.http.get(f"/api/v1/tasks/{task['id']}")).json()
    assert (after["title"], after["tags"], after["due_date"]) == ("b", ["home"], "2026-12-24")


@pytest.mark.parametrize("method", ["put", "patch"])
async def test_an_urgent_task_shows_as_high_and_stays_urgent_when_that_is_sent_back(
    ada: Person, todos: str, method: str
):
    task = (await ada.http.post("/api/v1/tasks", json={"title": "a", "priority": "urgent"})).json()
    one = f"{todos}/{task['id']}"
    shown = (await ada.http.get(one)).json()
    listed = (await ada.http.get(todos)).json()["todos"][0]

    after = (await getattr(ada.http, method)(one, json=shown | {"title": "b"})).json()

    assert shown["priority"] == listed["priority"] == after["priority"] == "high"
    assert (await ada.http.get(f"/api/v1/tasks/{task['id']}")).json()["priority"] == "urgent"
    await ada.http.patch(one, json={"priority": "low"})
    assert (await ada.http.get(f"/api/v1/tasks/{task['id']}")).json()["priority"] == "low"


async def test_complete_sets_and_does_so_twice_alike(ada: Person, todos: str):
    todo = await add(ada)
    complete = f"{todos}/{todo['id']}/complete"

    done = (await ada.http.patch(complete, json={"completed": True})).json()
    again = (await ada.http.patch(complete, json={"completed": True})).json()
    reopened = (await ada.http.patch(complete, json={"completed": False})).json()

    assert done["completed"] is True
    assert done["completed_at"] is not None
    assert again == done
    assert (reopened["completed"], reopened["completed_at"]) == (False, None)


async def test_a_deleted_todo_is_gone(ada: Person, todos: str):
    todo = await add(ada)
    one = f"{todos}/{todo['id']}"

    deleted = await ada.http.delete(one)

    assert deleted.status_code == 200
    assert deleted.json() == {"message": "Todo deleted successfully", "deleted_id": todo["id"]}
    for answer in (await ada.http.delete(one), await ada.http.get(one)):
        assert answer.status_code == 404
        assert told(answer) == []


async def test_unknown_and_server_owned_fields_are_ignored(ada: Person):
    todo = await add(ada, id=NO_ID, user_id="eve", created_at="yesterday", colour="red", tags=5)

    assert (todo["id"] != NO_ID, todo["user_id"]) == (True, ada.id)


async def test_values_at_the_edge_of_a_rule_are_stored(ada: Person):
    todo = await add(ada, title="é" * 200, description="😀" * 1000)

    assert (len(todo["title"]), len(todo["description"])) == (200, 1000)


async def test_a_create_that_is_sent_again_is_done_once(ada: Person, todos: str):
    key = {"Idempotency-Key": "milk-1"}
    first = await ada.http.post(todos, json={"title": "Buy milk"}, headers=key)
    again = await ada.http.post(todos, json={"title": "Buy milk"}, headers=key)
    other = await ada.http.post(todos, json={"title": "Buy tea"}, headers=key)

    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.status_code == 422
    assert told(other) == ["Idempotency-Key"]
    assert (await ada.http.get(todos)).json()["total"] == 1


async def test_head_answers_and_tasks_are_kept_by_the_client_alone(ada: Person, todos: str):
    await add(ada)

    head = await ada.http.head(todos)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Cache-Control"] == "private, no-cache"
