"""One limit for many requests."""

import asyncio

import pytest

from taskwell.api.time_limit import TimeLimit


async def work(limit: TimeLimit, seconds: float) -> str:
    with limit.turn():
        await asyncio.sleep(seconds)
    return "done"


async def test_each_is_stopped_when_its_own_time_is_over_and_the_others_go_on():
    limit = TimeLimit(0.1)
    started = asyncio.get_running_loop().time()
    first = asyncio.create_task(work(limit, 10))
    await asyncio.sleep(0.06)
    second, third = asyncio.create_task(work(limit, 10)), asyncio.create_task(work(limit, 0.01))

    with pytest.raises(TimeoutError):
        await first
    assert asyncio.get_running_loop().time() - started < 5
    assert await third == "done"
    with pytest.raises(TimeoutError):
        await second


async def test_after_a_pause_it_holds_again():
    limit = TimeLimit(0.02)
    assert await work(limit, 0) == "done"
    await asyncio.sleep(0.05)

    with pytest.raises(TimeoutError):
        await work(limit, 10)
    assert await work(limit, 0) == "done"


async def test_who_is_cancelled_by_another_is_not_told_that_time_was_over():
    task = asyncio.create_task(work(TimeLimit(10), 10))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_fails_by_itself_says_so_although_its_time_is_over():
    async def failing(limit: TimeLimit) -> None:
        with limit.turn():
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                raise LookupError from None

    with pytest.raises(LookupError):
        await failing(TimeLimit(0.01))


def test_in_another_event_loop_it_holds_too():
    limit = TimeLimit(0.02)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            asyncio.run(work(limit, 10))
