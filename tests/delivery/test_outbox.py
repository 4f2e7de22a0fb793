"""The queue of mails, under several workers."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from taskwell.database import Database, Query, now
from taskwell.mail import outbox, quota
from taskwell.mail.tables import MailRow
from tests.support.deliveries import alter
from tests.support.people import Person

ALL: Query[str] = Query(select(MailRow.id), str)


async def put(database: Database, ada: Person, number: int = 1) -> None:
    async with database.transaction() as transaction:
        for _ in range(number):
            await outbox.put(transaction, "verify_email", user_id=ada.id, email=ada.email)


async def test_each_mail_is_claimed_by_one_of_many_workers(database: Database, ada: Person):
    await put(database, ada, 20)

    claims = await asyncio.gather(*(outbox.claim(database, 5) for _ in range(8)))

    ids = [mail.id for claimed in claims for mail in claimed]
    assert len(ids) == len(set(ids))
    assert len(ids) + len(await outbox.claim(database, 20)) == 20


async def test_the_mail_of_a_dead_worker_comes_up_again_and_the_dead_one_changes_nothing(
    database: Database, ada: Person
):
    await put(database, ada)
    (first,) = await outbox.claim(database, 5)
    assert await outbox.claim(database, 5) == []
    await alter(database, MailRow, fire_at=now())

    (second,) = await outbox.claim(database, 5)
    await outbox.release(database, first, None)

    assert (second.id, second.attempts) == (first.id, 2)
    assert await database.rows(ALL) == [first.id]
    await outbox.release(database, second, now() + timedelta(hours=1))
    assert await outbox.claim(database, 5) == []
    assert await outbox.next_look(database) is not None


async def test_a_mail_whose_cause_fails_is_not_queued(database: Database, ada: Person):
    async def fail() -> None:
        async with database.transaction() as transaction:
            await outbox.put(transaction, "verify_email", user_id=ada.id, email=ada.email)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()

    assert await outbox.next_look(database) is None


async def test_of_many_who_count_at_once_no_more_than_the_limit_are_let_through(database: Database, ada: Person):
    let_through = await asyncio.gather(*(quota.take(database, "x", 3) for _ in range(20)))

    assert sorted(let_through) == [False] * 17 + [True] * 3
    assert 86_000 < await quota.seconds_left(database, "x") <= 86_400
    assert await quota.take(database, "y", 1)
    assert not await quota.take(database, "y", 0)
