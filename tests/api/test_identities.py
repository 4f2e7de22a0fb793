"""What a process remembers of tokens, and what makes it forget."""

from dataclasses import replace

import pytest

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.api.identity import Identities
from taskwell.database import Database
from taskwell.settings import Settings
from taskwell.users import Caller
from tests.support.people import Person


@pytest.fixture
def identities(app: Gateway) -> Identities:
    assert app.services is not None
    return app.services.identities


@pytest.mark.parametrize("body", [{}, {"name": "Ada"}, {"time_zone": "UTC"}, {"name": "Ada", "time_zone": "UTC"}])
async def test_a_change_of_the_profile_that_changes_nothing_has_nobody_looked_up_again(
    identities: Identities, ada: Person, body: dict
):
    await ada.http.get("/api/v1/users/me")
    before, known = identities._forgotten, dict(identities._entries)

    assert (await ada.http.patch("/api/v1/users/me", json=body)).status_code == 200

    assert identities._forgotten == before
    assert identities._entries.items() >= known.items()


async def test_another_time_zone_holds_from_the_next_request_on(identities: Identities, ada: Person):
    await ada.http.patch("/api/v1/users/me", json={"time_zone": "Europe/Berlin"})

    body = {"title": "Call", "due_date": "2026-12-24"}
    assert (await ada.http.post("/api/v1/tasks", json=body)).status_code == 201
    zones = [
        each.caller.space.time_zone for each in identities._entries.values() if each.caller.actor.user_id == ada.id
    ]
    assert zones == ["Europe/Berlin"]


async def test_who_is_forgotten_is_forgotten_by_every_token_and_nobody_else_is(
    ada: Person, eve: Person, database: Database, settings: Settings
):
    identities = Identities(database, settings)
    tokens = {}
    for person in (ada, eve):
        for number in range(3):
            digest = f"{person.id} {number}".encode()
            actor = replace(person.principal, token_id=f"{person.id} {number}")
            tokens[digest] = Caller(actor, person.space)
            identities._keep(digest, tokens[digest])
            identities._keep(digest, tokens[digest])

    identities.forget({f"{eve.id} 1", "nobody's"})
    assert len(identities._entries) == 5
    identities.forget({users.name_of_user(ada.id)})
    assert {each.caller.actor.token_id for each in identities._entries.values()} == {f"{eve.id} 0", f"{eve.id} 2"}
    identities.forget({users.name_of_user(eve.id)})

    assert (identities._entries, identities._by_name) == ({}, {})
