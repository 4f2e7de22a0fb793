"""Many requests at once for the same thing, through real HTTP; on PostgreSQL two processes serve them."""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import Any
from uuid import uuid4

import httpx2
from sqlalchemy import bindparam, func, select

from taskwell.database import Base, Query, UuidText
from tests.chaos.conftest import House
from tests.support.people import Person

ROUNDS = int(os.environ.get("RACE_ROUNDS", "1"))
CROWD = 20


async def at_once(requests: Iterable[Awaitable[httpx2.Response]]) -> list[httpx2.Response]:
    """All of them at the same time; none may be the server's fault, whatever its words for it."""
    answers = await asyncio.gather(*requests)
    assert [each.text for each in answers if each.status_code >= 500] == []
    return answers


def statuses(answers: Iterable[httpx2.Response]) -> Counter[int]:
    return Counter(each.status_code for each in answers)


async def someone(house: House) -> Person:
    return await house.arrive(f"ada-{uuid4()}")


async def made(ada: Person, title: str, **fields: Any) -> dict[str, Any]:
    return (await ada.http.post("/api/v1/tasks", json={"title": title} | fields)).json()


async def every(ada: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await ada.http.get("/api/v1/tasks", params={"limit": 200, "cursor": cursor})).json()
        found += page["items"]
        cursor = page["next_cursor"]
    return found


async def test_of_twenty_requests_with_one_idempotency_key_one_is_done(house: House, tried):
    seen: Counter[str] = Counter()
    for _ in range(ROUNDS):
        ada = await someone(house)
        key = {"Idempotency-Key": str(uuid4())}
        for body, path in (({"title": "Once"}, ""), ({"operations": [_create("Bulk")] * 3}, "/bulk")):
            answers = await at_once(
                ada.http.post(f"/api/v1/tasks{path}", json=body, headers=key) for _ in range(CROWD)
            )
            done = [each for each in answers if each.status_code < 300]
            first = [each for each in done if "idempotency-replayed" not in each.headers]
            assert len(first) == 1
            assert {each.content for each in done} == {first[0].content}
            assert {each.json()["code"] for each in answers if each not in done} <= {"request_in_progress"}
            seen.update(done=1, replayed=len(done) - 1, refused=CROWD - len(done))
        assert sorted(task["title"] for task in await every(ada)) == ["Bulk", "Bulk", "Bulk", "Once"]
    tried(times=2 * ROUNDS, requests=2 * ROUNDS * CROWD, **seen)


def _create(title: str) -> dict[str, Any]:
    return {"op": "create", "data": {"title": title}}


async def test_of_twenty_writers_with_if_match_one_wins(house: House, tried):
    ada = await someone(house)
    for _ in range(ROUNDS):
        task = await made(ada, "Contested")
        tag = {"If-Match": f'"{task["revision"]}"'}
        path = f"/api/v1/tasks/{task['id']}"
        answers = await at_once(
            ada.http.patch(path, json={"title": f"Writer {n}"}, headers=tag)
            if n % 2
            else ada.http.put(path, json={"title": f"Writer {n}"}, headers=tag)
            for n in range(CROWD)
        )
        assert statuses(answers) == {200: 1, 412: CROWD - 1}
        winner = next(each for each in answers if each.status_code == 200).json()
        assert (await ada.http.get(path)).json() == winner
    tried(times=ROUNDS, requests=ROUNDS * CROWD, won=ROUNDS)


async def test_no_toggle_is_lost(house: House, tried):
    ada = await someone(house)
    for _ in range(ROUNDS):
        task = await made(ada, "Toggled")
        path = f"/api/v1/tasks/{task['id']}/complete"
        answers = await at_once(ada.http.patch(path) for _ in range(CROWD + 1))
        assert Counter(each.json()["completed"] for each in answers) == {True: CROWD // 2 + 1, False: CROWD // 2}
        assert len({each.json()["revision"] for each in answers}) == CROWD + 1
        assert (await ada.http.get(path.removesuffix("/complete"))).json()["completed"] is True
    tried(times=ROUNDS, requests=ROUNDS * (CROWD + 1), lost=0)


async def test_bulks_that_touch_the_same_tasks_in_opposite_orders_all_succeed(house: House, tried):
    ada = await someone(house)
    for _ in range(ROUNDS):
        tasks = [await made(ada, f"Task {n}") for n in range(10)]

        def rename(number: int, chosen: list[dict[str, Any]]) -> dict[str, Any]:
            return {
                "operations": [
                    {"op": "update", "id": task["id"], "data": {"title": f"Bulk {number}"}} for task in chosen
                ]
            }

        bulks = [rename(n, tasks if n % 2 else tasks[::-1]) for n in range(CROWD)]
        singles = [ada.http.patch(f"/api/v1/tasks/{task['id']}", json={"description": "x"}) for task in tasks]
        answers = await at_once([*(ada.http.post("/api/v1/tasks/bulk", json=each) for each in bulks), *singles])
        assert statuses(answers) == {200: CROWD + 10}
        ids = {task["id"] for task in tasks}
        left = [task for task in await every(ada) if task["id"] in ids]
        assert len({task["title"] for task in left}) == 1, "the last bulk is whole"
        assert {task["description"] for task in left} == {"x"}
    tried(times=ROUNDS, requests=ROUNDS * (CROWD + 10), refused=0)


async def test_deletes_of_a_list_and_a_tag_during_writes_leave_nothing_that_points_nowhere(house: House, tried):
    seen: Counter[int] = Counter()
    for _ in range(ROUNDS):
        ada = await someone(house)
        found = (await ada.http.post("/api/v1/lists", json={"name": "Errands"})).json()
        first = await made(ada, "First", list_id=found["id"], tags=["home"])

        fields = {"list_id": found["id"], "tags": ["home", "town"]}
        writes = [
            ada.http.patch(f"/api/v1/tasks/{first['id']}", json=fields | {"title": f"Task {n}"})
            if n % 2
            else ada.http.post("/api/v1/tasks", json=fields | {"title": f"Task {n}"})
            for n in range(CROWD)
        ]
        deletes = [ada.http.delete(f"/api/v1/lists/{found['id']}"), ada.http.delete("/api/v1/tags/home")]
        answers = await at_once([*writes[:10], *deletes, *writes[10:]])
        seen += statuses(answers)
        assert statuses(answers).keys() <= {200, 201, 204, 422}
        assert statuses(answers[10:12]) == {204: 2}
        assert {each.json()["errors"][0]["field"] for each in answers if each.status_code == 422} <= {"list_id"}
        tasks = await every(ada)
        assert {task["list_id"] for task in tasks} == {None}
        assert len(tasks) == 1 + statuses(answers)[201]
    tried(times=ROUNDS, answers=_named(seen))


async def test_a_user_who_is_deleted_during_writes_leaves_nothing_behind(house: House, tried):
    seen: Counter[int] = Counter()
    for _ in range(ROUNDS):
        ada = await someone(house)
        task = await made(ada, "First")
        writes = [
            ada.http.post("/api/v1/tasks", json={"title": f"Task {n}"}, headers={"Idempotency-Key": str(n)})
            if n % 2
            else ada.http.patch(f"/api/v1/tasks/{task['id']}", json={"title": f"Task {n}"})
            for n in range(CROWD)
        ]
        removal = ada.http.request("DELETE", "/api/v1/users/me", json={"password": "engine 1843"})
        answers = await at_once([*writes, removal])
        seen += statuses(answers)
        assert answers[-1].status_code == 204
        assert statuses(answers).keys() <= {200, 201, 204, 401, 404}
        assert (await ada.http.get("/api/v1/tasks")).status_code == 401
        assert await _rows_of(house, ada) == 0
    tried(times=ROUNDS, answers=_named(seen))


async def _rows_of(house: House, ada: Person) -> int:
    """What is stored of somebody, in whichever table."""
    assert house.app.services is not None
    found = 0
    for name in ("tasks", "lists", "task_tags", "idempotency_keys", "reminders"):
        table = Base.metadata.tables[name]
        owned = table.c["space_id" if "space_id" in table.c else "user_id"] == bindparam("user_id", type_=UuidText)
        counted = Query(select(func.count()).select_from(table).where(owned), int)
        found += await house.app.services.database.row(counted, user_id=ada.id) or 0
    return found


def _named(seen: Counter[int]) -> dict[str, int]:
    return {str(status): seen[status] for status in sorted(seen)}


async def test_a_walk_by_cursor_sees_what_stays_once_while_tasks_come_and_go(house: House, tried):
    walks = 0
    for _ in range(ROUNDS):
        ada = await someone(house)
        operations = [_create(f"Task {n:03}") for n in range(60)]
        results = (await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations})).json()["results"]
        ids = [result["task"]["id"] for result in results]
        staying, going = set(ids[::2]), ids[1::2]

        async def disturb(ada: Person = ada, going: list[str] = going) -> None:
            for number, each in enumerate(going):
                await ada.http.post("/api/v1/tasks", json={"title": f"Task {number * 2:03} and more"})
                await ada.http.delete(f"/api/v1/tasks/{each}")

        disturbing = asyncio.create_task(disturb())
        while not disturbing.done():
            for sort in ("sort=created_at&order=desc", "sort=title&order=asc", "sort=priority"):
                seen = await _walk(ada, sort)
                assert len(seen) == len(set(seen)), "nothing is seen twice"
                assert staying <= set(seen), "nothing that stays is missed"
                walks += 1
        await disturbing
    tried(walks=walks, tasks_that_came_or_went=60 * ROUNDS)


async def _walk(ada: Person, sort: str) -> list[str]:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await ada.http.get(f"/api/v1/tasks?limit=7&{sort}&cursor={cursor}")).json()
        await asyncio.sleep(0.002)  # in one process nobody else would get a turn
        seen += [task["id"] for task in page["items"]]
        cursor = page["next_cursor"]
    return seen
