"""The two lanes: what is kept, what is not, and in whose words a failure is told."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import bindparam, delete, func, insert, select, text, update

from taskwell.database import Database, Lane, Query, new_id, now
from taskwell.database.lanes import ForeignKeyViolated, UniqueViolated
from taskwell.errors import Unavailable
from taskwell.users.tables import ExternalIdentityRow, RevokedTokenRow
from tests.support.people import Person

COUNT = Query(select(func.count()).select_from(RevokedTokenRow), int)
ADD = Query(
    insert(RevokedTokenRow)
    .values({name: bindparam(name, type_=column.type) for name, column in RevokedTokenRow.__table__.columns.items()})
    .returning(RevokedTokenRow.token_id),
    str,
)
REFER = Query(
    insert(ExternalIdentityRow)
    .values(
        {name: bindparam(name, type_=column.type) for name, column in ExternalIdentityRow.__table__.columns.items()}
    )
    .returning(ExternalIdentityRow.subject),
    str,
)


def token(token_id: str) -> dict[str, object]:
    at = now()
    return {"token_id": token_id, "user_id": new_id(), "expires_at": at, "revoked_at": at}


async def count(database: Database) -> int:
    return await database.row(COUNT) or 0


async def test_what_one_statement_wrote_is_kept(database: Database):
    assert await database.rows(ADD, **token("a")) == ["a"]

    assert await count(database) == 1


async def test_what_a_transaction_wrote_is_kept_together_or_not_at_all(database: Database):
    async with database.transaction() as transaction:
        for name in "ab":
            await transaction.rows(ADD, **token(name))
    await fail_after_adding(database, "c")

    assert await count(database) == 2


async def fail_after_adding(database: Database, name: str) -> None:
    async def add_and_fail() -> None:
        async with database.transaction() as outer, outer.transaction() as inner:
            await inner.rows(ADD, **token(name))
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await add_and_fail()


async def test_a_transaction_sees_what_it_wrote_and_nobody_else_does(database: Database):
    async with database.transaction() as transaction:
        await transaction.rows(ADD, **token("a"))

        assert await transaction.row(COUNT) == 1
        assert await database.row(COUNT) == 0


async def test_a_transaction_in_a_transaction_is_the_same_one(database: Database):
    async with database.transaction() as outer:
        async with outer.transaction() as inner:
            await inner.rows(ADD, **token("a"))
        assert await outer.row(COUNT) == 1
        assert await database.row(COUNT) == 0


async def test_many_are_kept_together_or_not_at_all(database: Database):
    await database.many(ADD, [token(name) for name in "abc"])
    with pytest.raises(UniqueViolated):
        await database.many(ADD, [token("d"), token("a")])

    assert await count(database) == 3


@pytest.fixture(params=["alone", "in a transaction"])
async def lane(request, database: Database):
    """Either lane."""
    if request.param == "alone":
        yield database
        return
    with suppress(Unavailable, UniqueViolated, ForeignKeyViolated):
        async with database.transaction() as transaction:
            yield transaction


async def test_a_twin_is_told_in_either_lane(lane: Lane):
    await lane.rows(ADD, **token("a"))

    with pytest.raises(UniqueViolated):
        await lane.rows(ADD, **token("a"))


async def test_a_missing_parent_is_told_in_either_lane(lane: Lane):
    with pytest.raises(ForeignKeyViolated):
        await lane.rows(REFER, issuer="x", subject="y", user_id=new_id())


async def test_a_transaction_that_is_given_up_leaves_nothing_and_nobody_waiting(database: Database):
    """Wherever it is cancelled: while it begins, between its statements, while it commits."""

    async def write(name: str) -> None:
        async with database.transaction() as transaction:
            await transaction.rows(ADD, **token(name))
            await asyncio.sleep(0)
            await transaction.rows(ADD, **token(f"{name}'"))

    for turns in range(12):
        writing = [asyncio.create_task(write(f"{turns}.{n}")) for n in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        writing[0].cancel()
        writing[1].cancel()
        await asyncio.gather(*writing, return_exceptions=True)

    async with asyncio.timeout(5):
        await write("last")
    assert await count(database) % 2 == 0


async def test_writers_at_once_all_get_their_turn(database: Database):
    names = [str(n) for n in range(50)]

    await asyncio.gather(*(database.rows(ADD, **token(name)) for name in names))

    assert await count(database) == 50


async def test_one_failing_writer_does_not_spoil_the_others(database: Database):
    writes = [database.rows(ADD, **token(str(n % 10))) for n in range(30)]

    outcomes = await asyncio.gather(*writes, return_exceptions=True)

    assert sum(isinstance(outcome, UniqueViolated) for outcome in outcomes) == 20
    assert await count(database) == 10


async def test_a_write_that_returns_nothing_is_a_write(database: Database, ada: Person):
    await database.rows(ADD, **token("a"))
    gone = Query(delete(RevokedTokenRow).where(RevokedTokenRow.token_id == bindparam("id")), lambda *_: None)
    moved = Query(update(RevokedTokenRow).values(user_id=bindparam("user")), lambda *_: None)

    await database.rows(moved, user=ada.id)
    await database.rows(gone, id="a")

    assert await count(database) == 0


async def test_a_missing_parameter_is_a_bug_that_shows_at_once(database: Database):
    with pytest.raises(KeyError):
        await database.rows(ADD, token_id="a")


async def test_a_snapshot_shows_one_instant(database: Database):
    await database.many(ADD, [token(str(n)) for n in range(3)])
    names = Query(select(RevokedTokenRow.token_id), str)

    async with database.snapshot() as snapshot:
        first = [name async for name in snapshot.stream(names)]
        await database.rows(ADD, **token("later"))
        again = [name async for name in snapshot.stream(names)]

    assert sorted(first) == sorted(again) == ["0", "1", "2"]


async def test_a_snapshot_that_is_given_up_in_the_middle_of_a_statement_harms_nobody(database: Database):
    """Closed under a statement that still runs in a thread, SQLite takes the whole process along."""
    counting = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT count(*) FROM n"
    )
    long = Query(text(counting), int)

    async def read() -> None:
        async with database.snapshot() as snapshot:
            async for _ in snapshot.stream(long):
                pass

    for _ in range(3):
        reading = asyncio.create_task(read())
        await asyncio.sleep(0.02)
        for _ in range(3):  # as some do, until they are obeyed
            reading.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await reading

    assert await count(database) == 0
