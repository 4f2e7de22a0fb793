"""Linking a provider to an account, and unlinking it."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import select

from taskwell.api.gateway import Gateway
from taskwell.database import Query
from taskwell.mail.tables import MailRow
from tests.support.openid import FRONTEND, Browser, Peer
from tests.support.people import Person, arrive, client
from tests.support.personal import WRITE, script_of

LINKS = "/api/v1/auth/links"
LINK = "/api/v1/auth/lab/link"
NOTICES: Query[tuple[str, str]] = Query(select(MailRow.kind, MailRow.email), lambda *columns: columns)


@pytest.fixture
async def ada(providing: Gateway) -> Person:
    return await arrive(providing, "ada")


@pytest.fixture
async def eve(providing: Gateway) -> Person:
    return await arrive(providing, "eve")


def browser_of(person: Person, peer: Peer) -> Browser:
    return Browser(person.http, peer)


async def link_token(person: Person) -> str:
    answer = await person.http.post(LINK)
    assert answer.status_code == 200, answer.text
    address = urlsplit(answer.json()["authorize_url"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == "http://test/api/v1/auth/lab/authorize"
    return dict(parse_qsl(address.query))["link"]


async def test_a_link_takes_effect_when_its_users_own_token_exchanges_the_code(ada: Person, peer: Peer):
    there = browser_of(ada, peer)
    assert (await ada.http.get(LINKS)).json() == {"items": []}

    await there.sign_in(link=await link_token(ada))
    assert (await ada.http.get(LINKS)).json() == {"items": []}
    linked = await there.exchange()

    assert linked.status_code == 200
    assert linked.json()["user"]["id"] == ada.id
    assert linked.json()["access_token"] == ada.token
    assert (await ada.http.get(LINKS)).json() == {"items": [{"name": "lab", "title": "Lab"}]}
    assert (await ada.http.get("/api/v1/auth/me")).status_code == 200


async def test_who_has_linked_a_provider_signs_in_by_it(providing: Gateway, ada: Person, peer: Peer):
    there = browser_of(ada, peer)
    await there.sign_in(link=await link_token(ada))
    await there.exchange()
    peer.changes = {"email": "elsewhere@example.com"}

    back = Browser(client(providing), peer)
    await back.sign_in()

    assert (await back.exchange()).json()["user"]["id"] == ada.id


async def test_the_owner_is_told_of_a_new_way_in(providing: Gateway, ada: Person, peer: Peer):
    there = browser_of(ada, peer)
    await there.sign_in(link=await link_token(ada))
    await there.exchange()

    assert providing.services is not None
    assert ("provider_linked", ada.email) in await providing.services.database.rows(NOTICES)


async def test_the_address_may_hold_where_the_browser_comes_back_to(ada: Person, peer: Peer):
    there = browser_of(ada, peer)
    await there.leave()
    body = {"redirect_to": f"{FRONTEND}/signed-in", "code_challenge": "A" * 43}

    address = (await ada.http.post(LINK, json=body)).json()["authorize_url"]

    assert (await ada.http.get(address)).status_code == 302
    again = await ada.http.get(address)
    assert again.headers["location"] == f"{FRONTEND}/signed-in?error=link_over"
    by_query = (await ada.http.post(LINK, params=body)).json()["authorize_url"]
    assert (await ada.http.get(by_query)).headers["location"].startswith(peer.url)
    foreign_addresses: tuple[dict[str, Any], ...] = (
        {"json": body | {"redirect_to": "//evil.example"}},
        {"params": {"redirect_to": "//evil.example"}},
    )
    for foreign in foreign_addresses:
        assert (await ada.http.post(LINK, **foreign)).status_code == 422


async def test_a_code_that_links_serves_nobody_else(providing: Gateway, ada: Person, eve: Person, peer: Peer):
    there = browser_of(ada, peer)
    await there.sign_in(link=await link_token(ada))

    for http in (client(providing), eve.http):
        other = Browser(http, peer, verifier=there.verifier, back=there.back)
        assert (await other.exchange()).status_code == 403

    assert (await eve.http.get(LINKS)).json() == {"items": []}
    assert (await there.exchange()).status_code == 200
    assert (await there.exchange()).json()["code"] == "link_over"


async def test_an_account_of_a_provider_is_one_users(ada: Person, eve: Person, peer: Peer):
    hers, ours = browser_of(eve, peer), browser_of(ada, peer)
    await hers.sign_in(link=await link_token(eve))
    await ours.sign_in(link=await link_token(ada))

    answers = await asyncio.gather(hers.exchange(), ours.exchange())

    assert sorted(each.status_code for each in answers) == [200, 409]
    refused = next(each for each in answers if each.status_code == 409)
    assert refused.json()["code"] == "identity_taken"


async def test_an_unconfirmed_user_links_nothing(providing: Gateway):
    ben = await arrive(providing, "ben", is_confirmed=False)

    assert (await ben.http.post(LINK)).json()["code"] == "email_unverified"


async def test_a_new_password_ends_a_link_under_way(ada: Person, peer: Peer):
    there = browser_of(ada, peer)
    await there.sign_in(link=await link_token(ada))
    body = {"current_password": "engine 1843", "new_password": "engine 1852"}
    assert (await ada.http.post("/api/v1/auth/password", json=body)).status_code == 204

    assert (await there.exchange()).json()["code"] == "link_over"


async def test_a_provider_that_is_not_linked_is_not_there_to_unlink(ada: Person):
    assert (await ada.http.delete(LINK)).status_code == 404
    assert (await ada.http.delete("/api/v1/auth/nowhere/link")).status_code == 404
    assert (await ada.http.post("/api/v1/auth/nowhere/link")).status_code == 404


async def test_who_has_a_password_unlinks_every_provider(providing: Gateway, ada: Person, peer: Peer):
    there = browser_of(ada, peer)
    await there.sign_in(link=await link_token(ada))
    await there.exchange()

    assert (await ada.http.delete(LINK)).status_code == 204

    assert (await ada.http.get(LINKS)).json() == {"items": []}
    assert await Browser(client(providing), peer).sign_in() == {"error": "account_exists"}


async def test_the_last_way_in_stays(providing: Gateway, peer: Peer):
    there = Browser(client(providing), peer)
    await there.sign_in()
    token = (await there.exchange()).json()["access_token"]
    http = client(providing, {"Authorization": f"Bearer {token}"})
    assert (await http.delete(LINK)).json()["code"] == "last_way_in"

    peer.github = {
        "/user": {"id": 4711, "login": "ada"},
        "/user/emails": [{"email": "ada@example.com", "primary": True, "verified": True}],
    }
    address = (await http.post("/api/v1/auth/github/link")).json()["authorize_url"]
    github = Browser(http, peer, "github")
    await github.sign_in(link=dict(parse_qsl(urlsplit(address).query))["link"])
    assert (await github.exchange()).status_code == 200

    gone = await asyncio.gather(http.delete(LINK), http.delete("/api/v1/auth/github/link"))
    assert sorted(each.status_code for each in gone) == [204, 409]


async def test_a_personal_token_reaches_no_links(providing: Gateway, ada: Person, peer: Peer):
    script = await script_of(providing, ada, WRITE)
    there = browser_of(ada, peer)
    await there.sign_in(link=await link_token(ada))

    answers = [await script.get(LINKS), await script.post(LINK), await script.delete(LINK)]
    exchanged = await Browser(script, peer, verifier=there.verifier, back=there.back).exchange()

    assert [answer.json()["code"] for answer in answers] == 3 * ["insufficient_scope"]
    assert exchanged.status_code == 403
    assert (await ada.http.get(LINKS)).json() == {"items": []}


async def test_a_link_is_told_once_however_often_it_is_asked_for_with_one_key(ada: Person):
    key = {"Idempotency-Key": "link-1"}

    first, again = [await ada.http.post(LINK, headers=key) for _ in range(2)]

    assert first.json()["authorize_url"] is not None
    assert (again.status_code, again.json()) == (200, {"authorize_url": None})
