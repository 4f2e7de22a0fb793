"""Several users at once against a plain model: each sees exactly what the model says is theirs, whatever all do."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from taskwell.api.gateway import Gateway
from tests.support.people import Person, arrive

T = TypeVar("T")
TASKS = "/api/v1/tasks"
ADDRESSES = ("/api/v1/tasks", "/api/v1/users/{id}/tasks", "/api/v1/{id}/tasks")
PEOPLE = 3
BUDGET = hypothesis.settings(
    max_examples=15,
    stateful_step_count=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
names = count()

titles = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=40).filter(str.strip)
members = st.fixed_dictionaries(
    {"title": titles},
    optional={
        "description": st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
        "priority": st.sampled_from(["low", "medium", "high", "urgent"]),
        "completed": st.booleans(),
        "due_date": st.none() | st.dates().map(str),
    },
)
changes = members.flatmap(
    lambda all_of_them: st.sets(st.sampled_from(sorted(all_of_them))).map(
        lambda named: {name: all_of_them[name] for name in named}
    )
)
DEFAULTS = {"description": None, "priority": "medium", "completed": False, "due_date": None}
who = st.integers(0, PEOPLE - 1)
which = st.integers(0, 1_000)


@dataclass
class Model:
    """What one user has: tasks by id, and those in the trash."""

    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    trash: dict[str, dict[str, Any]] = field(default_factory=dict)


class Users(RuleBasedStateMachine):
    app: Gateway
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.people = [self.now(arrive(self.app, f"person{next(names)}")) for _ in range(PEOPLE)]
        self.models = [Model() for _ in range(PEOPLE)]

    def now(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def send(self, person: int, method: str, path: str = "", address: int = 0, **options: Any) -> Any:
        caller: Person = self.people[person]
        answer = self.now(caller.http.request(method, ADDRESSES[address].format(id=caller.id) + path, **options))
        assert answer.status_code < 500, answer.text
        return answer

    def some_task(self, number: int) -> str | None:
        """An id of somebody's task, in the trash or not; whose it is does not matter."""
        known = sorted(each for model in self.models for each in (*model.tasks, *model.trash))
        return known[number % len(known)] if known else None

    @rule(person=who, body=members, address=st.integers(0, 2))
    def create(self, person: int, body: dict[str, Any], address: int) -> None:
        answer = self.send(person, "POST", address=address, json=body)
        assert answer.status_code == 201
        self.models[person].tasks[answer.json()["id"]] = DEFAULTS | body | {"title": body["title"].strip()}

    @precondition(lambda self: self.some_task(0))
    @rule(person=who, number=which, body=changes)
    def change(self, person: int, number: int, body: dict[str, Any]) -> None:
        self._write(person, number, "PATCH", body, lambda task: task | body)

    @precondition(lambda self: self.some_task(0))
    @rule(person=who, number=which, body=members)
    def replace(self, person: int, number: int, body: dict[str, Any]) -> None:
        self._write(person, number, "PUT", body, lambda task: DEFAULTS | body)

    def _write(self, person: int, number: int, method: str, body: dict[str, Any], change: Any) -> None:
        task_id = self.some_task(number)
        assert task_id is not None
        mine = self.models[person].tasks
        answer = self.send(person, method, f"/{task_id}", json=body)
        assert answer.status_code == (200 if task_id in mine else 404)
        if task_id in mine:
            changed = change(mine[task_id])
            mine[task_id] = changed | {"title": changed["title"].strip()}

    @precondition(lambda self: self.some_task(0))
    @rule(person=who, number=which)
    def toggle(self, person: int, number: int) -> None:
        task_id = self.some_task(number)
        assert task_id is not None
        mine = self.models[person].tasks
        answer = self.send(person, "PATCH", f"/{task_id}/complete")
        assert answer.status_code == (200 if task_id in mine else 404)
        if task_id in mine:
            mine[task_id] = mine[task_id] | {"completed": not mine[task_id]["completed"]}

    @precondition(lambda self: self.some_task(0))
    @rule(person=who, number=which, permanent=st.booleans())
    def delete(self, person: int, number: int, *, permanent: bool) -> None:
        task_id = self.some_task(number)
        assert task_id is not None
        model = self.models[person]
        answer = self.send(person, "DELETE", f"/{task_id}", params={"permanent": str(permanent).lower()})
        assert answer.status_code == (204 if task_id in model.tasks else 404)
        if task_id in model.tasks:
            task = model.tasks.pop(task_id)
            if not permanent:
                model.trash[task_id] = task

    @precondition(lambda self: self.some_task(0))
    @rule(person=who, number=which)
    def restore(self, person: int, number: int) -> None:
        task_id = self.some_task(number)
        assert task_id is not None
        model = self.models[person]
        answer = self.send(person, "POST", f"/{task_id}/restore")
        assert answer.status_code == (200 if task_id in model.trash else 404)
        if task_id in model.trash:
            model.tasks[task_id] = model.trash.pop(task_id)

    @precondition(lambda self: self.some_task(0))
    @rule(person=who, number=which)
    def get(self, person: int, number: int) -> None:
        task_id = self.some_task(number)
        assert task_id is not None
        answer = self.send(person, "GET", f"/{task_id}")
        expected = self.models[person].tasks.get(task_id)
        assert answer.status_code == (200 if expected is not None else 404)
        if expected is not None:
            assert _shown(answer.json()) == expected

    @rule(person=who, status=st.sampled_from(["pending", "completed"]), address=st.integers(0, 2))
    def list_some(self, person: int, status: str, address: int) -> None:
        answer = self.send(person, "GET", address=address, params={"status": status, "limit": 200})
        mine = self.models[person].tasks
        expected = {each for each in mine if mine[each]["completed"] == (status == "completed")}
        assert {task["id"] for task in answer.json()["items"]} == expected

    @invariant()
    def everybody_has_what_the_model_says(self) -> None:
        for person, model in enumerate(self.models):
            tasks = self.send(person, "GET", params={"limit": 200, "include_total": "true"}).json()
            assert {task["id"]: _shown(task) for task in tasks["items"]} == model.tasks
            assert tasks["total"] == len(model.tasks)
            trash = self.send(person, "GET", "/trash", params={"limit": 200}).json()
            assert {task["id"] for task in trash["items"]} == set(model.trash)


def _shown(task: dict[str, Any]) -> dict[str, Any]:
    return {name: task[name] for name in ("title", *DEFAULTS)}


async def test_users_who_do_anything_in_any_order_have_what_the_model_says(app: Gateway):
    machine = type("UsersOfThisDatabase", (Users,), {"app": app, "loop": asyncio.get_running_loop()})

    await asyncio.to_thread(run_state_machine_as_test, machine, settings=BUDGET)
