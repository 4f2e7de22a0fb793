"""Limits: attempts to sign in and up, and requests of one user."""

import asyncio

import httpx2
import pytest

from taskwell.api.gateway import Gateway
from taskwell.api.windows import MAX_KEYS, MemoryWindows
from taskwell.errors import InvalidCredentials, TooManyRequests
from tests.support.limiting import WAYS_IN, Clock, Limit, networks, sign_in, via
from tests.support.people import PASSWORD, Person


@pytest.mark.parametrize("way", WAYS_IN)
async def test_after_five_wrong_passwords_the_right_one_is_refused_too(
    nobody: httpx2.AsyncClient, ada: Person, limit: Limit, clock: Clock, way: str
):
    limit()
    refusal = 400 if way.endswith("token") else 401
    for _ in range(5):
        assert (await sign_in(nobody, ada.email, way=way)).status_code == refusal

    for other_way in WAYS_IN:
        locked = await sign_in(nobody, ada.email, PASSWORD, other_way)
        assert locked.status_code == 429
        assert locked.headers["retry-after"] == "60"
        assert locked.headers["ratelimit"] == '"sign-in";r=0;t=60'
        assert locked.headers["ratelimit-policy"] == '"sign-in";q=5;w=60'

    clock.at += 60
    assert (await sign_in(nobody, ada.email, PASSWORD, way)).status_code == 200


async def test_lock_outs_grow_from_one_minute_to_fifteen(
    nobody: httpx2.AsyncClient, ada: Person, limit: Limit, clock: Clock
):
    limit()
    waits = []
    for _ in range(6):
        for _ in range(5):
            await sign_in(nobody, ada.email)
        wait = int((await sign_in(nobody, ada.email)).headers["retry-after"])
        waits.append(wait)
        clock.at += wait

    assert waits == [60, 120, 240, 480, 900, 900]


async def test_a_lock_out_lasts_until_its_end_whatever_is_tried_meanwhile(
    nobody: httpx2.AsyncClient, ada: Person, limit: Limit, clock: Clock
):
    limit()
    for _ in range(5):
        await sign_in(nobody, ada.email)
    for left in range(60, 0, -10):
        assert (await sign_in(nobody, ada.email)).headers["retry-after"] == str(left)
        clock.at += 10

    assert (await sign_in(nobody, ada.email, PASSWORD)).status_code == 200


async def test_the_minute_slides(nobody: httpx2.AsyncClient, ada: Person, limit: Limit, clock: Clock):
    limit()
    for _ in range(10):
        assert (await sign_in(nobody, ada.email)).status_code == 401
        clock.at += 15.5
    for _ in range(2):
        assert (await sign_in(nobody, ada.email)).status_code == 401

    assert (await sign_in(nobody, ada.email, PASSWORD)).status_code == 429


async def test_failures_from_one_address_leave_the_account_open_from_every_other(
    nobody: httpx2.AsyncClient, ada: Person, limit: Limit
):
    limit(trusted_proxies=networks("127.0.0.0/8"))
    for _ in range(5):
        await sign_in(nobody, ada.email.upper(), **via("203.0.113.7"))

    assert (await sign_in(nobody, ada.email, PASSWORD, **via("203.0.113.7"))).status_code == 429
    assert (await sign_in(nobody, ada.email, PASSWORD, **via("203.0.113.8"))).status_code == 200


async def test_the_addresses_of_one_ipv6_network_are_one_group(nobody: httpx2.AsyncClient, ada: Person, limit: Limit):
    limit(trusted_proxies=networks("127.0.0.0/8"))
    for number in range(5):
        await sign_in(nobody, ada.email, **via(f"2001:db8:1:2::{number}"))

    assert (await sign_in(nobody, ada.email, PASSWORD, **via("2001:db8:1:2:ffff::1"))).status_code == 429
    assert (await sign_in(nobody, ada.email, PASSWORD, **via("2001:db8:1:3::1"))).status_code == 200


async def test_failures_count_by_address_for_whatever_account(nobody: httpx2.AsyncClient, eve: Person, limit: Limit):
    limit(trusted_proxies=networks("127.0.0.0/8"))
    for number in range(5):
        await sign_in(nobody, f"nobody{number}@example.com", **via("203.0.113.7"))

    assert (await sign_in(nobody, eve.email, PASSWORD, **via("203.0.113.7"))).status_code == 429
    assert (await sign_in(nobody, eve.email, PASSWORD, **via("203.0.113.8"))).status_code == 200


async def test_an_account_that_does_not_exist_is_locked_out_like_one_that_does(
    nobody: httpx2.AsyncClient, ada: Person, limit: Limit
):
    limit(trusted_proxies=networks("127.0.0.0/8"))
    answers = [
        [(await sign_in(nobody, email, **via(f"{net}.1"))).status_code for _ in range(7)]
        + [(await sign_in(nobody, email, **via(f"{net}.{number}"))).status_code for number in range(2, 60)]
        for email, net in ((ada.email, "203.0.113"), ("nobody@example.com", "198.51.100"))
    ]

    assert answers[0] == answers[1] == [401] * 5 + [429] * 2 + [401] * 45 + [429] * 13


async def test_a_success_forgets_the_failures_of_the_account_there_but_not_those_of_the_address(
    nobody: httpx2.AsyncClient, ada: Person, eve: Person, limit: Limit, app: Gateway
):
    limit(trusted_proxies=networks("127.0.0.0/8"))
    here = via("203.0.113.50")
    for _ in range(4):
        await sign_in(nobody, ada.email, **here)
    assert (await sign_in(nobody, ada.email, PASSWORD, **here)).status_code == 200
    assert app.services is not None
    windows = app.services.limits.store.memory
    counted = {
        key: len(hits.instants) for key, hits in windows._hits.items() if key.startswith("sign-in/") and hits.instants
    }
    assert sorted(counted.values()) == [4, 4]  # of the address, and of the account from anywhere

    await sign_in(nobody, "nobody@example.com", **here)
    assert (await sign_in(nobody, eve.email, PASSWORD, **here)).status_code == 429


async def test_of_twenty_wrong_passwords_at_once_five_are_looked_at(
    nobody: httpx2.AsyncClient, ada: Person, limit: Limit
):
    limit()
    answers = await asyncio.gather(*(sign_in(nobody, ada.email) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 15


async def test_twenty_right_passwords_at_once_are_all_let_in(nobody: httpx2.AsyncClient, ada: Person, limit: Limit):
    limit()
    answers = await asyncio.gather(*(sign_in(nobody, ada.email, PASSWORD) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}


async def test_an_attempt_that_ends_otherwise_gives_its_place_back(limit: Limit, app: Gateway):
    limit(rate_limit_per_minute=1)
    assert app.services is not None
    attempt = app.services.limits.sign_in("203.0.113.7", "ada")
    with pytest.raises(RuntimeError, match="the database is down"):
        async with attempt.under_way():
            raise RuntimeError("the database is down")

    async with attempt.under_way():
        assert await attempt.fail()
    with pytest.raises(TooManyRequests):
        async with attempt.under_way():
            raise InvalidCredentials


async def test_sign_ups_count_by_address_taken_ones_too_but_not_refused_values(
    nobody: httpx2.AsyncClient, ada: Person, limit: Limit, clock: Clock
):
    limit(rate_limit_per_minute=3)

    async def sign_up(email: str, password: str = PASSWORD) -> httpx2.Response:
        body = {"email": email, "password": password, "name": "Someone"}
        return await nobody.post("/api/v1/auth/signup", json=body)

    for _ in range(5):
        assert (await sign_up("weak@example.com", "short")).status_code == 422
        assert (await nobody.post("/api/v1/auth/signup", json={})).status_code == 422
    assert (await sign_up(ada.email)).status_code == 409
    clock.at += 20
    assert (await sign_up("b@example.com")).status_code == 201
    assert (await sign_up("c@example.com")).status_code == 201

    refused = await sign_up("d@example.com")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "40"
    clock.at += 40
    assert (await sign_up("d@example.com")).status_code == 201
    assert (await sign_up("e@example.com")).status_code == 429


async def test_of_twenty_sign_ups_at_once_five_open_an_account(nobody: httpx2.AsyncClient, limit: Limit):
    limit()
    bodies = [{"email": f"p{n}@example.com", "password": PASSWORD, "name": "Someone"} for n in range(20)]
    answers = await asyncio.gather(*(nobody.post("/api/auth/signup", json=body) for body in bodies))

    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [429] * 15


async def test_zero_is_no_limit(nobody: httpx2.AsyncClient, ada: Person, limit: Limit):
    limit(rate_limit_per_minute=0)
    for _ in range(12):
        assert (await sign_in(nobody, ada.email)).status_code == 401


async def test_requests_are_counted_by_user(ada: Person, eve: Person, limit: Limit, clock: Clock):
    limit(api_rate_limit_per_minute=3)
    answers = [await ada.http.get("/api/v1/tasks") for _ in range(3)]
    assert [answer.headers["ratelimit"] for answer in answers] == [f'"requests";r={left};t=60' for left in (2, 1, 0)]
    assert answers[0].headers["ratelimit-policy"] == '"requests";q=3;w=60'

    refused = await ada.http.get("/api/v1/tasks")
    assert refused.status_code == 429
    assert refused.json()["code"] == "rate_limited"
    assert refused.headers["retry-after"] == "60"
    assert refused.headers["ratelimit"] == '"requests";r=0;t=60'
    missing = await eve.http.get("/api/v1/tasks/nothing")
    assert (missing.status_code, missing.headers["ratelimit"]) == (404, '"requests";r=2;t=60')
    clock.at += 60
    assert (await ada.http.get("/api/v1/tasks")).status_code == 200


async def test_the_rate_is_judged_after_the_path_user_and_before_the_body(
    nobody: httpx2.AsyncClient, ada: Person, eve: Person, limit: Limit
):
    limit(api_rate_limit_per_minute=1)
    assert (await ada.http.get("/api/v1/tasks")).status_code == 200

    assert (await nobody.post("/api/v1/tasks", content=b"{")).status_code == 401
    assert (await ada.http.post(f"/api/v1/users/{eve.id}/tasks", content=b"{")).status_code == 403
    assert (await ada.http.post("/api/v1/tasks", content=b"{")).status_code == 429
    assert (await ada.http.post(f"/api/users/{ada.id}/todos", content=b"{")).json().keys() == {
        "error",
        "message",
        "detail",
        "details",
    }


async def test_without_limits_no_answer_speaks_of_them(ada: Person):
    answer = await ada.http.get("/api/v1/tasks")

    assert not {"ratelimit", "ratelimit-policy", "retry-after"} & set(answer.headers)


async def test_the_memory_of_counts_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("taskwell.api.windows.MAX_KEYS", 100)
    windows = MemoryWindows(clock)
    for number in range(1_000):
        await windows.acquire_entry(f"h{number}", 5, 60)
        await windows.incr(f"c{number}", 60)

    assert len(windows._hits) <= 100
    assert len(windows._counts) <= 100
    assert MAX_KEYS == 100_000
