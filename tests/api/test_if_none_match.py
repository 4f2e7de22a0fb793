"""If-None-Match on writes, and tags that a proxy has changed."""

from typing import Any

import httpx2
import pytest

from tests.support.people import PASSWORD, Person

TASKS, LISTS, TAGS, ME = "/api/v1/tasks", "/api/v1/lists", "/api/v1/tags", "/api/v1/users/me"
ANY = {"If-None-Match": "*"}
CONTRACTS = [TASKS, "/api/v1/users/{}/tasks", "/api/users/{}/todos", "/api/{}/tasks", "/api/v1/{}/tasks"]
SOON = "2099-01-01T00:00:00Z"


async def everything(person: Person) -> dict[str, Any]:
    exported = (await person.http.get(f"{ME}/export")).json()
    return {name: value for name, value in exported.items() if name != "exported_at"}


CHANGES: list[tuple[str, str, Any]] = [
    ("PUT", "", {"title": "Buy bread"}),
    ("PATCH", "", {"title": "Buy cheese"}),
    ("PATCH", "/complete", {"completed": True}),
    ("DELETE", "", None),
]


@pytest.mark.parametrize("contract", CONTRACTS)
async def test_a_star_keeps_every_write_from_a_task_that_exists(contract: str, ada: Person):
    base = contract.format(ada.id)
    made = await ada.http.post(base, json={"title": "Buy milk"})
    path = f"{base}/{made.json()['id']}"
    before = await everything(ada)

    for method, suffix, body in CHANGES:
        answer = await ada.http.request(method, path + suffix, json=body, headers=ANY)
        assert answer.status_code == 412, (method, suffix)

    assert await everything(ada) == before


@pytest.mark.parametrize("contract", CONTRACTS)
async def test_a_tag_keeps_a_write_from_the_state_that_it_names_alone(contract: str, ada: Person):
    base = contract.format(ada.id)
    made = await ada.http.post(base, json={"title": "Buy milk"})
    path, tag = f"{base}/{made.json()['id']}", made.headers["etag"]

    for method, suffix, body in CHANGES:
        for given in (tag, f'"0", W/{tag}'):
            answer = await ada.http.request(method, path + suffix, json=body, headers={"If-None-Match": given})
            assert answer.status_code == 412, (method, suffix, given)
    for method, suffix, body in CHANGES:
        answer = await ada.http.request(method, path + suffix, json=body, headers={"If-None-Match": '"0", "x", 7'})
        assert answer.is_success, (method, suffix)


async def test_a_star_keeps_every_other_write_from_what_exists(ada: Person):
    task = (await ada.http.post(TASKS, json={"title": "Buy milk", "tags": ["home"], "due_at": SOON})).json()
    gone = (await ada.http.post(TASKS, json={"title": "Buy bread"})).json()
    await ada.http.delete(f"{TASKS}/{gone['id']}")
    kept = (await ada.http.post(LISTS, json={"name": "Groceries"})).json()
    reminders = f"{TASKS}/{task['id']}/reminders"
    reminder = (await ada.http.post(reminders, json={"minutes_before_due": 5})).json()
    await ada.http.put(f"{ME}/webhook", json={"url": "https://example.com/hook"})
    before = await everything(ada)

    for method, path, body in (
        ("POST", f"{TASKS}/{gone['id']}/restore", None),
        ("POST", reminders, {"minutes_before_due": 10}),
        ("DELETE", f"{reminders}/{reminder['id']}", None),
        ("DELETE", f"{TASKS}/{task['id']}?permanent=true", None),
        ("PATCH", f"{LISTS}/{kept['id']}", {"name": "Food"}),
        ("DELETE", f"{LISTS}/{kept['id']}?delete_tasks=true", None),
        ("PATCH", f"{TAGS}/home", {"name": "house"}),
        ("DELETE", f"{TAGS}/home", None),
        ("PATCH", ME, {"name": "Countess"}),
        ("DELETE", f"/api/v1/users/{ada.id}", {"password": PASSWORD}),
        ("POST", f"{ME}/webhook/secret", None),
        ("DELETE", f"{ME}/webhook", None),
        ("POST", f"{TASKS}/bulk", {"operations": [{"op": "delete", "id": task["id"]}]}),
    ):
        answer = await ada.http.request(method, path, json=body, headers=ANY)
        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed"), (method, path)

    assert await everything(ada) == before


async def test_a_star_is_judged_after_everything_else(ada: Person, eve: Person, nobody: httpx2.AsyncClient):
    task = (await ada.http.post(TASKS, json={"title": "Buy milk"})).json()
    path = f"{TASKS}/{task['id']}"

    for client, method, to, body, status in (
        (nobody, "PATCH", path, {"title": "x"}, 401),
        (eve.http, "PATCH", path, {"title": "x"}, 404),
        (ada.http, "PATCH", path, {"title": ""}, 422),
        (ada.http, "DELETE", f"{TAGS}/nowhere", None, 404),
        (ada.http, "POST", f"{path}/restore", None, 404),
        (ada.http, "DELETE", ME, {"password": "not hers 1"}, 403),
    ):
        assert (await client.request(method, to, json=body, headers=ANY)).status_code == status, (method, to)


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("changed", ['W/"{}"', '"{}-gzip"', '"{}-zstd"', '"{}--gzip"', '"{};br"', '"0", "{}-br"'])
async def test_who_sends_a_tag_that_a_proxy_has_changed_is_told_so(contract: str, changed: str, ada: Person):
    base = contract.format(ada.id)
    made = await ada.http.post(base, json={"title": "Buy milk"})
    path, revision = f"{base}/{made.json()['id']}", made.headers["etag"].strip('"')

    for method, suffix, body in CHANGES:
        answer = await ada.http.request(
            method, path + suffix, json=body, headers={"If-Match": changed.format(revision)}
        )
        assert answer.status_code == 412
        assert "A proxy has changed the ETag" in answer.text
    stale = await ada.http.patch(path, json={"title": "x"}, headers={"If-Match": '"0"'})
    assert "proxy" not in stale.text


async def test_who_sends_a_tag_of_a_list_that_a_proxy_has_changed_is_told_so(ada: Person):
    made = await ada.http.post(LISTS, json={"name": "Groceries"})
    path, tag = made.headers["location"], made.headers["etag"]

    for changed in (f"W/{tag}", f'{tag[:-1]}-gzip"'):
        answer = await ada.http.delete(path, headers={"If-Match": changed})
        assert answer.status_code == 412
        assert "proxy" in answer.json()["detail"]
    assert (await ada.http.patch(path, json={"name": "x"}, headers={"If-None-Match": tag})).status_code == 412
