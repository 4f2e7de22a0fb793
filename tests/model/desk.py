"""Where the model and the product are held against each other: who asks, what is expected, what is seen."""

import asyncio
from collections.abc import Coroutine
from itertools import count
from typing import Any, ClassVar, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from tests.model.people import PEOPLE
from tests.model.product import Account, Change, Task, TaskList, instant
from tests.model.worlds import Answer, Worlds

T = TypeVar("T")
HIGH_FOR_URGENT = {"urgent": "high"}


class Desk(RuleBasedStateMachine):
    """Several people with an account each, in both worlds."""

    worlds: ClassVar[Worlds]
    loop: ClassVar[asyncio.AbstractEventLoop]
    numbers: ClassVar = count()

    def __init__(self) -> None:
        super().__init__()
        crowd = next(self.numbers)
        self.people = {name: f"{name}{crowd}" for name in PEOPLE}
        self.accounts = {name: Account() for name in PEOPLE}
        self.things = count(1)
        self.seen: dict[tuple[int, int], tuple[Task, dict[str, Any]]] = {}
        for name in self.people.values():
            self.now(self.worlds.all("arrive", name))

    def now(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(120)

    def ask(self, person: str, method: str, path: str, **options: Any) -> Answer:
        return self.now(self.worlds.ask(self.people[person], method, path, **options))

    def tasks_path(self, person: str, address: str = "/api/v1/tasks") -> str:
        return address.format(self.people[person])

    def some_task(self, number: int) -> int:
        """A task of anybody's, in the trash or not; whose it is does not matter. Of none, one that never was."""
        known = sorted(each for account in self.accounts.values() for each in account.tasks)
        return known[number % len(known)] if known else 0

    def some_list(self, number: int) -> int:
        known = sorted(each for account in self.accounts.values() for each in account.lists)
        return known[number % len(known)] if known else 0

    def named(self, body: Change) -> tuple[Change, Change]:
        """A body for the wire, and what it means to the model; a list in it becomes one that there is."""
        wire, meant = dict(body), dict(body)
        if "list_id" in body:
            number = meant.pop("list_id")
            meant["list"] = None if number is None else self.some_list(number)
            wire["list_id"] = None if number is None else f"<l{meant['list']}>"
        if "due_at" in meant and meant["due_at"] is not None:
            meant["due_at"] = instant(meant["due_at"]).isoformat()
        return wire, meant

    def has_list(self, person: str, meant: Change) -> bool:
        return meant.get("list") is None or meant["list"] in self.accounts[person].lists

    def shows(self, person: str, task: Task) -> dict[str, Any]:
        """The task as v1 answers with it."""
        return {
            "id": f"<t{task.number}>",
            "user_id": f"<{self.people[person]}>",
            "title": task.title,
            "description": task.description,
            "priority": task.priority,
            "completed": task.completed,
            "completed_at": "then" if task.completed else None,
            "due_date": task.due_date,
            "due_at": task.due_at,
            "list_id": None if task.list is None else f"<l{task.list}>",
            "tags": list(task.tags),
            "space_id": f"<{self.people[person]}>",
            "created_by": f"<{self.people[person]}>",
            "completed_by": f"<{self.people[person]}>" if task.completed else None,
            "assignee_id": None,
            "revision": task.revision,
            "created_at": "then",
            "updated_at": "then",
        } | ({"deleted_at": "then"} if task.is_deleted else {})

    def shows_todo(self, person: str, task: Task) -> dict[str, Any]:
        shown = self.shows(person, task)
        names = ("id", "user_id", "title", "description", "completed", "created_at", "updated_at", "completed_at")
        priority = HIGH_FOR_URGENT.get(task.priority, task.priority)
        return {name: shown[name] for name in names} | {"priority": priority}

    def shows_user_task(self, person: str, task: Task) -> dict[str, Any]:
        shown = self.shows(person, task)
        sharing = ("space_id", "created_by", "completed_by", "assignee_id")
        without = ("due_at", "list_id", "revision", "deleted_at", *sharing)
        return {name: shown[name] for name in shown if name not in without} | {
            "due_date": task.due_date or task.due_at
        }

    def shows_list(self, person: str, each: TaskList) -> dict[str, Any]:
        return {
            "id": f"<l{each.number}>",
            "space_id": f"<{self.people[person]}>",
            "name": each.name,
            "color": each.color,
            "position": each.position,
            "open_tasks": self.accounts[person].open_tasks(each.number),
            "revision": each.revision,
            "created_at": "then",
            "updated_at": "then",
        }

    def sight(self, person: str, task: Task, raws: list[dict[str, Any]]) -> None:
        """Looks at the instants of a task: what has not been written is as it was, and time runs forwards."""
        for world, raw in enumerate(raws):
            before, was = self.seen.get((world, task.number), (None, {}))
            now: dict[str, Any] = {
                name: raw[name] for name in ("created_at", "updated_at", "completed_at") if name in raw
            }
            if before is not None and before.revision == task.revision:
                assert now == {name: was[name] for name in now}
            elif before is not None:
                assert now["created_at"] == was["created_at"]
                assert now["updated_at"] >= was["updated_at"]
            if before is not None and task.completed and before.completion == task.completion:
                assert now["completed_at"] == was["completed_at"]
            self.seen[world, task.number] = (task, now)

    def lets(self, task: Task, precondition: str | None) -> tuple[bool, dict[str, str]]:
        """Whether a write goes through with an If-Match, and the header."""
        tags = {
            "current": f'"{task.revision}"',
            "stale": f'"{task.revision - 1}", "7777777"',
            "any": "*",
            "weak": f'W/"{task.revision}"',
        }
        header = {"If-Match": tags[precondition]} if precondition else {}
        return precondition not in ("stale", "weak"), header

    def has_everything(self, person: str) -> None:
        """Asks for all that somebody has."""
        account = self.accounts[person]
        page = self.ask(person, "GET", "/api/v1/tasks", params={"limit": 200, "include_total": "true"})
        expected = sorted(account.living(), key=lambda task: -task.number)
        assert page.body["items"] == [self.shows(person, task) for task in expected]
        assert page.body["total"] == len(expected)
        assert page.headers["etag"].split("-")[0].removeprefix('W/"') == str(account.revision)
        for place, task in enumerate(expected):
            self.sight(person, task, [raw["items"][place] for raw in page.raw])
        trash = self.ask(person, "GET", "/api/v1/tasks/trash", params={"limit": 200}).body["items"]
        in_trash = {each.number: self.shows(person, each) for each in account.tasks.values() if each.is_deleted}
        assert sorted(trash, key=lambda task: str(task["id"])) == sorted(
            in_trash.values(), key=lambda task: str(task["id"])
        )
        lists = sorted(account.lists.values(), key=lambda each: (each.position, each.number))
        assert self.ask(person, "GET", "/api/v1/lists").body["items"] == [
            self.shows_list(person, each) for each in lists
        ]
        tags = [{"name": name, "tasks": tasks, "open_tasks": still} for name, tasks, still in account.tags()]
        assert self.ask(person, "GET", "/api/v1/tags").body["items"] == tags
