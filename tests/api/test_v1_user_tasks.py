"""The v1_user_tasks contract: bare arrays under /api/v1, in which it differs from user_tasks by two answers."""

from tests.support.people import Person

NOBODY = "0193d1c8-7d3a-7b6e-9f5e-0a4c1c2d3e4f"


async def test_its_answers_are_those_of_user_tasks_but_for_the_deletion(ada: Person):
    made = await ada.http.post(f"/api/v1/{ada.id}/tasks", json={"title": "Buy milk", "colour": "red"})
    one = f"/api/v1/{ada.id}/tasks/{made.json()['id']}"

    assert made.status_code == 201
    assert (await ada.http.get(f"/api/v1/{ada.id}/tasks")).json() == [made.json()]
    assert (await ada.http.get(f"/api/{ada.id}/tasks")).json() == [made.json()]
    put = (await ada.http.put(one, json={"priority": "high"})).json()
    assert (put["title"], put["priority"]) == ("Buy milk", "high")
    assert (await ada.http.patch(f"{one}/complete")).json()["completed"] is True
    deleted = await ada.http.delete(one)
    assert (deleted.status_code, deleted.content) == (204, b"")


async def test_its_errors_are_problems_with_the_words_that_its_clients_look_for(ada: Person, eve: Person):
    missing = await ada.http.get(f"/api/v1/{ada.id}/tasks/{NOBODY}")
    forbidden = await ada.http.get(f"/api/v1/{eve.id}/tasks")
    malformed = await ada.http.post(f"/api/v1/{ada.id}/tasks", content=b"{")

    assert (missing.status_code, missing.json()["detail"]) == (404, "Task not found.")
    assert (forbidden.status_code, forbidden.json()["title"]) == (403, "Forbidden")
    assert (malformed.status_code, malformed.json()["code"]) == (422, "validation_failed")
    for answer in (missing, forbidden, malformed):
        assert answer.headers["content-type"] == "application/problem+json"


async def test_v1_has_nothing_else_under_the_bare_id(ada: Person):
    for path in ("bulk", "stats", "trash", "export"):
        assert (await ada.http.get(f"/api/v1/{ada.id}/tasks/{path}")).status_code == 404
    assert (await ada.http.get(f"/api/v1/users/{ada.id}/tasks/stats")).status_code == 200


async def test_the_words_of_user_tasks_are_those_that_its_clients_look_for(ada: Person, eve: Person):
    missing = await ada.http.get(f"/api/{ada.id}/tasks/{NOBODY}")
    forbidden = await ada.http.get(f"/api/{eve.id}/tasks")

    assert (missing.status_code, missing.json()) == (404, {"detail": "Task not found."})
    assert forbidden.status_code == 403
    assert forbidden.json()["detail"].startswith("Forbidden: the path names another user")
