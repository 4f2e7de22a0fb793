"""Members come and go while others write: nobody writes under a role that they do not have any more."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update

from taskwell import tasks, users
from taskwell.api.accesses import MAX_AGE_SECONDS
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database, Query, now
from taskwell.errors import LimitReached
from taskwell.settings import Settings
from taskwell.spaces import SpaceAccess, invitations, members, queries, verbs
from taskwell.spaces.revision import AccessChanged
from taskwell.spaces.tables import InvitationRow, SpaceRow
from taskwell.tasks import TaskDraft, bulk, lists, reminders
from taskwell.tasks.bulk import Create
from taskwell.tasks.tables import ReminderRow, TaskRow
from tests.conftest import running
from tests.support.people import Person, arrive, client

TASKS = "/api/v1/tasks"
MILK = TaskDraft("Buy milk")
_ASSIGN: Query[Any] = Query(
    update(TaskRow)
    .where(TaskRow.id == bindparam("task_id"))
    .values(assignee_id=bindparam("assignee", type_=TaskRow.assignee_id.type)),
    lambda *_: None,
)


@pytest.fixture
async def ben(app: Gateway) -> Person:
    return await arrive(app, "ben")


async def shared(database: Database, owner: Person, *others: Person, role: str = "editor") -> str:
    space = await verbs.create(database, owner.id, name="Family", time_zone="UTC")
    for other in others:
        await join(database, owner, space.id, other, role)
    return space.id


async def join(database: Database, owner: Person, space_id: str, other: Person, role: Any = "editor") -> None:
    _, token = await invitations.create(database, owner.id, space_id, role=role, uses=1, lifetime=timedelta(days=1))
    await invitations.accept(database, other.id, token, email_key=None)


async def access(database: Database, who: Person, space_id: str) -> SpaceAccess:
    found = await queries.access_of(database, who.id, space_id)
    assert found is not None
    return found


async def roles(database: Database, who: Person, space_id: str) -> dict[str, str]:
    return {each.user_id: each.role for each in await queries.members(database, who.id, space_id)}


async def space_row(database: Database, space_id: str) -> tuple[int, int, int, int]:
    columns = (SpaceRow.revision, SpaceRow.changed_revision, SpaceRow.access, SpaceRow.living)
    query: Query[tuple[int, int, int, int]] = Query(
        select(*columns).where(SpaceRow.id == bindparam("space")), lambda *row: row
    )
    found = await database.row(query, space=space_id)
    assert found is not None
    return found


async def test_a_member_who_was_removed_while_their_request_ran_commits_nothing(
    database: Database, ada: Person, ben: Person
):
    space_id = await shared(database, ada, ben)
    was = await access(database, ben, space_id)
    task = await tasks.create(database, ben.principal, was, MILK)
    await members.remove(database, ada.id, space_id, ben.id)
    before = await space_row(database, space_id)
    who = (database, ben.principal, was)

    for attempt in (
        tasks.create(*who, MILK),
        tasks.change(*who, task.id, {"title": "Mine"}),
        tasks.toggle(*who, task.id),
        tasks.delete(*who, task.id),
        tasks.erase(*who, task.id),
        bulk.bulk(*who, [Create(MILK)]),
        lists.create(*who, name="Mine"),
        reminders.add(*who, task.id, remind_at=now() + timedelta(days=1), channel="webhook"),
    ):
        with pytest.raises(AccessChanged):
            await attempt

    assert await space_row(database, space_id) == before
    assert await tasks.get(database, ada.principal, await access(database, ada, space_id), task.id) == task


async def test_every_change_of_members_takes_a_revision_and_ends_the_roles_read_before(
    database: Database, ada: Person, ben: Person
):
    space_id = await shared(database, ada)
    seen = [await space_row(database, space_id)]
    for change in (
        lambda: join(database, ada, space_id, ben),
        lambda: members.change_role(database, ada.id, space_id, ben.id, "reader"),
        lambda: members.remove(database, ada.id, space_id, ben.id),
        lambda: join(database, ada, space_id, ben),
        lambda: users.delete(database, ben.id),
    ):
        await change()
        seen.append(await space_row(database, space_id))

    for before, after in pairwise(seen):
        assert after[:3] == (before[0] + 1, before[0] + 1, before[2] + 1)


async def test_assignments_and_reminders_end_with_the_membership(database: Database, ada: Person, ben: Person):
    space_id = await shared(database, ada, ben)
    for leave in (
        lambda: members.remove(database, ben.id, space_id, ben.id),
        lambda: users.delete(database, ben.id),
    ):
        if ben.id not in await roles(database, ada, space_id):
            await join(database, ada, space_id, ben)
        bens = await access(database, ben, space_id)
        task = await tasks.create(database, ben.principal, bens, MILK)
        await database.rows(_ASSIGN, task_id=task.id, assignee=ben.id)
        await reminders.add(
            database, ben.principal, bens, task.id, remind_at=now() + timedelta(days=1), channel="webhook"
        )

        await leave()

        found: Query[tuple[Any, ...]] = Query(
            select(TaskRow.assignee_id, TaskRow.revision, TaskRow.created_by).where(TaskRow.id == task.id),
            lambda *row: row,
        )
        revision = (await space_row(database, space_id))[0]
        assert await database.rows(found) == [(None, revision, ben.id)]
        assert await database.rows(Query(select(ReminderRow.id), str)) == []
        assert (
            await database.rows(Query(select(InvitationRow.id).where(InvitationRow.created_by == ben.id), str)) == []
        )


async def test_when_the_last_owner_is_deleted_the_first_of_the_highest_role_follows(
    app: Gateway, database: Database, ada: Person, ben: Person, eve: Person
):
    zoe = await arrive(app, "zoe")
    space_id = await shared(database, ada, zoe, role="reader")
    await join(database, ada, space_id, ben)
    await join(database, ada, space_id, eve)
    await tasks.create(database, ada.principal, await access(database, ada, space_id), MILK)

    await users.delete(database, ada.id)
    assert await roles(database, zoe, space_id) == {zoe.id: "reader", ben.id: "owner", eve.id: "editor"}

    await users.delete(database, ben.id)
    await users.delete(database, eve.id)
    assert await roles(database, zoe, space_id) == {zoe.id: "owner"}
    assert (await space_row(database, space_id))[3] == 1

    await users.delete(database, zoe.id)
    assert await database.rows(Query(select(SpaceRow.id), str)) == []
    assert await database.rows(Query(select(TaskRow.id), str)) == []


async def test_with_another_owner_nobody_is_promoted(database: Database, ada: Person, ben: Person, eve: Person):
    space_id = await shared(database, ada, eve)
    await join(database, ada, space_id, ben, "owner")

    await users.delete(database, ada.id)

    assert await roles(database, ben, space_id) == {ben.id: "owner", eve.id: "editor"}


async def test_a_space_has_no_more_members_than_may_be(
    app: Gateway, database: Database, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(invitations, "MAX_MEMBERS", 3)
    space_id = await shared(database, ada)
    people = [await arrive(app, f"guest{number}") for number in range(5)]

    done = await asyncio.gather(*(join(database, ada, space_id, who) for who in people), return_exceptions=True)

    assert sum(each is None for each in done) == 2
    assert all(each is None or isinstance(each, LimitReached) for each in done)
    assert len(await roles(database, ada, space_id)) == 3


async def test_two_owners_who_leave_at_once_leave_one_behind(database: Database, ada: Person, ben: Person):
    for _ in range(5):
        space_id = await shared(database, ada)
        await join(database, ada, space_id, ben, "owner")

        done = await asyncio.gather(
            *(members.remove(database, who.id, space_id, who.id) for who in (ada, ben)), return_exceptions=True
        )

        assert sum(each is None for each in done) == 1
        stays = ada if done[0] is not None else ben
        assert await roles(database, stays, space_id) == {stays.id: "owner"}


async def test_twenty_members_write_into_one_space_at_once(app: Gateway, database: Database, ada: Person):
    people = [await arrive(app, f"member{number}") for number in range(20)]
    space_id = await shared(database, ada, *people)
    before = (await space_row(database, space_id))[0]

    async def write(who: Person, number: int) -> int:
        made = await who.http.post(TASKS, params={"space": space_id}, json={"title": f"{number}"})
        assert made.status_code == 201, made.text
        return made.json()["revision"]

    revisions = await asyncio.gather(*(write(who, number) for who in people for number in range(5)))

    assert sorted(revisions) == list(range(before + 1, before + 101))
    assert (await space_row(database, space_id))[3] == 100


async def test_members_write_while_others_join_and_leave(app: Gateway, database: Database, ada: Person):
    """Nobody who stays a member is refused, whatever becomes of the others' roles meanwhile."""
    people = [await arrive(app, f"member{number}") for number in range(6)]
    space_id = await shared(database, ada, *people)
    stay, go = people[:3], people[3:]

    async def write(who: Person) -> set[int]:
        answers = [await who.http.post(TASKS, params={"space": space_id}, json={"title": "x"}) for _ in range(15)]
        return {each.status_code for each in answers}

    async def come_and_go(who: Person) -> set[int]:
        gone = await ada.http.delete(f"/api/v1/spaces/{space_id}/members/{who.id}")
        assert gone.status_code == 204
        return await write(who)

    done = await asyncio.gather(*map(write, stay), *map(come_and_go, go))

    assert done == [{201}] * 3 + [{404}] * 3


@pytest.fixture
async def other_app(settings: Settings) -> AsyncIterator[Gateway]:
    """Another replica over the same database."""
    if settings.is_sqlite:
        pytest.skip("SQLite has one process")
    async with running(create_app(settings)) as other:
        yield other


async def test_a_removal_is_known_on_another_replica_within_two_seconds(
    other_app: Gateway, database: Database, ada: Person, ben: Person, eve: Person
):
    space_id = await shared(database, ada, ben, eve)
    there, evens = (client(other_app, {"Authorization": f"Bearer {who.token}"}) for who in (ben, eve))
    for http in (there, evens):
        assert (await http.get(TASKS, params={"space": space_id})).status_code == 200

    assert (await ada.http.delete(f"/api/v1/spaces/{space_id}/members/{ben.id}")).status_code == 204
    assert (await ben.http.get(TASKS, params={"space": space_id})).status_code == 404

    assert (await there.post(TASKS, params={"space": space_id}, json={"title": "x"})).status_code == 404
    assert MAX_AGE_SECONDS > 2, "it is not known by mere forgetting"
    deadline = asyncio.get_running_loop().time() + 2
    while (await there.get(TASKS, params={"space": space_id})).status_code == 200:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    assert (await evens.get(TASKS, params={"space": space_id})).status_code == 200


async def test_who_joins_is_let_in_on_another_replica_at_once(
    other_app: Gateway, database: Database, ada: Person, ben: Person
):
    space_id = await shared(database, ada)
    there = client(other_app, {"Authorization": f"Bearer {ben.token}"})
    assert (await there.get(TASKS, params={"space": space_id})).status_code == 404

    await join(database, ada, space_id, ben, "reader")
    assert (await there.get(TASKS, params={"space": space_id})).status_code == 200

    await members.change_role(database, ada.id, space_id, ben.id, "editor")
    assert (await there.post(TASKS, params={"space": space_id}, json={"title": "x"})).status_code == 201
