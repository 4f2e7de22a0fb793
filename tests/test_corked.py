"""Answers leave in one piece."""

import asyncio
import socket
from typing import Any

import uvicorn

from taskwell.corked import ENOUGH, CorkedProtocol, CorkedTransport


async def hello(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"5")] + ([(b"connection", b"close")] if scope["path"] == "/close" else [])
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


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
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * ENOUGH)
    theirs.setblocking(False)  # noqa: FBT003
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours)
    corked = CorkedTransport(transport, loop)

    corked.write(b"a" * ENOUGH)
    much = theirs.recv(2 * ENOUGH)
    corked.writelines([b"b", b"c"])
    await asyncio.sleep(0)
    little = await loop.sock_recv(theirs, 10)
    corked.write(b"lost")
    corked.abort()
    await asyncio.sleep(0)
    theirs.close()

    assert set(much) == set(b"a")
    assert little == b"bc"
