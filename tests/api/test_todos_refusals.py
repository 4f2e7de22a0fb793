"""What the todos contract refuses: 400 for a value, 422 for a body, and always its own shape."""

import httpx2
import pytest

from tests.support.people import Person
from tests.support.todos import add, told

NO_ID = "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def todos(ada: Person) -> str:
    return f"/api/users/{ada.id}/todos"


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


@pytest.mark.parametrize("media_type", [{}, {"Content-Type": "text/plain"}])
async def test_a_body_of_another_media_type_is_415_and_422_if_it_is_no_json_at_all(
    ada: Person, todos: str, media_type: dict[str, str]
):
    for content, status, fields in ((b'{"title": "a"}', 415, []), (b"title=a", 422, ["body"])):
        answer = await ada.http.post(todos, content=content, headers=media_type)

        assert answer.status_code == status
        assert told(answer) == fields


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
