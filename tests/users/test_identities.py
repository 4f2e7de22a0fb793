"""Whom the tokens of other issuers stand for."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select

from taskwell import users
from taskwell.database import Database, Query, now
from taskwell.security.claims import ExternalClaims
from taskwell.users.tables import UserRow

USERS: Query[int] = Query(select(func.count()).select_from(UserRow), int)


def claims(issuer: str = "https://auth.example", subject: str = "grace") -> ExternalClaims:
    at = now()
    return ExternalClaims(issuer, subject, f"{issuer} {subject}", at, at + timedelta(hours=1), None, None)


async def test_one_subject_of_two_issuers_and_two_of_one_are_other_users(database: Database):
    tokens = [claims(), claims(issuer="https://other.example"), claims(subject="mary")]

    first = [await users.holder_of(database, token) for token in tokens]
    again = [await users.holder_of(database, token) for token in tokens]

    assert first == again
    assert len({each.user_id for each in first if each is not None}) == 3


async def test_an_older_token_of_a_deleted_user_brings_nobody_back_and_a_newer_one_does(database: Database):
    older = replace(claims(), issued_at=now() - timedelta(minutes=1))
    grace = await users.holder_of(database, older)
    assert grace is not None
    await users.delete(database, grace.user_id)

    assert await users.holder_of(database, older) is None
    assert await database.row(USERS) == 0

    newer = replace(older, token_id="newer", issued_at=now())
    back = await users.holder_of(database, newer)
    assert back is not None
    assert back.user_id != grace.user_id


async def test_deleting_a_user_leaves_the_same_subject_of_another_issuer_alone(database: Database):
    hers, his = claims(), claims(issuer="https://other.example")
    grace, other = await users.holder_of(database, hers), await users.holder_of(database, his)
    assert grace is not None
    assert other is not None

    await users.delete(database, grace.user_id)

    assert await users.holder_of(database, his) == other
