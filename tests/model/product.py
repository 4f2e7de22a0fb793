"""What a user has, in plain values: the product's rules written down once more, in the simplest way they can be.

It knows nothing of the product's code, of databases or of HTTP. Tasks and lists are named by numbers, in the order
in which they were made.
"""

import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Change = dict[str, Any]
URGENCY = ["low", "medium", "high", "urgent"]


@dataclass(frozen=True)
class Task:
    """Attributes:
    completion: Which of the completions of this account it is; None while it is pending.
    """

    number: int
    title: str
    description: str | None = None
    priority: str = "medium"
    completion: int | None = None
    due_date: str | None = None
    due_at: str | None = None
    list: int | None = None
    tags: tuple[str, ...] = ()
    revision: int = 0
    is_deleted: bool = False

    @property
    def completed(self) -> bool:
        return self.completion is not None


@dataclass(frozen=True)
class TaskList:
    number: int
    name: str
    color: str | None
    position: int
    revision: int = field(default=0, compare=False)


@dataclass
class Account:
    """Everything of one user. A write that changes nothing takes no revision."""

    revision: int = 0
    time_zone: str = "UTC"
    tasks: dict[int, Task] = field(default_factory=dict)
    lists: dict[int, TaskList] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    """By idempotency key, what was sent and what came back."""
    completions: int = 0

    def living(self) -> list[Task]:
        return [task for task in self.tasks.values() if not task.is_deleted]

    def find(self, number: int, *, in_trash: bool = False) -> Task | None:
        task = self.tasks.get(number)
        return task if task and task.is_deleted is in_trash else None

    def becomes(self, task: Task, named: Change) -> Task:
        """The task after a change of the named fields."""
        named = dict(named)
        if "completed" in named:
            is_completed = named.pop("completed")
            if is_completed and not task.completed:
                self.completions += 1
                named["completion"] = self.completions
            elif not is_completed:
                named["completion"] = None
        if named.get("due_date") is not None:
            named["due_at"] = None
        elif named.get("due_at") is not None:
            named["due_date"] = None
        if "title" in named:
            named["title"] = named["title"].strip()
        if "tags" in named:
            named["tags"] = without_twins([tag.strip() for tag in named["tags"]])
        return replace(task, **named)

    def write(self, *after: Task) -> None:
        """Stores tasks as one write; of those that are as they were, nothing."""
        changed = [task for task in after if self.tasks.get(task.number) != task]
        if changed:
            self.revision += 1
        for task in changed:
            self.tasks[task.number] = replace(task, revision=self.revision)

    def erase(self, number: int) -> None:
        self.revision += 1
        del self.tasks[number]

    def create_list(self, made: TaskList) -> None:
        self.revision += 1
        self.lists[made.number] = replace(made, revision=self.revision)

    def change_list(self, number: int, named: Change) -> None:
        after = replace(self.lists[number], **named)
        if after != self.lists[number]:
            self.revision += 1
            self.lists[number] = replace(after, revision=self.revision)

    def remove_list(self, number: int, *, with_tasks: bool) -> None:
        self.revision += 1
        for task in [each for each in self.tasks.values() if each.list == number]:
            is_deleted = task.is_deleted or with_tasks
            self.tasks[task.number] = replace(task, list=None, is_deleted=is_deleted, revision=self.revision)
        del self.lists[number]

    def next_position(self) -> int:
        return max([0, *(each.position for each in self.lists.values())]) + 1

    def open_tasks(self, number: int) -> int:
        return sum(task.list == number and not task.completed for task in self.living())

    def tags(self) -> list[tuple[str, int, int]]:
        """Each tag's name, tasks and open tasks, by name without case."""
        found = []
        for key in sorted({key_of(tag) for task in self.living() for tag in task.tags}):
            spelled = [(tag, task) for task in self.living() for tag in task.tags if key_of(tag) == key]
            names = Counter(tag for tag, _ in spelled)
            name = min(names, key=lambda each: (-names[each], each))
            found.append((name, len(spelled), sum(not task.completed for _, task in spelled)))
        return found

    def retag(self, tag: str, name: str | None) -> bool:
        """Renames the tag, or takes it away; False where no living task has it."""
        if key_of(tag) not in {key_of(each) for task in self.living() for each in task.tags}:
            return False
        meant = {key_of(tag), key_of(name if name is not None else tag)}
        self.write(
            *(
                replace(task, tags=without_twins(self._respelled(task.tags, meant, name)))
                for task in self.tasks.values()
            )
        )
        return True

    @staticmethod
    def _respelled(tags: tuple[str, ...], meant: set[str], name: str | None) -> list[str]:
        renamed = (name if key_of(tag) in meant else tag for tag in tags)
        return [tag for tag in renamed if tag is not None]

    def due(self, task: Task) -> datetime | None:
        """When the task is due: for a day, the last microsecond of it where the user is."""
        if task.due_date is None:
            return None if task.due_at is None else instant(task.due_at)
        if task.due_date == "9999-12-31":
            return datetime.max.replace(tzinfo=UTC)
        return self.start_of(date.fromisoformat(task.due_date) + timedelta(days=1)) - timedelta(microseconds=1)

    def start_of(self, day: date) -> datetime:
        try:
            return datetime.combine(day, time(), ZoneInfo(self.time_zone)).astimezone(UTC)
        except OverflowError:
            return datetime.combine(day, time(), UTC)

    def found(self, asked: Change, now: datetime) -> list[Task]:
        """The tasks that meet every filter, in their order; ``relevance`` is in no order here."""
        tasks = [task for task in self.living() if self._meets(task, asked, now)]
        is_descending = asked.get("order", "desc") == "desc"
        by = asked.get("sort", "created_at")
        if by != "due":
            return sorted(tasks, key=lambda task: (_key(task, by), task.number), reverse=is_descending)
        dated = [(due, task.number, task) for task in tasks if (due := self.due(task)) is not None]
        dateless = [task for task in tasks if self.due(task) is None]
        return [
            *(task for *_, task in sorted(dated, key=lambda each: each[:2], reverse=is_descending)),
            *sorted(dateless, key=lambda task: task.number, reverse=is_descending),
        ]

    def _meets(self, task: Task, asked: Change, now: datetime) -> bool:
        due = self.due(task)
        keys = {key_of(tag) for tag in task.tags}
        wanted = {key_of(tag.strip()) for tag in asked.get("tag", [])}
        is_overdue = due is not None and due < now and not task.completed
        return all(
            (
                asked.get("status", "all") in ("all", "completed" if task.completed else "pending"),
                not asked.get("priority") or task.priority in asked["priority"],
                not wanted or (wanted <= keys if asked.get("tag_match") == "all" else bool(wanted & keys)),
                asked.get("list_id") in (None, "none" if task.list is None else task.list),
                asked.get("overdue") in (None, is_overdue),
                "due_before" not in asked or (due is not None and due < self.bound(asked["due_before"])),
                "due_after" not in asked or (due is not None and due >= self.bound(asked["due_after"])),
                holds(task, asked.get("q", "")),
            )
        )

    def bound(self, text: str) -> datetime:
        return instant(text) if "T" in text else self.start_of(date.fromisoformat(text))


def _key(task: Task, by: str) -> Any:
    return {
        "priority": URGENCY.index(task.priority),
        "title": bare(task.title).casefold(),
        "updated_at": task.revision,
    }.get(by, 0)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def key_of(tag: str) -> str:
    return unicodedata.normalize("NFC", tag.casefold())


def without_twins(tags: list[str]) -> tuple[str, ...]:
    """Of tags that differ in case, the first."""
    first: dict[str, str] = {}
    for tag in tags:
        first.setdefault(key_of(tag), tag)
    return tuple(first.values())


def bare(text: str) -> str:
    """Without accents."""
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))


def words_of(text: str) -> list[str]:
    """The words as they are compared: without case and accents."""
    letters = "".join(each if unicodedata.category(each)[0] in "LMN" else " " for each in text)
    return bare(letters).lower().replace("\u03c2", "\u03c3").split()


def holds(task: Task, search: str) -> bool:
    """Whether every word is in title, tags or description; the last one may be the beginning of one."""
    if not words_of(search):
        return not search.strip()
    *whole, last = words_of(search)
    present = words_of(" ".join([task.title, *task.tags, task.description or ""]))
    return set(whole) <= set(present) and any(word.startswith(last) for word in present)
