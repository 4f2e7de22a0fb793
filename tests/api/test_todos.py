"""The todos contract, line by line (CONTRACTS.md section 3)."""

import httpx2
import pytest

from taskwell.database import Database
from taskwell.tasks import TaskDraft, create
from tests.support.people import PASSWORD, Person

NO_ID = "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"
NEW_ACCOUNT = {"email": "bob@example.com", "password": PASSWORD, "name": "Bob"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def todos(ada: Person) -> str:
    return f"/api/users/{ada.id}/todos"


async def add(ada: Person, **fields: object):
    answer = await ada.http.post(f"/api/users/{ada.id}/todos", json={"title": "Buy milk"} | fields)
    assert answer.status_code == 201
    return answer.json()


def told(answer: httpx2.Response) -> list[str]:
    """The fields that an error names, once its shape is right."""
    body = answer.json()
    assert list(body) == ["error", "message", "details"]
    assert isinstance(body["error"], str)
    assert isinstance(body["message"], str)
    assert all(list(each) == ["field", "message"] for each in body["details"])
    return [each["field"] for each in body["details"]]


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
            await create(transaction, ada.principal, TaskDraft(title=f"{n}"))

    answer = (await ada.http.get(todos)).json()

    assert answer["total"] == len(answer["todos"]) == 201


async def test_put_sets_everything_and_patch_what_it_names(ada: Person, todos: str):
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
        "completed": False,
        "completed_at": None,
        "updated_at": put["updated_at"],
    }


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


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": 5}, "title"),
        ({"title": None}, "title"),
        ({"title": "a\x00"}, "title"),
        ({"title": "a", "description": "x" * 1001}, "description"),
        ({"title": "a", "priority": "urgent"}, "priority"),
        ({"title": "a", "priority": 1}, "priority"),
        ({"title": "a", "completed": "yes"}, "completed"),
        ([], "body"),
        ("a", "body"),
    ],
)
async def test_a_value_that_breaks_a_rule_is_400(ada: Person, todos: str, body: object, field: str):
    todo = await add(ada)
    one = f"{todos}/{todo['id']}"

    for answer in (
        await ada.http.post(todos, json=body),
        await ada.http.put(one, json=body),
        await ada.http.patch(one, json=body),
    ):
        assert answer.status_code == 400
        assert told(answer) == [field]
    assert (await ada.http.get(todos)).json()["todos"] == [todo]


async def test_values_at_the_edge_of_a_rule_are_stored(ada: Person):
    todo = await add(ada, title="é" * 200, description="😀" * 1000)

    assert (len(todo["title"]), len(todo["description"])) == (200, 1000)


async def test_a_lone_surrogate_is_400(ada: Person, todos: str):
    answer = await ada.http.post(todos, content=rb'{"title": "\ud800"}', headers=JSON)

    assert answer.status_code == 400
    assert told(answer) == ["title"]


async def test_a_missing_required_field_is_422(ada: Person, todos: str):
    todo = await add(ada)
    one = f"{todos}/{todo['id']}"

    for answer, field in (
        (await ada.http.post(todos, json={}), "title"),
        (await ada.http.post(todos, json={"priority": "nope"}), "title"),
        (await ada.http.put(one, json={"completed": True}), "title"),
        (await ada.http.patch(f"{one}/complete", json={}), "completed"),
        (await ada.http.patch(f"{one}/complete"), "body"),
        (await ada.http.post(todos), "body"),
    ):
        assert answer.status_code == 422
        assert field in told(answer)


async def test_completing_with_another_type_is_400(ada: Person, todos: str):
    todo = await add(ada)

    for value in (None, "true", 1):
        answer = await ada.http.patch(f"{todos}/{todo['id']}/complete", json={"completed": value})
        assert answer.status_code == 400
        assert told(answer) == ["completed"]


@pytest.mark.parametrize("content", [b"{", b'{"title": NaN}', b"\xff", b'{"title": "a",}'])
async def test_a_body_that_is_not_json_is_422(ada: Person, todos: str, content: bytes):
    answer = await ada.http.post(todos, content=content, headers=JSON)

    assert answer.status_code == 422
    assert told(answer) == ["body"]


async def test_a_body_of_another_media_type_is_415(ada: Person, todos: str):
    answer = await ada.http.post(todos, data={"title": "a"})

    assert answer.status_code == 415
    assert told(answer) == []


@pytest.mark.parametrize("query", ["status=done", "sort_by=due", "order=up"])
async def test_an_unknown_value_in_the_query_is_400(ada: Person, todos: str, query: str):
    answer = await ada.http.get(f"{todos}?{query}")

    assert answer.status_code == 400
    assert told(answer) == [query.partition("=")[0]]


async def test_without_a_good_token_everything_is_401(nobody: httpx2.AsyncClient, todos: str):
    for answer in (
        await nobody.get(todos),
        await nobody.post(todos, content=b"{", headers=JSON),
        await nobody.get("/api/auth/me"),
        await nobody.post("/api/auth/logout"),
    ):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert told(answer) == []


async def test_another_users_path_is_403_and_another_users_todo_404(ada: Person, eve: Person, todos: str):
    todo = await add(ada)
    hers = f"/api/users/{eve.id}/todos/{todo['id']}"

    for path, status in ((f"{todos}/{todo['id']}", 403), (hers, 404)):
        for answer in (
            await eve.http.get(path),
            await eve.http.put(path, json={"title": "Mine"}),
            await eve.http.patch(path, json={"title": "Mine"}),
            await eve.http.patch(f"{path}/complete", json={"completed": True}),
            await eve.http.delete(path),
        ):
            assert answer.status_code == status
            assert told(answer) == []
    for answer in (await eve.http.get(todos), await eve.http.post(todos, json={"title": "Hers"})):
        assert answer.status_code == 403
    assert (await ada.http.get(todos)).json()["todos"] == [todo]


@pytest.mark.parametrize("todo_id", [NO_ID, "1", "nothing", "%00"])
async def test_an_id_that_names_nothing_is_404(ada: Person, todos: str, todo_id: str):
    answer = await ada.http.get(f"{todos}/{todo_id}")

    assert answer.status_code == 404
    assert told(answer) == []


async def test_what_is_not_there_speaks_this_contracts_shape(ada: Person, todos: str):
    for path in ("/api/users", f"/api/users/{ada.id}", "/api/auth/nothing", "/api/users/tasks", "/api/auth/tasks"):
        answer = await ada.http.get(path)
        assert answer.status_code == 404
        assert told(answer) == []
    refused = await ada.http.delete(todos)
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "GET, HEAD, POST"
    assert told(refused) == []


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


async def test_signing_up_in_and_out(nobody: httpx2.AsyncClient):
    signed_up = await nobody.post("/api/auth/signup", json=NEW_ACCOUNT | {"confirm_password": PASSWORD})
    assert signed_up.status_code == 201
    user = signed_up.json()["user"]
    assert set(user) == {"id", "email", "name", "time_zone", "created_at", "updated_at"}

    signed_in = await nobody.post("/api/auth/login", json=NEW_ACCOUNT)
    assert signed_in.status_code == 200
    session = signed_in.json()
    assert set(session) == {"user", "access_token", "token_type", "expires_at"}
    assert (session["user"], session["token_type"]) == (user, "bearer")

    token = {"Authorization": f"Bearer {session['access_token']}"}
    assert (await nobody.get("/api/auth/me", headers=token)).json() == user
    assert list((await nobody.post("/api/auth/logout", headers=token)).json()) == ["message"]
    refused = await nobody.get("/api/auth/me", headers=token)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert told(refused) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "short1"}, "password"),
        ({"password": "onlyletters"}, "password"),
        ({"password": 12345678}, "password"),
        ({"email": "nobody"}, "email"),
        ({"name": "B"}, "name"),
    ],
)
async def test_signing_up_with_a_broken_rule_is_400(nobody: httpx2.AsyncClient, change: dict, field: str):
    answer = await nobody.post("/api/auth/signup", json=NEW_ACCOUNT | change)

    assert answer.status_code == 400
    assert told(answer) == [field]


async def test_other_failures_of_accounts_have_the_statuses_of_the_contract(nobody: httpx2.AsyncClient, ada: Person):
    without_name = await nobody.post("/api/auth/signup", json={"email": "b@example.com", "password": PASSWORD})
    not_json = await nobody.post("/api/auth/login", content=b"{", headers=JSON)
    taken = await nobody.post("/api/auth/signup", json=NEW_ACCOUNT | {"email": ada.email.upper()})
    wrong = await nobody.post("/api/auth/login", json={"email": ada.email, "password": "wrong 1234"})

    assert [without_name.status_code, told(without_name)] == [422, ["name"]]
    assert [not_json.status_code, told(not_json)] == [422, ["body"]]
    assert [taken.status_code, told(taken)] == [409, []]
    assert [wrong.status_code, told(wrong)] == [401, []]


async def test_head_answers_and_tasks_are_kept_by_the_client_alone(ada: Person, todos: str):
    await add(ada)

    head = await ada.http.head(todos)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Cache-Control"] == "private, no-cache"
