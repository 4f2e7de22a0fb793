"""Answers leave in one piece, heads have an end, and whoever still sends can read the answer."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn

from taskwell import corked
from taskwell.corked import MAX_HELD_BYTES, CorkedProtocol, CorkedTransport

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
MIB = 1024 * 1024


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """Answers at ``/read`` when it has the whole body, elsewhere at once."""
    while scope["path"] == "/read" and (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"5")] + ([(b"connection", b"close")] if scope["path"] == "/close" else [])
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(hello, http=CorkedProtocol, log_config=None, lifespan="off")
    config.load()
    state = uvicorn.server.ServerState()
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    await loop.connect_accepted_socket(lambda: CorkedProtocol(config=config, server_state=state, app_state={}), ours)
    reader, writer = await asyncio.open_connection(sock=theirs)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0.01)


async def status(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
    return head[9:12]


async def asked(path: str) -> tuple[bytes, bytes]:
    """The first that comes over a socket, and the rest until it closes or nothing more comes."""
    config = uvicorn.Config(hello, http=CorkedProtocol, log_config=None, lifespan="off")
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)  # noqa: FBT003
    config.load()
    await loop.connect_accepted_socket(lambda: CorkedProtocol(config=config, server_state=state, app_state={}), ours)
    await loop.sock_sendall(theirs, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    first = await loop.sock_recv(theirs, 65536)
    rest = b""
    if path == "/close":
        rest = await loop.sock_recv(theirs, 65536)
    for connection in list(state.connections):
        connection.shutdown()
    await asyncio.sleep(0)
    theirs.close()
    return first, rest


async def test_head_and_body_come_at_once():
    first, _ = await asked("/")

    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert first.endswith(b"\r\n\r\nhello")


async def test_what_is_held_leaves_before_the_connection_closes():
    first, rest = await asked("/close")

    assert first.endswith(b"hello")
    assert rest == b""


async def test_much_is_not_held():
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MAX_HELD_BYTES)
    theirs.setblocking(False)  # noqa: FBT003
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours)
    corked = CorkedTransport(transport, loop)

    corked.write(b"a" * MAX_HELD_BYTES)
    much = theirs.recv(2 * MAX_HELD_BYTES)
    corked.writelines([b"b", b"c"])
    await asyncio.sleep(0)
    little = await loop.sock_recv(theirs, 10)
    corked.write(b"lost")
    corked.abort()
    await asyncio.sleep(0)
    theirs.close()

    assert set(much) == set(b"a")
    assert little == b"bc"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n", id="one long field"),
        pytest.param(HEAD + b"X: aaaaaaaa\r\n" * 6_000 + b"\r\n", id="many fields"),
        pytest.param(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", id="a long path"),
        pytest.param(HEAD + b"X: " + b"a" * 400_000, id="one field without an end"),
    ],
)
@pytest.mark.parametrize("before", [b"", HEAD + b"\r\n"], ids=["first", "second"])
async def test_a_head_over_64_kib_is_431_and_ends_the_connection(head: bytes, before: bytes):
    async with connected() as (reader, writer):
        if before:
            writer.write(before)
            assert await status(reader) == b"200"
        for start in range(0, len(head), 50_000):
            writer.write(head[start : start + 50_000])
            await asyncio.sleep(0)

        assert await status(reader) == b"431"
        assert await reader.read() == b""


async def test_a_head_just_under_64_kib_is_answered():
    async with connected() as (reader, writer):
        writer.write(HEAD + b"X: " + b"a" * 65_000 + b"\r\n\r\n")

        assert await status(reader) == b"200"


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(HEAD, id="of a head"),
        pytest.param(b"POST /read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", id="of trailers"),
    ],
)
@pytest.mark.parametrize("piece", [b"X: " + b"a" * 1_000 + b"\r\n", b"a" * 1_000], ids=["lines", "one line"])
async def test_fields_without_an_end_take_no_memory(beginning: bytes, piece: bytes):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with connected() as (_, writer):
        writer.write(beginning + (b"" if piece.endswith(b"\n") else b"X: "))
        with suppress(ConnectionError):
            for _ in range(180):
                writer.write(piece * 1_000)
                await writer.drain()

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024


@pytest.mark.parametrize("sent", [b"", HEAD, b"\r\n"], ids=["nothing", "half a head", "an empty line"])
@pytest.mark.parametrize("before", [b"", HEAD + b"\r\n"], ids=["first", "second"])
async def test_a_head_that_does_not_end_in_time_is_closed(
    sent: bytes, before: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(corked, "HEAD_SECONDS", 0.2)
    async with connected() as (reader, writer):
        if before:
            writer.write(before)
            assert await status(reader) == b"200"
        if before and not sent:
            return  # an idle connection is kept for its own time
        for start in range(0, len(sent), 8):
            writer.write(sent[start : start + 8])
            await asyncio.sleep(0.03)

        async with asyncio.timeout(1):
            assert await reader.read() == b""


async def test_many_requests_over_one_connection_keep_it_beyond_the_time_of_one_head(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(corked, "HEAD_SECONDS", 0.2)
    async with connected() as (reader, writer):
        for _ in range(5):
            writer.write(HEAD + b"\r\n")
            assert await status(reader) == b"200"
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("path", [b"/", b"/close"])
async def test_whoever_still_sends_a_body_reads_the_answer(path: bytes):
    async with connected() as (reader, writer):
        writer.write(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (path, 6 * MIB))
        for _ in range(6):
            writer.write(b"a" * MIB)
            await writer.drain()

        assert await status(reader) == b"200"


async def test_a_body_that_was_dropped_is_followed_by_the_next_request():
    async with connected() as (reader, writer):
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % MIB)
            await asyncio.sleep(0.01)
            writer.write(b"a" * MIB)
            assert await status(reader) == b"200"


@pytest.mark.parametrize("path", [b"/", b"/close"])
async def test_after_the_answer_eight_mebibytes_are_dropped_and_no_more(path: bytes):
    async with connected() as (reader, writer):
        writer.write(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (path, 100 * MIB))
        assert await status(reader) == b"200"
        sent = 0
        with suppress(ConnectionError):
            while sent < 100:
                writer.write(b"a" * MIB)
                await writer.drain()
                sent += 1

        assert 8 <= sent < 12


@pytest.mark.parametrize("path", [b"/", b"/close"])
async def test_after_the_answer_a_slow_body_is_waited_for_a_while(path: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(corked, "DROP_SECONDS", 0.3)
    async with connected() as (reader, writer):
        writer.write(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" % path)
        assert await status(reader) == b"200"
        started = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - started < 5:
                writer.write(b"a")
                await writer.drain()
                await asyncio.sleep(0.02)

        assert 0.2 < time.monotonic() - started < 2


async def test_requests_in_a_row_are_answered_in_order_and_none_is_dropped():
    async with connected() as (reader, writer):
        writer.write(
            (b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"a" * 100_000) * 3
            + HEAD
            + b"\r\n"
        )

        assert [await status(reader) for _ in range(4)] == [b"200"] * 4
