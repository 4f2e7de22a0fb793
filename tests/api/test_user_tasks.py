"""The user_tasks contract, line by line (CONTRACTS.md section 4): single tasks."""

from urllib.parse import quote

import httpx2
import pytest

from tests.support.people import Person
from tests.support.user_tasks import add, told

NO_ID = "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def tasks(ada: Person) -> str:
    return f"/api/{ada.id}/tasks"


async def test_a_new_task_has_the_members_that_these_clients_read(ada: Person):
    task = await add(
        ada, title=" Buy milk ", description="two litres", priority="urgent", tags=["home", "Home", "shop"]
    )

    assert task == {
        "id": task["id"],
        "user_id": ada.id,
        "title": "Buy milk",
        "description": "two litres",
        "priority": "urgent",
        "completed": False,
        "completed_at": None,
        "due_date": None,
        "tags": ["home", "shop"],
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
    }


@pytest.mark.parametrize(
    ("sent", "given"),
    [
        ("2026-12-24", "2026-12-24"),
        ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
        ("2026-12-24T00:00:00.000Z", "2026-12-24T00:00:00Z"),
        ("2026-12-24T18:00:00.250+02:00", "2026-12-24T16:00:00.250000Z"),
        (None, None),
    ],
)
async def test_a_due_date_is_a_day_or_an_instant(ada: Person, tasks: str, sent: str | None, given: str | None):
    task = await add(ada, due_date=sent)

    assert task["due_date"] == given
    assert (await ada.http.get(f"{tasks}/{task['id']}")).json() == task
    assert (await ada.http.get(tasks)).json() == [task]


async def test_one_kind_of_due_date_takes_the_place_of_the_other(ada: Person, tasks: str):
    one = f"{tasks}/{(await add(ada, due_date='2026-12-24'))['id']}"

    for due in ("2026-12-24T18:00:00Z", "2026-12-25", None):
        assert (await ada.http.put(one, json={"due_date": due})).json()["due_date"] == due


async def test_forms_that_send_null_for_what_they_leave_alone(ada: Person, tasks: str):
    nothing = {"description": None, "priority": None, "completed": None, "due_date": None, "tags": None}
    task = await add(ada, **nothing)
    assert (task["priority"], task["completed"], task["tags"]) == ("medium", False, [])

    full = await add(ada, description="a", priority="high", completed=True, due_date="2026-12-24", tags=["home"])
    after = (await ada.http.put(f"{tasks}/{full['id']}", json=nothing)).json()

    cleared = {"description": None, "due_date": None, "tags": [], "updated_at": after["updated_at"]}
    assert after == full | cleared


@pytest.mark.parametrize("method", ["put", "patch"])
async def test_put_and_patch_change_only_what_they_name(ada: Person, tasks: str, method: str):
    task = await add(ada, description="two litres", priority="high", due_date="2026-12-24", tags=["home"])
    change = getattr(ada.http, method)
    one = f"{tasks}/{task['id']}"

    renamed = (await change(one, json={"title": "Buy tea"})).json()
    assert renamed == task | {"title": "Buy tea", "updated_at": renamed["updated_at"]}
    done = (await change(one, json={"completed": True, "tags": ["shop"]})).json()
    assert (done["completed"], done["completed_at"] is None, done["tags"]) == (True, False, ["shop"])
    assert (await change(one, json={})).json() == done
    assert (await change(one, json=done)).json() == done


async def test_completing_toggles_or_sets(ada: Person, tasks: str):
    complete = f"{tasks}/{(await add(ada))['id']}/complete"
    states = [
        (await ada.http.patch(complete)).json()["completed"],
        (await ada.http.patch(complete, json={})).json()["completed"],
        (await ada.http.patch(complete, json={"completed": True})).json()["completed"],
        (await ada.http.patch(complete, json={"completed": True})).json()["completed"],
        (await ada.http.patch(complete, json={"completed": False})).json()["completed"],
    ]

    assert states == [True, False, True, True, False]


async def test_deleting_answers_with_something_to_parse(ada: Person, tasks: str):
    one = f"{tasks}/{(await add(ada))['id']}"

    deleted = await ada.http.delete(one)

    assert deleted.status_code == 200
    assert deleted.json() == {"message": deleted.json()["message"], "id": one.rpartition("/")[2]}
    for answer in (await ada.http.delete(one), await ada.http.get(one)):
        assert answer.status_code == 404
        assert told(answer) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": 5}, "title"),
        ({"title": None}, "title"),
        ({"title": "a", "description": "x" * 10_001}, "description"),
        ({"title": "a", "priority": "nope"}, "priority"),
        ({"title": "a", "completed": "yes"}, "completed"),
        ({"title": "a", "due_date": "tomorrow"}, "due_date"),
        ({"title": "a", "due_date": "2026-02-30"}, "due_date"),
        ({"title": "a", "due_date": "2026-12-24T18:00:00"}, "due_date"),
        ({"title": "a", "tags": "home"}, "tags"),
        ({"title": "a", "tags": ["a,b"]}, "tags.0"),
        ([], ""),
    ],
)
async def test_a_value_that_breaks_a_rule_is_422(ada: Person, tasks: str, body: object, field: str):
    task = await add(ada)
    one = f"{tasks}/{task['id']}"

    for answer in (
        await ada.http.post(tasks, json=body),
        await ada.http.put(one, json=body),
        await ada.http.patch(one, json=body),
    ):
        assert answer.status_code == 422
        assert told(answer) == [field]
    assert (await ada.http.get(tasks)).json() == [task]


async def test_a_body_that_is_missing_or_not_json_is_422(ada: Person, tasks: str):
    for answer, field in (
        (await ada.http.post(tasks, content=b"{", headers=JSON), ""),
        (await ada.http.post(tasks, content=b"hello"), ""),
        (await ada.http.post(tasks, data={"title": "a"}), ""),
        (await ada.http.post(tasks), ""),
        (await ada.http.post(tasks, json={}), "title"),
    ):
        assert answer.status_code == 422
        assert told(answer) == [field]
    assert (await ada.http.post(tasks, content=b"{}", headers={"Content-Type": "text/plain"})).status_code == 415


async def test_unknown_and_server_owned_fields_are_ignored(ada: Person):
    task = await add(ada, id=NO_ID, user_id="eve", created_at="yesterday", due_at="never", colour="red")

    assert (task["id"] != NO_ID, task["user_id"], task["due_date"]) == (True, ada.id, None)


async def test_without_a_good_token_everything_is_401(nobody: httpx2.AsyncClient, tasks: str):
    for answer in (await nobody.get(tasks), await nobody.post(tasks, content=b"{", headers=JSON)):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert told(answer) == []


async def test_another_users_path_is_403_and_another_users_task_404(ada: Person, eve: Person, tasks: str):
    task = await add(ada)

    for path, status in ((f"{tasks}/{task['id']}", 403), (f"/api/{eve.id}/tasks/{task['id']}", 404)):
        for answer in (
            await eve.http.get(path),
            await eve.http.put(path, json={"title": "Mine"}),
            await eve.http.patch(path, json={"title": "Mine"}),
            await eve.http.patch(f"{path}/complete"),
            await eve.http.delete(path),
        ):
            assert answer.status_code == status
            assert told(answer) == []
    for answer in (await eve.http.get(tasks), await eve.http.post(tasks, json={"title": "Hers"})):
        assert answer.status_code == 403
    assert (await ada.http.get(tasks)).json() == [task]


@pytest.mark.parametrize("task_id", [NO_ID, "1", "stats", "%00", quote("é/x", safe="")])
async def test_an_id_that_names_nothing_is_404(ada: Person, tasks: str, task_id: str):
    answer = await ada.http.get(f"{tasks}/{task_id}")

    assert answer.status_code == 404
    assert told(answer) == []


async def test_what_is_not_there_speaks_this_contracts_shape(ada: Person, tasks: str):
    missing = await ada.http.get(f"{tasks}/{NO_ID}/notes/1")
    refused = await ada.http.delete(tasks)

    assert (missing.status_code, refused.status_code) == (404, 405)
    assert told(missing) == told(refused) == []
    assert refused.headers["Allow"] == "GET, HEAD, POST"


async def test_a_create_that_is_sent_again_is_done_once(ada: Person, tasks: str):
    key = {"Idempotency-Key": "milk-1"}
    first = await ada.http.post(tasks, json={"title": "Buy milk"}, headers=key)
    again = await ada.http.post(f"{tasks}/", json={"title": "Buy milk"}, headers=key)
    other = await ada.http.post(tasks, json={"title": "Buy tea"}, headers=key)

    assert again.json() == first.json()
    assert other.status_code == 422
    assert told(other) == ["Idempotency-Key"]
    assert len((await ada.http.get(tasks)).json()) == 1
