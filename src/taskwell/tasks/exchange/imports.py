"""Bringing tasks in: all of a file or nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UuidText, new_id, now
from taskwell.database.json_rows import as_json_rows, json_rows
from taskwell.errors import FieldError, Invalid
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import LockedSpace, lock_space
from taskwell.tasks import bulk, lists
from taskwell.tasks.exchange.record import MAX_ROWS, Row, TaskRecord, too_many_rows
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.visibility import in_space, readable
from taskwell.users.principal import Principal

MAX_NEW_LISTS = 200
ROWS_AT_ONCE = 500
MOST_ERRORS = 100
"""How many errors a report names; a file of another kind would have one for each of its rows."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import has done, or would do.

    Attributes:
        skipped: Tasks that the space has already, in the trash perhaps; so a file may be brought in twice.
    """

    imported: int
    skipped: int
    errors: list[FieldError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class JudgedFile:
    """The tasks of a file that keep the rules, and what is wrong with its other rows."""

    records: list[TaskRecord]
    errors: list[FieldError]


def judged(rows: Iterable[Row]) -> JudgedFile:
    """Reads and judges a file row by row; ten thousand take seconds, so this is for a thread.

    Raises:
        Invalid: there are more rows than are taken at once.
        MalformedBody: the file turns out not to be of its format.
    """
    records: dict[str, TaskRecord] = {}
    errors: list[FieldError] = []
    for count, row in enumerate(rows, start=1):
        if count > MAX_ROWS:
            raise too_many_rows()
        found = row.record()
        if isinstance(found, TaskRecord):
            records.setdefault(found.id or f"row {row.number}", found)
        else:
            errors += found[: MOST_ERRORS - len(errors)]
    return JudgedFile(list(records.values()), errors)


async def bring_in(
    lane: Lane, actor: Principal, space: SpaceAccess, file: JudgedFile, *, dry_run: bool
) -> ImportReport:
    """Stores every task of a file, with the lists that are missing; nothing where a row breaks a rule.

    Raises:
        Invalid: a row breaks a rule, and it is no dry run; or there are more new lists than are taken at once.
        LimitReached: the space has no room for them.
    """
    records, errors = file.records, file.errors
    if errors and not dry_run:
        raise Invalid(errors)
    async with lane.transaction() as transaction:
        locked = await lock_space(transaction, space)
        named = as_json_rows([{"id": each.id} for each in records if each.id])
        known = frozenset(await transaction.rows(_KNOWN, **readable(actor, space), named=named))
        fresh = [each for each in records if each.id not in known]
        locked.require_room(len(fresh))
        if not dry_run:
            await _store(transaction, actor, locked, fresh)
    return ImportReport(len(fresh), len(records) - len(fresh), errors)


async def _store(transaction: Lane, actor: Principal, space: LockedSpace, records: list[TaskRecord]) -> None:
    list_ids = await _list_ids(transaction, actor, space, records)
    at = now()
    for start in range(0, len(records), ROWS_AT_ONCE):
        tasks = [
            each.task(new_id=new_id(), list_id=list_ids[each.list] if each.list else None, now=at)
            for each in records[start : start + ROWS_AT_ONCE]
        ]
        await bulk.add(transaction, actor, space, tasks)  # the event loop has others to serve in between


async def _list_ids(
    transaction: Lane, actor: Principal, space: SpaceAccess, records: list[TaskRecord]
) -> dict[str, str]:
    """The id of each list that the records name; one that the space does not have yet is added."""
    found = {each.name: each.id for each in (await lists.every(transaction, actor, space)).items}
    missing = dict.fromkeys(each.list for each in records if each.list and each.list not in found)
    if len(missing) > MAX_NEW_LISTS:
        raise Invalid.field("rows", f"A file may bring {MAX_NEW_LISTS} new lists; split it.", "too_many_lists")
    for name in missing:
        found[name] = (await lists.create(transaction, actor, space, name=name)).id
    return found


def _known(dialect: str) -> Sequence[Executable]:
    named = json_rows(dialect, "named", {"id": UuidText()})
    return [select(TaskRow.id).where(in_space(TaskRow), TaskRow.id.in_(select(named.c.id)))]


_KNOWN: Query[str] = Query(_known, str, is_heavy=True)
