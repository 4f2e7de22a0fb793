"""Who takes an account over, or signs out everywhere, loses the other ways in: tokens and the second factor."""

import httpx2
import pytest
from sqlalchemy import update

from taskwell import users
from taskwell.api.gateway import Gateway
from taskwell.database import Database, Query
from taskwell.users.tables import UserRow
from tests.support.authenticator import Authenticator
from tests.support.letters import OTHER, reset
from tests.support.limiting import sign_in
from tests.support.people import Person
from tests.support.personal import script_of

LOGOUT = "/api/v1/auth/logout"


async def follow_reset(nobody: httpx2.AsyncClient, database: Database, ada: Person) -> None:
    token = await users.reset_token(database, user_id=ada.id, email=ada.email)
    assert token is not None
    assert (await reset(nobody, token)).status_code == 204


async def test_a_reset_ends_personal_tokens_and_leaves_the_second_factor(
    app: Gateway, nobody: httpx2.AsyncClient, database: Database, ada: Person, authenticator: Authenticator
):
    await authenticator.turn_on(ada)
    backup = await script_of(app, ada)

    await follow_reset(nobody, database, ada)

    assert (await backup.get("/api/v1/tasks")).status_code == 401
    assert (await sign_in(nobody, ada.email, OTHER)).json()["code"] == "totp_required"


async def test_a_reset_that_first_confirms_the_e_mail_takes_a_strangers_second_factor_away(
    app: Gateway, nobody: httpx2.AsyncClient, database: Database, ada: Person, authenticator: Authenticator
):
    await authenticator.turn_on(ada)
    backup = await script_of(app, ada)
    await database.rows(Query(update(UserRow).values(email_verified_at=None), lambda *_: None))

    await follow_reset(nobody, database, ada)

    assert (await backup.get("/api/v1/tasks")).status_code == 401
    assert (await sign_in(nobody, ada.email, OTHER)).status_code == 200


@pytest.mark.parametrize(("query", "status"), [("everywhere=true", 200), ("everywhere=true&personal=true", 401)])
async def test_signing_out_everywhere_ends_personal_tokens_where_that_is_asked_for(
    app: Gateway, ada: Person, query: str, status: int
):
    backup = await script_of(app, ada)
    await backup.get("/api/v1/tasks")

    assert (await ada.http.post(f"{LOGOUT}?{query}")).status_code == 200

    assert (await ada.http.get("/api/v1/tasks")).status_code == 401
    assert (await backup.get("/api/v1/tasks")).status_code == status
