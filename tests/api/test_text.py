"""Text as people see it: what counts as empty, as the same, and as a name in a path."""

import unicodedata
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from sqlalchemy import delete

from taskwell.database import Database, Query
from taskwell.tasks.tables import TaskRow
from tests.support.people import PASSWORD, Person

TASKS, LISTS, TAGS = "/api/v1/tasks", "/api/v1/lists", "/api/v1/tags"
COMPOSED, DECOMPOSED = "Caf\u00e9", "Cafe\u0301"
UNSEEN = [
    *("\u200b\u200b", "\u200d\u200c", "\u00ad\u2060", "\u202e \u202c", "\ufeff\u180e", "\u2800\u2800"),
    *("\u3164\u115f", "\ufe0f\ufe0f", "\U000e0020\U000e007f", "\u2028\u2029", "\x01\x02"),
]
WITH_JOINERS = ["می\u200cخواهم", "👩\u200d👩\u200d👧", "क\u094d\u200dष"]  # noqa: RUF001


@pytest.mark.parametrize("text", UNSEEN)
async def test_text_of_which_nothing_shows_is_empty(text: str, ada: Person, nobody: httpx2.AsyncClient):
    task = (await ada.http.post(TASKS, json={"title": "Buy milk", "tags": ["home"]})).json()
    kept = (await ada.http.post(LISTS, json={"name": "Groceries"})).json()
    create: dict[str, Any] = {"op": "create", "data": {"title": text}}

    for method, path, body, field in (
        ("POST", TASKS, {"title": text}, "title"),
        ("PUT", f"{TASKS}/{task['id']}", {"title": text}, "title"),
        ("PATCH", f"{TASKS}/{task['id']}", {"title": text}, "title"),
        ("POST", TASKS, {"title": "x", "tags": ["y", text]}, "tags.1"),
        ("POST", f"{TASKS}/bulk", {"operations": [create]}, "operations.0.data.title"),
        ("POST", LISTS, {"name": text}, "name"),
        ("PATCH", f"{LISTS}/{kept['id']}", {"name": text}, "name"),
        ("PATCH", f"{TAGS}/home", {"name": text}, "name"),
        ("PATCH", "/api/v1/users/me", {"name": text}, "name"),
        ("POST", f"/api/v1/{ada.id}/tasks", {"title": text}, "title"),
        ("POST", f"/api/{ada.id}/tasks", {"title": text}, "title"),
    ):
        answer = await ada.http.request(method, path, json=body)
        assert answer.status_code == 422, (method, path)
        assert {each["field"] for each in answer.json()["errors"]} == {field}
    assert (await ada.http.post(f"/api/users/{ada.id}/todos", json={"title": text})).status_code == 400
    account = {"email": "ben@example.com", "password": PASSWORD, "name": text}
    assert (await nobody.post("/api/v1/auth/signup", json=account)).status_code == 422
    assert [each["title"] for each in (await ada.http.get(TASKS)).json()["items"]] == ["Buy milk"]


@pytest.mark.parametrize("text", WITH_JOINERS)
async def test_joiners_within_text_stay(text: str, ada: Person):
    task = (await ada.http.post(TASKS, json={"title": text, "tags": [text]})).json()
    kept = (await ada.http.post(LISTS, json={"name": text})).json()
    user = (await ada.http.patch("/api/v1/users/me", json={"name": f"{text} {text}"})).json()

    assert (task["title"], task["tags"], kept["name"], user["name"]) == (text, [text], text, f"{text} {text}")


@pytest.mark.parametrize("tag", [".", "..", " . ", "\t..\n"])
async def test_a_tag_that_no_path_can_name_is_refused(tag: str, ada: Person):
    await ada.http.post(TASKS, json={"title": "Buy milk", "tags": ["home"]})

    for method, path, body in (
        ("POST", TASKS, {"title": "x", "tags": [tag]}),
        ("PATCH", f"{TAGS}/home", {"name": tag}),
        ("POST", f"/api/{ada.id}/tasks", {"title": "x", "tags": [tag]}),
        ("POST", f"{TASKS}/bulk", {"operations": [{"op": "create", "data": {"title": "x", "tags": [tag]}}]}),
    ):
        assert (await ada.http.request(method, path, json=body)).status_code == 422, (method, path)
    imported = (await ada.http.post(f"{TASKS}/import?format=json", json=[{"title": "x", "tags": [tag]}])).json()
    assert [error["field"] for error in imported["errors"]] == ["tags.0"]
    assert (await ada.http.post(TASKS, json={"title": "x", "tags": ["...", ".a", "a."]})).status_code == 201


async def test_tags_that_look_the_same_are_one_in_a_task(ada: Person):
    task = (await ada.http.post(TASKS, json={"title": "x", "tags": [COMPOSED, DECOMPOSED, "CAFE\u0301"]})).json()

    assert task["tags"] == [COMPOSED]


@pytest.mark.parametrize("typed", [COMPOSED, DECOMPOSED, "CAFÉ", "CAFE\u0301"])
async def test_a_tag_is_found_renamed_and_removed_however_it_is_typed(typed: str, ada: Person):
    for number, tag in enumerate((DECOMPOSED, COMPOSED, COMPOSED)):
        await ada.http.post(TASKS, json={"title": f"Task {number}", "tags": [tag]})
    imported = [{"title": "Imported", "tags": [DECOMPOSED]}]
    assert (await ada.http.post(f"{TASKS}/import?format=json", json=imported)).is_success

    assert (await ada.http.get(TAGS)).json()["items"][0]["tasks"] == 4
    for match in ("any", "all"):
        params = {"tag": typed, "tag_match": match, "include_total": "true"}
        assert (await ada.http.get(TASKS, params=params)).json()["total"] == 4
    assert len((await ada.http.get(f"/api/{ada.id}/tasks", params={"tags": typed})).json()) == 4
    renamed = await ada.http.patch(f"{TAGS}/{quote(typed)}", json={"name": typed})
    assert renamed.json() == {"name": typed, "tasks": 4, "open_tasks": 4}
    assert (await ada.http.get(TAGS)).json()["items"] == [{"name": typed, "tasks": 4, "open_tasks": 4}]
    assert (await ada.http.delete(f"{TAGS}/{quote(typed)}")).status_code == 204
    assert (await ada.http.get(TAGS)).json()["items"] == []


async def test_titles_sort_without_case_and_accents(ada: Person):
    titles = ["Apfel", "Äpfel holen", "apfelmus", "Éclair", "Enten", "Ökostrom", "Orange", "Zebra", "Ёлка", "ель"]
    for title in reversed(titles):
        await ada.http.post(TASKS, json={"title": title})
    decomposed = unicodedata.normalize("NFD", "Äpfel schälen")
    await ada.http.post(TASKS, json={"title": decomposed})
    expected = [
        *("Apfel", "Äpfel holen", decomposed, "apfelmus", "Éclair", "Enten", "Ökostrom", "Orange", "Zebra"),
        *("Ёлка", "ель"),
    ]

    found = (await ada.http.get(f"{TASKS}?sort=title&order=asc&limit=4")).json()
    rest = (await ada.http.get(f"{TASKS}?sort=title&order=asc&limit=9&cursor={found['next_cursor']}")).json()

    assert [each["title"] for each in found["items"] + rest["items"]] == expected


async def test_whichever_task_leaves_the_trash_its_etag_is_another(database: Database, ada: Person):
    made = [(await ada.http.post(TASKS, json={"title": str(number)})).json() for number in range(4)]
    for each in made:
        await ada.http.delete(f"{TASKS}/{each['id']}")
    for gone in (made[1], made[3], made[0]):  # one in the middle, the newest, the oldest
        before = (await ada.http.get(f"{TASKS}/trash")).headers["etag"]

        # as the purge does, which passes over what somebody has locked
        await database.rows(Query(delete(TaskRow).where(TaskRow.id == gone["id"]).returning(TaskRow.id), str))

        assert (await ada.http.get(f"{TASKS}/trash", headers={"If-None-Match": before})).status_code == 200
