"""Limits shared through a real Redis, and what happens while it is down."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog

from taskwell.api.limits import Limits
from taskwell.errors import TooManyRequests
from taskwell.settings import InvalidSettings, Settings
from tests.support.counted import counted
from tests.support.redis import RedisServer
from tests.support.server import serving

SECRET = "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.remove()


def settings(redis: RedisServer, **changes: object) -> Settings:
    values: dict[str, Any] = {"redis_url": redis.url, "secret_key": SECRET, "api_rate_limit_per_minute": 10} | changes
    return Settings(_env_file=None, **values)


@pytest.fixture
async def two(redis: RedisServer) -> AsyncIterator[tuple[Limits, Limits]]:
    """The limits of two processes."""
    one, other = Limits(settings(redis)), Limits(settings(redis))
    yield one, other
    await one.close()
    await other.close()


async def succeed(limits: Limits, *, address: str = "203.0.113.7", seconds: float = 0) -> str:
    """An attempt with the right password, which takes its time."""
    try:
        async with limits.sign_in(address, "ada@example.com").under_way() as under_way:
            await asyncio.sleep(seconds)
            await under_way.succeed()
            return "in"
    except TooManyRequests as refused:
        return f"refused for {refused.headers['Retry-After']}"


async def fail(limits: Limits, *, address: str = "203.0.113.7", seconds: float = 0) -> str:
    """An attempt with a wrong password, which takes its time."""
    try:
        async with limits.sign_in(address, "ada@example.com").under_way() as under_way:
            await asyncio.sleep(seconds)
            return "locked out" if await under_way.fail() else "wrong"
    except TooManyRequests as refused:
        return f"refused for {refused.headers['Retry-After']}"


async def test_failures_in_two_processes_lock_out_in_both(two: tuple[Limits, Limits]):
    one, other = two
    outcomes = [await fail(each) for each in (one, other, one, other, one)]

    assert outcomes == ["wrong"] * 4 + ["locked out"]
    assert await succeed(one) == await succeed(other) == "refused for 60"
    assert await succeed(other, address="198.51.100.1") == "in"


async def test_failures_from_fifty_addresses_in_two_processes_close_the_account_in_both(two: tuple[Limits, Limits]):
    outcomes = [await fail(two[number % 2], address=f"198.51.100.{number}") for number in range(50)]

    assert outcomes == ["wrong"] * 49 + ["locked out"]
    for limits in two:
        assert await limits.has_failed_often("ada@example.com")
        assert not await limits.has_failed_often("eve@example.com")
        assert await succeed(limits) == "refused for 3600"
        async with limits.sign_in("203.0.113.7", "ada@example.com", is_known=True).under_way() as attempt:
            await attempt.succeed()


async def test_of_forty_attempts_at_once_in_two_processes_five_are_looked_at(two: tuple[Limits, Limits]):
    outcomes = await asyncio.gather(*(fail(two[number % 2], seconds=0.05) for number in range(40)))

    looked_at = [outcome for outcome in outcomes if not outcome.startswith("refused")]
    assert len(looked_at) == 5
    assert "locked out" in looked_at


async def test_forty_right_passwords_at_once_are_let_in(two: tuple[Limits, Limits]):
    outcomes = await asyncio.gather(*(succeed(two[number % 2], seconds=0.01) for number in range(40)))

    assert set(outcomes) == {"in"}


async def test_requests_are_counted_over_all_processes(two: tuple[Limits, Limits]):
    quotas = [await two[number % 2].request("ada") for number in range(10)]

    assert [quota.remaining for quota in quotas if quota] == list(range(9, -1, -1))
    for limits in two:
        with pytest.raises(TooManyRequests):
            await limits.request("ada")


async def test_while_redis_is_down_requests_are_open_and_attempts_limited_here(
    redis: RedisServer, two: tuple[Limits, Limits], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("taskwell.api.windows.RETRY_SECONDS", 0.1)
    one, other = two
    assert await fail(one) == "wrong"
    failures = counted("taskwell_limit_store_failures_total")
    redis.stop()

    with structlog.testing.capture_logs() as lines:
        assert [await one.request("ada") for _ in range(30)] == [None] * 30
        assert [await fail(one) for _ in range(6)] == ["wrong"] * 4 + ["locked out", "refused for 60"]
        assert await fail(other) == "wrong"
    assert [line["event"] for line in lines] == ["redis is down", "redis is down"]
    assert counted("taskwell_limit_store_failures_total") > failures

    redis.start()
    await asyncio.sleep(0.2)
    with structlog.testing.capture_logs() as lines:
        quota = await one.request("ada")
        assert quota is not None
        assert quota.remaining == 9
        assert await succeed(one) == "in"
    assert [line["event"] for line in lines] == ["redis is back"]


async def test_a_redis_that_hangs_costs_half_a_second_and_not_every_time(redis: RedisServer):
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    limits = Limits(settings(redis, redis_url=f"redis://127.0.0.1:{port}/0"))
    started = time.monotonic()
    assert [await limits.request("ada") for _ in range(50)] == [None] * 50
    assert time.monotonic() - started < 4
    await limits.close()
    silent.close()


def test_a_redis_url_with_an_impossible_option_is_told(redis: RedisServer):
    with pytest.raises(InvalidSettings, match="REDIS_URL"):
        Limits(settings(redis, redis_url="redis://127.0.0.1/?socket_timeout=soon"))


def test_without_redis_url_nothing_of_it_is_imported():
    code = (
        "import sys; from taskwell.app import create_app; from taskwell.settings import Settings\n"
        "from taskwell.api.limits import Limits\n"
        f"settings = Settings(_env_file=None, secret_key='{SECRET}'); create_app(settings); Limits(settings)\n"
        "assert not {'redis', 'limits', 'coredis'} & set(sys.modules), 'imported'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def servers(redis: RedisServer, tmp_path: Path) -> Iterator[list[str]]:
    """Two server processes that share nothing but Redis."""
    with ExitStack() as both:
        addresses = []
        for name in ("one", "other"):
            folder = tmp_path / name
            folder.mkdir()
            server = serving(folder, f"sqlite:///{folder}/taskwell.db", SECRET_KEY=SECRET, REDIS_URL=redis.url)
            addresses.append(both.enter_context(server))
        yield addresses


def test_five_wrong_passwords_at_two_servers_are_429_at_both(servers: list[str]):
    account = {"email": "ada@example.com", "password": "engine 1843", "name": "Ada"}
    assert httpx2.post(f"{servers[0]}/api/v1/auth/signup", json=account).status_code == 201

    def sign_in(server: str, password: str) -> httpx2.Response:
        body = {"email": account["email"], "password": password}
        return httpx2.post(f"{server}/api/v1/auth/login", json=body, verify=False)

    answers = [sign_in(servers[number % 2], "wrong 12345").status_code for number in range(5)]

    assert answers == [401] * 5
    for server in servers:
        locked = sign_in(server, account["password"])
        assert locked.status_code == 429
        assert 55 <= int(locked.headers["retry-after"]) <= 60
