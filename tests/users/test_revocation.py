"""What processes tell each other of tokens that are refused."""

from datetime import timedelta

from taskwell import users
from taskwell.database import Database
from tests.support.people import Person


async def test_only_what_is_new_is_read(database: Database, ada: Person):
    await users.revoke(database, ada.principal)

    news = await users.recently_revoked(database, timedelta(minutes=1))
    later = await users.recently_revoked(database, timedelta(minutes=-1))

    assert ada.principal.token_id in {token_id for token_id, _ in news}
    assert later == set()


async def test_what_is_not_over_yet_is_not_purged(database: Database, ada: Person, eve: Person):
    await users.revoke(database, ada.principal)
    await users.disable(database, eve.id)

    assert await users.purge_revoked(database, 10) == 0

    news = {name for name, _ in await users.recently_revoked(database, timedelta(minutes=1))}
    assert news == {ada.principal.token_id, users.name_of_user(eve.id)}
