"""Whom a token stands for."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from taskwell import users
from taskwell.database import Database, Query, now
from taskwell.security.claims import ExternalClaims, TokenClaims
from taskwell.users.tables import UserRow
from tests.support.people import Person

USERS: Query[int] = Query(select(func.count()).select_from(UserRow), int)


def claims(issuer: str = "https://auth.example", subject: str = "grace") -> ExternalClaims:
    at = now()
    return ExternalClaims(issuer, subject, f"{issuer} {subject}", at, at + timedelta(hours=1), None, None)


async def test_one_subject_of_two_issuers_and_two_of_one_are_other_users(database: Database):
    tokens = [claims(), claims(issuer="https://other.example"), claims(subject="mary")]

    first = [await users.holder_of(database, token) for token in tokens]
    again = [await users.holder_of(database, token) for token in tokens]

    assert first == again
    assert len({each.actor.user_id for each in first if each is not None}) == 3


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("علی\u200cرضا", "علی\u200cرضا"),  # noqa: RUF001
        ("Grace\r\nBcc: eve@example.com\u2028x\x00", "Grace Bcc: eve@example.com x"),
        ("\u200b\u200d", "grace"),
        ("Grace \ud800", "Grace"),
    ],
)
async def test_a_name_keeps_its_joiners_and_loses_line_ends_and_one_that_shows_nothing_is_none(
    said: str, name: str, database: Database
):
    grace = await users.holder_of(database, replace(claims(), name=said))
    assert grace is not None

    assert (await users.get(database, grace.actor)).name == name


async def test_an_older_token_of_a_deleted_user_brings_nobody_back_and_a_newer_one_does(database: Database):
    older = replace(claims(), issued_at=now() - timedelta(minutes=1))
    grace = await users.holder_of(database, older)
    assert grace is not None
    await users.delete(database, grace.actor.user_id)
    await users.purge_revoked(database, 10)

    assert await users.holder_of(database, older) is None
    assert await database.row(USERS) == 0

    newer = replace(older, token_id="newer", issued_at=now())
    back = await users.holder_of(database, newer)
    assert back is not None
    assert back.actor.user_id != grace.actor.user_id


async def test_deleting_a_user_leaves_the_same_subject_of_another_issuer_alone(database: Database):
    hers = claims()
    his = replace(claims(issuer="https://other.example"), issued_at=now() - timedelta(minutes=1))
    grace, other = await users.holder_of(database, hers), await users.holder_of(database, his)
    assert grace is not None
    assert other is not None

    await users.delete(database, grace.actor.user_id)

    assert await users.holder_of(database, his) == other


async def test_a_token_of_ours_stands_for_its_user_until_it_is_revoked_or_the_user_is_gone(
    database: Database, ada: Person, eve: Person
):
    hers, other, deleted = (
        TokenClaims(person.id, name, now(), now() + timedelta(hours=1), now())
        for person, name in ((ada, "one"), (ada, "two"), (eve, "three"))
    )
    holder = await users.holder_of(database, hers)
    assert holder is not None
    assert await users.holder_of(database, deleted) is not None

    await users.revoke(database, holder.actor)
    await users.delete(database, eve.id)

    assert await users.holder_of(database, hers) is None
    assert await users.holder_of(database, other) is not None
    assert await users.holder_of(database, deleted) is None
