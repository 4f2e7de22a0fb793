"""Three front ends that people have already: each works from sign-in to delete, as it is."""

from collections.abc import AsyncIterator

import pytest

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.settings import Settings
from tests.conftest import running
from tests.frontends.better_auth_frontend import BetterAuthFrontEnd
from tests.frontends.todos_frontend import TodosFrontEnd
from tests.frontends.upgrade_frontend import UpgradeFrontEnd
from tests.support.issuer import SHARED, shared_secret_token
from tests.support.people import client
from tests.support.tokens import seconds_from_now

FrontEnd = TodosFrontEnd | BetterAuthFrontEnd | UpgradeFrontEnd
KINDS: list[type[FrontEnd]] = [TodosFrontEnd, BetterAuthFrontEnd, UpgradeFrontEnd]


@pytest.fixture
async def service(app: Gateway, settings: Settings) -> AsyncIterator[Gateway]:
    """A deployment that takes the tokens of a front end's own server too."""
    shared = settings.model_dump() | {"better_auth_secret": SHARED}
    async with running(create_app(Settings(_env_file=None, **shared))) as service:
        yield service


@pytest.fixture(params=KINDS)
async def ada(request, service: Gateway) -> FrontEnd:
    front_end: FrontEnd = request.param(client(service))
    await front_end.sign_up("ada@example.com", "engine 1843", "Ada")
    return front_end


@pytest.fixture
async def eve(ada: FrontEnd, service: Gateway) -> FrontEnd:
    front_end = type(ada)(client(service))
    await front_end.sign_up("eve@example.com", "enigma 1940", "Eve")
    return front_end


async def test_somebody_signs_up_signs_in_and_is_known(ada: FrontEnd, service: Gateway):
    again = type(ada)(client(service))
    await again.sign_in("ada@example.com", "engine 1843")

    assert again.user_id == ada.user_id
    assert await again.who_am_i() == "ada@example.com"


async def test_a_list_is_made_changed_filtered_and_emptied(ada: FrontEnd):
    milk = await ada.add("Buy milk")
    tea = await ada.add("Buy tea", priority="high")
    assert [todo["title"] for todo in await ada.todos()] == ["Buy tea", "Buy milk"]

    edited = await ada.edit(milk, "Buy oat milk", "two litres", "low")
    assert (edited["title"], edited["description"], edited["priority"]) == ("Buy oat milk", "two litres", "low")
    assert await ada.set_completed(milk, completed=True) is True
    assert [todo["id"] for todo in await ada.todos(status="completed")] == [milk]
    assert [todo["id"] for todo in await ada.todos(status="pending")] == [tea]
    assert await ada.set_completed(milk, completed=False) is False

    assert await ada.delete(milk) == milk
    assert [todo["id"] for todo in await ada.todos()] == [tea]


async def test_editing_a_completed_todo_does_not_reopen_it(ada: FrontEnd):
    milk = await ada.add("Buy milk")
    await ada.set_completed(milk, completed=True)

    edited = await ada.edit(milk, "Buy oat milk", "two litres", "medium")

    assert (edited["title"], edited["completed"]) == ("Buy oat milk", True)
    assert edited["completed_at"] is not None


async def test_a_wrong_password_is_told_in_a_sentence(ada: FrontEnd):
    with pytest.raises(PermissionError) as refused:
        await ada.sign_in("ada@example.com", "wrong 1843")
    assert refused.value.args[0] == 401
    assert isinstance(refused.value.args[1], str)


async def test_an_expired_token_is_401_and_says_to_sign_in(ada: FrontEnd):
    ada.token = shared_secret_token(SHARED, sub=ada.user_id, exp=seconds_from_now(-60))

    with pytest.raises(PermissionError, match="sign in") as refused:
        await ada.todos()

    assert refused.value.args[0] == 401


async def test_what_is_somebody_elses_is_not_found_and_another_path_is_forbidden(ada: FrontEnd, eve: FrontEnd):
    secret = await ada.add("Secret")

    with pytest.raises(PermissionError) as missing:
        await eve.set_completed(secret, completed=True)
    eve.user_id = ada.user_id
    with pytest.raises(PermissionError) as forbidden:
        await eve.todos()

    assert (missing.value.args[0], forbidden.value.args[0]) == (404, 403)
    assert [todo["completed"] for todo in await ada.todos()] == [False]


async def test_a_token_that_names_its_user_as_user_id_in_camel_case_is_taken(service: Gateway):
    grace = BetterAuthFrontEnd(client(service))
    grace.user_id, grace.token = "grace", shared_secret_token(SHARED, userId="grace")

    await grace.add("Buy milk")

    assert [todo["title"] for todo in await grace.todos()] == ["Buy milk"]
