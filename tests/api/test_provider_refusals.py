"""What a provider, or somebody who pretends to be one, must not get by with."""

import time

import pytest

from taskwell.api.gateway import Gateway
from taskwell.security.sign_in_state import challenge_of
from tests.support.openid import CALLBACK, FRONTEND, Browser, Peer
from tests.support.people import client


@pytest.fixture
def there(providing: Gateway, peer: Peer) -> Browser:
    return Browser(client(providing), peer)


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": ["taskwell", "another-client"]},
        {"azp": "another-client"},
        {"exp": time.time() - 10},
        {"iat": None},
        {"iat": time.time() + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": 4711},
        {"sub": "x" * 256},
        {"algorithm": "ES512"},
    ],
    ids="-".join,
)
async def test_an_id_token_that_does_not_hold_is_refused(there: Browser, peer: Peer, changes):
    peer.keys = [each for each in peer.keys if each["alg"] != "ES512"]
    peer.changes = changes.copy()

    assert await there.sign_in() == {"error": "provider_refused"}


async def test_an_id_token_of_several_audiences_says_that_it_was_issued_to_us(there: Browser, peer: Peer):
    peer.changes = {"aud": ["taskwell", "another-client"], "azp": "taskwell"}

    assert set(await there.sign_in()) == {"code"}


@pytest.mark.parametrize("iss", ["https://evil.example", None], ids=["another", "none"])
async def test_an_answer_that_is_not_the_issuers_is_refused(there: Browser, peer: Peer, iss):
    answer = peer.approve((await there.leave()).headers["location"])
    del answer["iss"]

    back = await there.come_back(**answer, **({} if iss is None else {"iss": iss}))

    assert back == {"error": "provider_refused"}


async def test_a_providers_code_works_once(there: Browser, peer: Peer):
    answer = peer.approve((await there.leave()).headers["location"])

    assert set(await there.come_back(**answer)) == {"code"}
    assert await there.come_back(**answer) == {"error": "provider_refused"}


async def test_a_code_of_another_sign_in_is_refused(there: Browser, peer: Peer, providing: Gateway):
    eve = Browser(client(providing), peer)
    hers = peer.approve((await eve.leave()).headers["location"])
    ours = peer.approve((await there.leave()).headers["location"])

    assert await there.come_back(**(ours | {"code": hers["code"]})) == {"error": "provider_refused"}


async def test_a_sign_in_ends_in_the_browser_in_which_it_began(there: Browser, peer: Peer, providing: Gateway):
    eve = Browser(client(providing), peer)
    answer = peer.approve((await eve.leave()).headers["location"])
    await there.leave()

    assert await there.come_back(**answer) == {"error": "invalid_state"}
    there.http.cookies.clear()
    assert await there.come_back(**answer) == {"error": "invalid_state"}


async def test_a_state_that_is_not_ours_leads_nowhere(there: Browser, peer: Peer):
    answer = peer.approve((await there.leave()).headers["location"])
    for state in ("", "x", "ä", answer["state"][:-2], answer["state"] + "AAAA", "=" * 10_000):
        response = await there.http.get(CALLBACK.format("lab"), params=answer | {"state": state})
        assert (response.status_code, response.json()["code"]) == (400, "invalid_state")


async def test_a_state_of_one_provider_is_none_of_another(there: Browser, peer: Peer):
    answer = peer.approve((await there.leave()).headers["location"])

    response = await there.http.get(CALLBACK.format("github"), params=answer)

    assert response.json()["code"] == "invalid_state"


async def test_who_says_no_at_the_provider_is_told_so(there: Browser, peer: Peer):
    state = peer.approve((await there.leave()).headers["location"])["state"]

    assert await there.come_back(state=state, error="access_denied") == {"error": "access_denied"}
    assert await there.come_back(state=state, error="<script>") == {"error": "provider_refused"}


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/signed-in",
        "http://localhost:3000@evil.example/",
        "http://localhost:3000.evil.example/",
        "http://localhost:3001/",
        "https://localhost:3000/",
        "http:\\\\evil.example",
        "http://localhost:3000\\@evil.example",
        "http://localhost:3000/\t",
        " http://localhost:3000/",
        "http://ada:pass@localhost:3000/",
        "javascript:alert(1)//localhost:3000",
        "data:text/html,x",
        "http://localhost:3000/#there",
        "",
        "*",
        f"{FRONTEND}/{'x' * 2000}",
    ],
)
async def test_nobody_is_sent_on_to_a_foreign_address(there: Browser, address: str):
    response = await there.leave(redirect_to=address)

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "redirect_to"
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("address", [f"{FRONTEND}/a?b=c", "HTTP://LOCALHOST:3000/a?b=c", "http://test/app", FRONTEND])
async def test_the_addresses_that_the_settings_name_are_gone_back_to_as_a_browser_reads_them(
    there: Browser, peer: Peer, address: str
):
    answer = peer.approve((await there.leave(redirect_to=address)).headers["location"])

    back = await there.http.get(CALLBACK.format("lab"), params=answer)

    read = {FRONTEND: f"{FRONTEND}/", "HTTP://LOCALHOST:3000/a?b=c": f"{FRONTEND}/a?b=c"}.get(address, address)
    assert back.headers["location"].startswith(f"{read}{'&' if '?' in read else '?'}code=")


@pytest.mark.parametrize("challenge", ["", "x", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 43 + "\n"])
async def test_a_challenge_is_the_s256_of_a_verifier(there: Browser, challenge: str):
    assert (await there.leave(code_challenge=challenge)).status_code == 422


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
    ],
    ids=str,
)
async def test_a_provider_that_does_not_publish_itself_rightly_is_not_used(there: Browser, peer: Peer, document):
    peer.document = document

    left = await there.leave()

    assert left.headers["location"] == f"{FRONTEND}/signed-in?error=provider_unavailable"


async def test_while_a_provider_is_down_the_front_end_is_told_and_afterwards_all_is_well(there: Browser, peer: Peer):
    await peer.stop()
    left = await there.leave()
    assert left.headers["location"] == f"{FRONTEND}/signed-in?error=provider_unavailable"

    await peer.start()
    answer = peer.approve((await there.leave()).headers["location"])
    await peer.stop()
    assert await there.come_back(**answer) == {"error": "provider_unavailable"}

    await peer.start()
    assert set(await there.sign_in()) == {"code"}


@pytest.mark.parametrize("answer", [(500, {}), (200, []), (200, {"id_token": 1}), (200, {}), (401, {"error": "x"})])
async def test_a_token_endpoint_that_answers_nonsense_signs_nobody_in(there: Browser, peer: Peer, answer):
    peer.answer = answer

    assert (await there.sign_in())["error"] in {"provider_unavailable", "provider_refused"}


async def test_userinfo_about_somebody_else_is_refused(there: Browser, peer: Peer):
    peer.userinfo = {"sub": "eve-at-lab", "email": "ada@example.com", "email_verified": True}

    assert await there.sign_in() == {"error": "provider_refused"}


async def test_no_link_is_made_of_the_host_header(there: Browser, peer: Peer):
    challenge = challenge_of(there.verifier)
    query = {"redirect_to": FRONTEND, "code_challenge": challenge}
    left = await there.http.get("/api/v1/auth/lab/authorize", params=query, headers={"Host": "evil.example"})

    assert "redirect_uri=http%3A%2F%2Ftest%2F" in left.headers["location"]
    assert "evil.example" not in str(left.headers)
