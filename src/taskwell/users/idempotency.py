"""The answers that are kept for requests that may be sent again."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

from sqlalchemy import BigInteger, bindparam, delete, func, literal_column, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, UuidText, now
from taskwell.users.principal import Principal
from taskwell.users.tables import IdempotencyKeyRow

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """Attributes:
    headers: A JSON object.
    spaces: The shared spaces that it shows.
    """

    request_hash: str
    status: int
    headers: str
    response: bytes
    spaces: tuple[str, ...]


_NAMED = (
    IdempotencyKeyRow.user_id == bindparam("user_id", type_=UuidText),
    IdempotencyKeyRow.path == bindparam("path"),
    IdempotencyKeyRow.key == bindparam("key"),
)

_FIND: Query[StoredAnswer] = Query(
    select(
        IdempotencyKeyRow.request_hash,
        IdempotencyKeyRow.status,
        IdempotencyKeyRow.headers,
        IdempotencyKeyRow.response,
        IdempotencyKeyRow.spaces,
    ).where(*_NAMED, IdempotencyKeyRow.created_at > bindparam("since", type_=UtcInstant)),
    StoredAnswer,
)


def _keep(dialect: str) -> list[Executable]:
    table = IdempotencyKeyRow.__table__
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    adding = insert(IdempotencyKeyRow).values(
        {name: bindparam(name, type_=column.type) for name, column in table.columns.items()}
    )
    news = {name: adding.excluded[name] for name, column in table.columns.items() if not column.primary_key}
    return [adding.on_conflict_do_update(index_elements=list(table.primary_key), set_=news)]


_KEEP: Query[None] = Query(_keep, lambda *_: None)

_old = (
    select(IdempotencyKeyRow.user_id, IdempotencyKeyRow.path, IdempotencyKeyRow.key)
    .where(IdempotencyKeyRow.created_at <= bindparam("before", type_=UtcInstant))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_PURGE: Query[str] = Query(
    delete(IdempotencyKeyRow)
    .where(
        tuple_(IdempotencyKeyRow.user_id, IdempotencyKeyRow.path, IdempotencyKeyRow.key).in_(
            select(_old.c.user_id, _old.c.path, _old.c.key)
        )
    )
    .returning(IdempotencyKeyRow.key),
    str,
    is_heavy=True,
)


def _try_lock(dialect: str) -> list[Executable]:
    """SQLite needs no lock of its own here: the transaction already holds the only one there is."""
    if dialect == "sqlite":
        return [select(literal_column("1"))]
    return [select(func.pg_try_advisory_xact_lock(bindparam("lock", type_=BigInteger)))]


_TRY_LOCK: Query[int] = Query(_try_lock, int)


async def claim(transaction: Lane, user: Principal, path: str, key: str) -> bool:
    """Holds the key until the transaction ends, however it ends; False while another request holds it."""
    name = f"{user.user_id}\n{path}\n{key}".encode()
    lock = int.from_bytes(blake2b(name, digest_size=8).digest(), signed=True)
    held = await transaction.row(_TRY_LOCK, lock=lock)
    return bool(held)


async def find(transaction: Lane, user: Principal, path: str, key: str) -> StoredAnswer | None:
    return await transaction.row(_FIND, user_id=user.user_id, path=path, key=key, since=now() - KEPT_FOR)


async def keep(transaction: Lane, user: Principal, path: str, key: str, answer: StoredAnswer) -> None:
    """Stores the answer in the place of one that is older than a day."""
    await transaction.rows(
        _KEEP,
        user_id=user.user_id,
        path=path,
        key=key,
        request_hash=answer.request_hash,
        status=answer.status,
        headers=answer.headers,
        response=answer.response,
        spaces=answer.spaces,
        created_at=now(),
    )


async def purge(lane: Lane, limit: int) -> int:
    """Forgets answers older than a day, so many at most; gives how many."""
    return len(await lane.rows(_PURGE, before=now() - KEPT_FOR, limit=limit))
