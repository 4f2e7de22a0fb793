"""v1: bulk over HTTP."""

import pytest

from taskwell.database import new_id
from tests.support.people import Person

ADDRESSES = ["/api/v1/tasks", "/api/v1/users/{id}/tasks"]


async def _task(person: Person, **values) -> dict:
    answer = await person.http.post("/api/v1/tasks", json={"title": "A task"} | values)
    made: dict = answer.json()
    return made


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_operation_answers_as_its_single_call_does(ada: Person, address: str):
    changed, completed, reopened, deleted, restored = [await _task(ada, completed=n == 2) for n in range(5)]
    await ada.http.delete(f"/api/v1/tasks/{restored['id']}")

    answer = await ada.http.post(
        f"{address.format(id=ada.id)}/bulk",
        json={
            "operations": [
                {"op": "create", "data": {"title": " New ", "tags": ["a", "A"]}},
                {"op": "update", "id": changed["id"].upper(), "data": {"due_date": "2026-12-24"}, "if_match": 1},
                {"op": "complete", "id": completed["id"]},
                {"op": "reopen", "id": reopened["id"]},
                {"op": "delete", "id": deleted["id"], "if_match": deleted["revision"]},
                {"op": "restore", "id": restored["id"]},
            ]
        },
    )

    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [each["status"] for each in results] == [201, 200, 200, 200, 204, 200]
    assert [each["index"] for each in results] == list(range(6))
    assert "task" not in results[4]
    assert len({each["task"]["revision"] for each in results if "task" in each}) == 1
    for each in results:
        if "task" in each:
            assert (await ada.http.get(f"/api/v1/tasks/{each['task']['id']}")).json() == each["task"]
    assert (await ada.http.get(f"/api/v1/tasks/{deleted['id']}")).status_code == 404


async def test_a_failure_of_an_atomic_bulk_is_the_problem_of_its_operation(ada: Person):
    task = await _task(ada)
    bulk = {
        "operations": [
            {"op": "create", "data": {"title": "New"}},
            {"op": "complete", "id": task["id"], "if_match": task["revision"] + 1},
        ]
    }

    answer = await ada.http.post("/api/v1/tasks/bulk", json=bulk)

    assert answer.status_code == 412
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["index"]) == ("precondition_failed", 1)
    assert [each["title"] for each in (await ada.http.get("/api/v1/tasks")).json()["items"]] == ["A task"]


@pytest.mark.parametrize("missing", ["01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f", "not-a-uuid", "a\x00b"])
async def test_an_unknown_task_is_404_whatever_its_id_looks_like(ada: Person, missing: str):
    operations = [{"op": "delete", "id": missing}]

    atomic = await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations})
    each = await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations, "atomic": False})

    assert (atomic.status_code, atomic.json()["index"]) == (404, 0)
    assert each.status_code == 200
    (result,) = each.json()["results"]
    assert (result["status"], result["problem"]["code"], result["problem"]["status"]) == (404, "not_found", 404)


async def test_all_wrong_values_of_an_atomic_bulk_are_told_at_once(ada: Person):
    operations = [{"op": "create", "data": {"title": "Good"}} for _ in range(500)]
    operations[3] = {"op": "create", "data": {"title": " ", "priority": "whatever"}}
    operations[7] = {"op": "update", "id": new_id(), "data": {"revision": 3}}

    answer = await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations})

    assert (answer.status_code, answer.json()["index"]) == (422, 3)
    assert [each["field"] for each in answer.json()["errors"]] == [
        "operations.3.data.title",
        "operations.3.data.priority",
        "operations.7.data.revision",
    ]
    assert (await ada.http.get("/api/v1/tasks")).json()["items"] == []


async def test_a_wrong_value_fails_alone_where_each_is_for_itself(ada: Person):
    operations = [
        {"op": "create", "data": {"title": "Good"}},
        {"op": "create", "data": {"title": "x" * 201}},
        {"op": "create", "data": {"title": "No list", "list_id": new_id()}},
    ]

    answer = await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations, "atomic": False})

    good, too_long, no_list = answer.json()["results"]
    assert (good["status"], too_long["status"], no_list["status"]) == (201, 422, 422)
    assert [each["field"] for each in too_long["problem"]["errors"]] == ["operations.1.data.title"]
    assert [each["field"] for each in no_list["problem"]["errors"]] == ["operations.2.data.list_id"]
    assert "index" not in no_list["problem"]
    assert [each["title"] for each in (await ada.http.get("/api/v1/tasks")).json()["items"]] == ["Good"]


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize(
    ("operations", "field"),
    [
        ([], "operations"),
        ([{"op": "complete", "id": "x"}] * 501, "operations"),
        ("all", "operations"),
        ([{"op": "explode", "id": "x"}], "operations.0.op"),
        ([{"id": "x"}], "operations.0.op"),
        (["delete"], "operations.0"),
        ([{"op": "delete"}], "operations.0.id"),
        ([{"op": "create"}], "operations.0.data"),
        ([{"op": "update", "id": "x"}], "operations.0.data"),
        ([{"op": "update", "id": "x", "data": []}], "operations.0.data"),
        ([{"op": "create", "data": {"title": "A"}, "id": "x"}], "operations.0.id"),
        ([{"op": "create", "data": {"title": "A"}, "if_match": 1}], "operations.0.if_match"),
        ([{"op": "delete", "id": "x", "data": {}}], "operations.0.data"),
        ([{"op": "delete", "id": "x", "if_match": "1"}], "operations.0.if_match"),
        ([{"op": "delete", "id": 5}], "operations.0.id"),
        ([{"op": "delete", "id": "x", "permanent": True}], "operations.0.permanent"),
    ],
)
async def test_a_bulk_of_the_wrong_shape_is_refused_as_a_whole(ada: Person, operations, field, atomic):
    answer = await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations, "atomic": atomic})

    assert answer.status_code == 422
    assert field in [each["field"] for each in answer.json()["errors"]]
    assert answer.json().get("index") == (0 if field.startswith("operations.") else None)


async def test_nulls_are_as_good_as_nothing(ada: Person):
    task = await _task(ada)
    operations = [{"op": "delete", "id": task["id"], "data": None, "if_match": None}]

    answer = await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations})

    assert [each["status"] for each in answer.json()["results"]] == [204]


async def test_a_bulk_sent_twice_with_one_key_is_done_once(ada: Person):
    bulk = {"operations": [{"op": "create", "data": {"title": "Once"}}]}

    answers = [
        await ada.http.post("/api/v1/tasks/bulk", json=bulk, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]

    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert len((await ada.http.get("/api/v1/tasks")).json()["items"]) == 1


async def test_somebody_elses_tasks_are_not_there(ada: Person, eve: Person):
    task = await _task(ada)
    verbs = ["update", "complete", "reopen", "delete", "restore"]
    operations = [{"op": op, "id": task["id"]} | ({"data": {}} if op == "update" else {}) for op in verbs]

    answer = await eve.http.post("/api/v1/tasks/bulk", json={"operations": operations, "atomic": False})

    assert {each["status"] for each in answer.json()["results"]} == {404}
    assert (await ada.http.get(f"/api/v1/tasks/{task['id']}")).json() == task
    assert (
        await eve.http.post(f"/api/v1/users/{ada.id}/tasks/bulk", json={"operations": operations})
    ).status_code == 403
