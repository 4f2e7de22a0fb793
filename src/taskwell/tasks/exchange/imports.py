"""Imports tasks. A bad row does not stop the others, and the report names everything that was left out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from taskwell.database import Lane, new_id, now
from taskwell.database.json_rows import as_json_rows
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import LockedSpace, lock_space, next_revision
from taskwell.tasks import bulk
from taskwell.tasks.exchange import queries
from taskwell.tasks.exchange.formats import rows
from taskwell.tasks.exchange.import_lists import Lists
from taskwell.tasks.exchange.import_reminders import reminder_rows
from taskwell.tasks.exchange.reading import Ignored, Reading
from taskwell.tasks.exchange.record import (
    MAX_ROWS,
    ListRecord,
    ReadTask,
    ReminderRecord,
    RowError,
    too_many_rows,
)
from taskwell.tasks.task import Task
from taskwell.tasks.visibility import readable
from taskwell.users.principal import Principal

OnExisting = Literal["skip", "update"]

ROWS_AT_ONCE = 500
_PLAIN = frozenset({"title", "description", "priority", "tags", "assignee_id"})
_DUES = frozenset({"due_date", "due_at"})
_COMPLETION = frozenset({"completed", "completed_at"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import, or of a dry run. The numbers and ``errors`` add up to the rows of the file.

    Attributes:
        skipped: Tasks that the space has already, also in the trash, or that the file repeats.
    """

    imported: int
    skipped: int
    updated: int
    errors: list[RowError]
    ignored: list[Ignored]


@dataclass(frozen=True, slots=True)
class FileTask:
    """A valid task of a file.

    Attributes:
        named: The fields that the file contains.
    """

    record: ReadTask
    named: frozenset[str]
    list_key: str | None
    reminders: tuple[ReminderRecord, ...]


@dataclass(frozen=True, slots=True)
class ImportFile:
    """The content of a file.

    Attributes:
        tasks: The tasks, each id once.
        repeated: The number of rows with the id of an earlier row.
    """

    tasks: list[FileTask]
    repeated: int
    lists: list[ListRecord]
    errors: list[RowError]
    ignored: list[Ignored]


def read_file(
    content: bytes, *, name: str = "auto", columns: Mapping[str, str] | None = None, time_zone: str
) -> ImportFile:
    """Reads a file row by row. Call it in a thread: ten thousand rows take seconds.

    Args:
        name: The name of the format; ``auto`` finds it by the content.
        columns: The names of CSV columns, by the field that each contains.

    Raises:
        Invalid: the format is unknown, or there are too many rows.
        MalformedBody: the content does not match the format.
    """
    reading = Reading(ZoneInfo(time_zone))
    tasks: dict[str, FileTask] = {}
    errors: list[RowError] = []
    count = 0
    same: dict[frozenset[str], frozenset[str]] = {}
    for count, row in enumerate(rows(content, name, columns or {}, reading), start=1):
        if count > MAX_ROWS:
            raise too_many_rows()
        record = row.record()
        if isinstance(record, RowError):
            errors.append(record)
            continue
        if row.values.get("id") and record.id is None:
            reading.left_out.add("ids that are plain numbers", row.values["id"])
        named = frozenset(row.values)
        task = FileTask(record, same.setdefault(named, named), row.list_key, row.reminders)
        tasks.setdefault(record.id or f"row {row.number}", task)
    errors.sort(key=lambda error: error.row)
    repeated = count - len(tasks) - len(errors)
    return ImportFile(list(tasks.values()), repeated, reading.lists, errors, reading.left_out.kinds())


async def import_file(
    lane: Lane,
    actor: Principal,
    space: SpaceAccess,
    file: ImportFile,
    *,
    list_id: str | None,
    on_existing: OnExisting,
    dry_run: bool,
) -> ImportReport:
    """Stores the tasks of a file, and creates missing lists.

    Args:
        list_id: The list that takes all tasks.

    Raises:
        Invalid: there is no such list, or there are too many new lists.
        LimitReached: the space has no room for them.
    """
    async with lane.transaction() as transaction:
        locked = await lock_space(transaction, space)
        found = readable(actor, space)
        named = as_json_rows([{"id": each.record.id} for each in file.tasks if each.record.id])
        known = frozenset(await transaction.rows(queries.KNOWN, **found, named=named))
        fresh = [each for each in file.tasks if each.record.id not in known]
        old = [each for each in file.tasks if each.record.id in known] if on_existing == "update" else []
        locked.require_room(sum(each.record.deleted_at is None for each in fresh))
        lists = Lists(await transaction.rows(queries.LISTS, **found), file.lists, list_id)
        lists.place((each.list_key, each.record.list) for each in fresh + old)
        members = frozenset(await transaction.rows(queries.MEMBERS, **found))
        store = _Store(transaction, actor, _Place(locked, lists, members), is_dry=dry_run)
        await store.lists()
        for some in _some(fresh):
            await store.add(some)
        updated = sum([await store.update(some) for some in _some(old)])
    skipped = len(file.tasks) - len(fresh) - updated + file.repeated
    strangers = [each for each in file.tasks if each.record.assignee_id not in {None, *members}]
    ignored = (
        [Ignored("assignee_id of no member", len(strangers), str(strangers[0].record.assignee_id))]
        if strangers
        else []
    )
    return ImportReport(len(fresh), skipped, updated, file.errors, [*file.ignored, *ignored])


def _some(tasks: Sequence[T]) -> Iterator[Sequence[T]]:
    """The tasks in batches, so that the event loop serves other requests in between."""
    return (tasks[start : start + ROWS_AT_ONCE] for start in range(0, len(tasks), ROWS_AT_ONCE))


@dataclass(frozen=True, slots=True)
class _Place:
    """What the tasks of a file may name."""

    space: LockedSpace
    lists: Lists
    members: frozenset[str]


class _Store:
    """The writes of one import, in its transaction; a dry run makes none."""

    def __init__(self, transaction: Lane, actor: Principal, place: _Place, *, is_dry: bool) -> None:
        self._transaction, self._actor, self._space = transaction, actor, place.space
        self._lists, self._members, self._is_dry = place.lists, place.members, is_dry
        self._now = now()

    async def lists(self) -> None:
        if self._lists.new and not self._is_dry:
            revision = await next_revision(self._transaction, self._space)
            given = as_json_rows([each.row(self._now) for each in self._lists.new])
            found = readable(self._actor, self._space)
            await self._transaction.rows(queries.INSERT_LISTS, **found, given=given, revision=revision)

    async def add(self, found: Iterable[FileTask]) -> None:
        made = [(self._task(each), each.reminders) for each in found]
        if self._is_dry:
            return
        tasks = [task for task, _ in made]
        more = sum(task.living for task in tasks)
        await bulk.store(self._transaction, self._actor, self._space, created=tasks, living=more)
        reminders = reminder_rows(made, self._space.time_zone, self._now)
        if reminders:
            owned = readable(self._actor, self._space)
            await self._transaction.rows(queries.INSERT_REMINDERS, **owned, given=as_json_rows(reminders))

    async def update(self, found: Sequence[FileTask]) -> int:
        """Updates existing tasks outside the trash; gives the number of changed ones."""
        ids = (str(each.record.id) for each in found)
        stored = await bulk.with_ids(self._transaction, self._actor, self._space, ids)
        before = {task.id: task for task in stored if task.deleted_at is None}
        pairs = [(before[str(each.record.id)], each) for each in found if each.record.id in before]
        changed = [after for task, each in pairs if (after := self._updated(task, each)) != task]
        if changed and not self._is_dry:
            changed = [replace(each, updated_at=self._now) for each in changed]
            await bulk.store(self._transaction, self._actor, self._space, changed=changed, living=0)
        return len(changed)

    def _task(self, found: FileTask) -> Task:
        list_id = self._lists.id_of(found.list_key, found.record.list)
        task = found.record.task(new_id=new_id(), list_id=list_id, now=self._now)
        return task if task.assignee_id in self._members else replace(task, assignee_id=None)

    def _updated(self, before: Task, found: FileTask) -> Task:
        """The task with the values of the fields that the file contains."""
        after, named = self._task(found), found.named
        values: dict[str, Any] = {name: getattr(after, name) for name in _PLAIN & named}
        if named & _DUES:
            values |= {name: getattr(after, name) for name in _DUES}
        if named & _COMPLETION:
            values["completed_at"] = _completed_at(before, after, found.record)
        if "list" in named or self._lists.takes_all:
            values["list_id"] = after.list_id
        return replace(before, **values)


def _completed_at(before: Task, after: Task, record: ReadTask) -> datetime | None:
    """The file's instant. Without one, a task that was completed before keeps its own."""
    if after.completed_at is None or record.completed_at is not None:
        return after.completed_at
    return before.completed_at or after.completed_at
