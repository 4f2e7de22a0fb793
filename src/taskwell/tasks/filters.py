"""What a list of tasks may be asked for, as values, and each condition as SQL."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, bindparam, false, or_, select

from taskwell.database import UtcInstant
from taskwell.tasks.fields import UUID
from taskwell.tasks.search import FOUND, Search, is_wordless, parameters, terms_of
from taskwell.tasks.tables import TaskRow, TaskTagRow
from taskwell.tasks.task import Priority, start_of, tag_key
from taskwell.tasks.visibility import in_space

SortKey = Literal["created_at", "updated_at", "due", "priority", "title", "relevance", "deleted_at"]
Bound = date | datetime
NO_LIST = "none"
NOBODY = "none"
NO_ID = "00000000-0000-0000-0000-000000000000"
"""Of nothing, for ids that are none."""


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Conditions that must all hold; one that is None or empty asks nothing.

    Attributes:
        tags: Any of them, or with ``all_tags`` every one; compared without case.
        list_id: A list, or ``NO_LIST``; what is no list finds nothing.
        assignee_id: A member, or ``NOBODY``; what is no user finds nothing.
        due_before: A day, from its start in the space's time zone, or an instant; the bound is left out.
        due_after: The same, with the bound; so with the other instants.
        search: What a person typed; see ``taskwell.tasks.search``. A blank one asks nothing.
    """

    completed: bool | None = None
    priorities: tuple[Priority, ...] = ()
    tags: tuple[str, ...] = ()
    all_tags: bool = False
    list_id: str | None = None
    assignee_id: str | None = None
    overdue: bool | None = None
    due_before: Bound | None = None
    due_after: Bound | None = None
    created_before: Bound | None = None
    created_after: Bound | None = None
    updated_after: Bound | None = None
    search: str | None = None

    @property
    def reads_clock(self) -> bool:
        """Whether other tasks may match later although none has changed."""
        return self.overdue is not None


@dataclass(frozen=True, slots=True)
class TaskSort:
    key: SortKey = "created_at"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: its SQL depends on ``name`` and ``count`` alone, so statements can be kept."""

    name: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Asker:
    """Where something is asked, and when.

    Attributes:
        now: What is overdue, is overdue now.
        time_zone: Where the days of a filter begin.
    """

    space_id: str
    now: datetime
    time_zone: str


Values = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a part of the filter asks.

    Attributes:
        values: The parameters' values, or None where nothing is asked.
        sql: The condition for that number of parameters.
    """

    name: str
    values: Callable[[TaskFilter, Asker], Values | None]
    sql: Callable[[int], ColumnElement[Any]]


_one = bindparam


def _instant(name: str) -> Any:
    return bindparam(name, type_=UtcInstant)


def _each(name: str, numbers: Iterable[int]) -> list[Any]:
    return [bindparam(f"{name}_{number}") for number in numbers]


def _if(asked: bool, **values: object) -> Values | None:  # noqa: FBT001
    return values if asked else None


def _bound(name: str) -> Callable[[TaskFilter, Asker], Values | None]:
    def values(wanted: TaskFilter, asker: Asker) -> Values | None:
        bound = getattr(wanted, name)
        if bound is None:
            return None
        return {name: bound if isinstance(bound, datetime) else start_of(bound, asker.time_zone)}

    return values


def _priorities(wanted: TaskFilter, _: Asker) -> Values | None:
    return {f"priority_{n}": int(each) for n, each in enumerate(dict.fromkeys(wanted.priorities))} or None


def _tags(wanted: TaskFilter) -> Values | None:
    return {f"tag_{n}": key for n, key in enumerate(dict.fromkeys(map(tag_key, wanted.tags)))} or None


def _tagged(*numbers: int) -> ColumnElement[bool]:
    """Whether the task has one of these tags; by its id, so that a planner may begin at a rare tag."""
    return TaskRow.id.in_(
        select(TaskTagRow.task_id).where(in_space(TaskTagRow), TaskTagRow.tag_key.in_(_each("tag", numbers)))
    )


def _list(wanted: TaskFilter, _: Asker) -> Values | None:
    return None if wanted.list_id in (None, NO_LIST) else {"list_id": _id_in(wanted.list_id)}


def _assignee(wanted: TaskFilter, _: Asker) -> Values | None:
    return None if wanted.assignee_id in (None, NOBODY) else {"assignee_id": _id_in(wanted.assignee_id)}


def _id_in(text: str) -> str:
    return text.lower() if UUID.fullmatch(text) else NO_ID


def _search(wanted: TaskFilter, asker: Asker) -> Values | None:
    terms = terms_of(wanted.search or "")
    return parameters(Search(asker.space_id, terms)) if terms else None


# What names the tasks themselves comes first: SQLite begins a search with the first condition.
_RULES = (
    _Rule("wordless", lambda f, _: _if(is_wordless(f.search or "")), lambda _: false()),
    _Rule("search", _search, lambda _: FOUND),
    _Rule("any_tag", lambda f, _: None if f.all_tags else _tags(f), lambda n: _tagged(*range(n))),
    _Rule("all_tags", lambda f, _: _tags(f) if f.all_tags else None, lambda n: and_(*map(_tagged, range(n)))),
    _Rule("list", _list, lambda _: TaskRow.list_id == _one("list_id")),
    _Rule("no_list", lambda f, _: _if(f.list_id == NO_LIST), lambda _: TaskRow.list_id.is_(None)),
    _Rule("assignee", _assignee, lambda _: TaskRow.assignee_id == _one("assignee_id")),
    _Rule("unassigned", lambda f, _: _if(f.assignee_id == NOBODY), lambda _: TaskRow.assignee_id.is_(None)),
    _Rule("created_before", _bound("created_before"), lambda _: TaskRow.created_at < _one("created_before")),
    _Rule("created_after", _bound("created_after"), lambda _: TaskRow.created_at >= _one("created_after")),
    _Rule("updated_after", _bound("updated_after"), lambda _: TaskRow.updated_at >= _one("updated_after")),
    _Rule("due_before", _bound("due_before"), lambda _: TaskRow.due_key < _instant("due_before")),
    _Rule("due_after", _bound("due_after"), lambda _: TaskRow.due_key >= _instant("due_after")),
    _Rule(
        "overdue",
        lambda f, asker: _if(f.overdue is True, now=asker.now),
        lambda _: and_(TaskRow.due_key < _instant("now"), TaskRow.completed_at.is_(None)),
    ),
    _Rule("pending", lambda f, _: _if(f.completed is False), lambda _: TaskRow.completed_at.is_(None)),
    _Rule("completed", lambda f, _: _if(f.completed is True), lambda _: TaskRow.completed_at.is_not(None)),
    _Rule("priority", _priorities, lambda n: TaskRow.priority.in_(_each("priority", range(n)))),
    _Rule(
        "not_overdue",
        lambda f, asker: _if(f.overdue is False, now=asker.now),
        lambda _: or_(
            TaskRow.due_key.is_(None), TaskRow.due_key >= _instant("now"), TaskRow.completed_at.is_not(None)
        ),
    ),
)
_BY_NAME = {rule.name: rule for rule in _RULES}


def sql(condition: Condition) -> ColumnElement[Any]:
    return _BY_NAME[condition.name].sql(condition.count)


def conditions(wanted: TaskFilter, asker: Asker) -> tuple[tuple[Condition, ...], Values]:
    """The conditions that the filter names, and a value for each of their parameters."""
    found: list[Condition] = []
    values: Values = {}
    for rule in _RULES:
        asked = rule.values(wanted, asker)
        if asked is not None:
            found.append(Condition(rule.name, len(asked)))
            values |= asked
    return tuple(found), values
