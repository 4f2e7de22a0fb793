"""v1: lists over HTTP."""

import pytest

from tests.support.people import Person

LISTS = "/api/v1/lists"


async def _list(person: Person, **values) -> dict:
    made: dict = (await person.http.post(LISTS, json={"name": "Home"} | values)).json()
    return made


async def test_a_list_is_made_read_changed_and_deleted(ada: Person):
    created = await ada.http.post(LISTS, json={"name": "  Home ", "color": "#33AAff"})
    made = created.json()
    assert created.status_code == 201
    assert created.headers["location"] == f"{LISTS}/{made['id']}"
    assert made.keys() == {
        "id",
        "space_id",
        "name",
        "color",
        "position",
        "open_tasks",
        "revision",
        "created_at",
        "updated_at",
    }
    assert (made["name"], made["color"], made["open_tasks"]) == ("Home", "#33AAff", 0)

    one = await ada.http.get(f"{LISTS}/{made['id']}")
    assert (one.json(), one.headers["etag"]) == (made, created.headers["etag"])
    assert (await ada.http.get(LISTS)).json() == {"items": [made]}

    changed = await ada.http.patch(f"{LISTS}/{made['id']}", json={"name": "House", "color": None, "position": 7})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["color"], changed.json()["position"]) == ("House", None, 7)

    assert (await ada.http.delete(f"{LISTS}/{made['id']}")).status_code == 204
    assert (await ada.http.get(f"{LISTS}/{made['id']}")).status_code == 404
    assert (await ada.http.delete(f"{LISTS}/{made['id']}")).status_code == 404
    assert (await ada.http.get(LISTS)).json() == {"items": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": None}, "name"),
        ({"name": "A", "color": "red"}, "color"),
        ({"name": "A", "color": "#12345"}, "color"),
        ({"name": "A", "color": "#123456\n"}, "color"),
        ({"name": "A", "position": -1}, "position"),
        ({"name": "A", "position": "1"}, "position"),
        ({"name": "A", "position": 2**63}, "position"),
        ({"name": "A", "open_tasks": 3}, "open_tasks"),
    ],
)
async def test_values_that_break_a_rule_are_told_and_not_stored(ada: Person, body: dict, field: str):
    made = await _list(ada)

    for answer in (
        await ada.http.post(LISTS, json=body),
        await ada.http.patch(f"{LISTS}/{made['id']}", json=body),
    ):
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["errors"]] == [field]

    assert (await ada.http.get(LISTS)).json() == {"items": [made]}


async def test_a_new_list_needs_a_name_and_a_change_needs_nothing(ada: Person):
    made = await _list(ada, name="x" * 100)

    assert (await ada.http.post(LISTS, json={"color": "#000000"})).status_code == 422
    assert (await ada.http.patch(f"{LISTS}/{made['id']}", json={})).json() == made
    assert (await ada.http.patch(f"{LISTS}/{made['id']}", json={"position": None})).status_code == 422


async def test_a_list_is_not_sent_again_until_it_or_its_count_changes(ada: Person):
    made = await _list(ada)
    one, every = f"{LISTS}/{made['id']}", LISTS

    for address in (one, every):
        tag = (await ada.http.get(address)).headers["etag"]
        assert (await ada.http.get(address, headers={"If-None-Match": tag})).status_code == 304
        await ada.http.post("/api/v1/tasks", json={"title": "A", "list_id": made["id"]})
        assert (await ada.http.get(address, headers={"If-None-Match": tag})).status_code == 200

    assert (await ada.http.get(one)).json()["open_tasks"] == 2


async def test_a_write_to_a_list_changes_the_etag_of_the_tasks(ada: Person):
    before = (await ada.http.get("/api/v1/tasks")).headers.get("etag")
    await _list(ada)

    assert before is not None
    assert (await ada.http.get("/api/v1/tasks")).headers["etag"] != before


async def test_a_list_is_changed_and_deleted_only_as_it_was_read(ada: Person):
    created = await ada.http.post(LISTS, json={"name": "Home"})
    address, read = created.headers["location"], {"If-Match": created.headers["etag"]}
    await ada.http.post("/api/v1/tasks", json={"title": "A", "list_id": created.json()["id"]})

    assert (await ada.http.patch(address, json={"name": "House"}, headers=read)).status_code == 200
    assert (await ada.http.patch(address, json={"name": "Hut"}, headers=read)).status_code == 412
    assert (await ada.http.delete(address, headers=read)).status_code == 412
    assert (await ada.http.delete(address, headers={"If-Match": "*"})).status_code == 204


@pytest.mark.parametrize(("query", "where"), [("", "tasks"), ("?delete_tasks=true", "tasks/trash")])
async def test_the_tasks_of_a_deleted_list_stay_or_go_to_the_trash(ada: Person, query: str, where: str):
    made = await _list(ada)
    task = (await ada.http.post("/api/v1/tasks", json={"title": "A", "list_id": made["id"]})).json()

    assert (await ada.http.delete(f"{LISTS}/{made['id']}{query}")).status_code == 204

    (found,) = (await ada.http.get(f"/api/v1/{where}")).json()["items"]
    assert (found["id"], found["list_id"]) == (task["id"], None)


@pytest.mark.parametrize("list_id", [None, "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f", "not-a-uuid"])
async def test_somebody_elses_list_and_no_list_are_404_alike(ada: Person, eve: Person, list_id: str | None):
    made = await _list(ada)
    address = f"{LISTS}/{list_id or made['id']}"

    answers = [
        await eve.http.get(address),
        await eve.http.patch(address, json={"name": "Mine"}),
        await eve.http.delete(f"{address}?delete_tasks=true"),
    ]

    assert [each.status_code for each in answers] == [404, 404, 404]
    assert {each.json()["detail"] for each in answers} == {"There is no such list."}
    assert (await ada.http.get(LISTS)).json() == {"items": [made]}


async def test_a_list_is_made_once_however_often_it_is_sent(ada: Person):
    for _ in range(2):
        await ada.http.post(LISTS, json={"name": "Home"}, headers={"Idempotency-Key": "k"})

    assert len((await ada.http.get(LISTS)).json()["items"]) == 1
