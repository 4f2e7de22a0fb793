"""Responses that are sent while they are made, for what may be larger than memory.

They go by way of a temporary file: the database makes it as fast as it can, and no snapshot waits for a slow reader.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from functools import partial
from io import FileIO
from tempfile import TemporaryFile
from typing import cast

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from taskwell.api.call import ClientGone, RequestContext
from taskwell.database.threads import to_its_end
from taskwell.errors import TooManyRequests, Unavailable

STALLED_SECONDS = 30.0
"""A reader that takes nothing for this long is given up."""

LONGEST_SECONDS = 600.0
"""A reader that is not done by then is given up as well: the file takes room."""

PIECE_BYTES = 65_536


async def streamed(
    call: RequestContext, chunks: AsyncGenerator[bytes, None], *, headers: Mapping[str, str], media_type: str
) -> Response:
    """A response of these chunks, of which the first is made at once: what fails there is still answered properly.

    HEAD makes none of them.

    Raises:
        TooManyRequests: the user is reading another one.
    """
    if call.scope["method"] == "HEAD":
        return _Streamed(_nothing(), headers=headers, media_type=media_type)
    pieces = _spooled(call, chunks)
    first = await anext(pieces)
    return _Streamed(_beginning_with(first, pieces), headers=headers, media_type=media_type)


async def _nothing() -> AsyncGenerator[bytes, None]:
    return
    yield


async def _spooled(call: RequestContext, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    with _only_one(call.services.streaming, call.user.user_id):
        with _room():
            file = TemporaryFile(buffering=0)  # noqa: SIM115  # a thread closes it
        written: asyncio.Queue[int] = asyncio.Queue()
        writing = asyncio.create_task(_write(file, call.services.streams, chunks, written))
        try:
            read, end = 0, 0
            while length := await written.get():
                end += length
                while read < end:
                    size = min(PIECE_BYTES, end - read)
                    piece = await to_its_end(None, partial(os.pread, file.fileno(), size, read))
                    read += len(piece)
                    yield piece
            await writing  # which says how it failed
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await to_its_end(None, file.close)  # which frees the room on the disk


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable("The server has no room for the file; try again later.", retry_after=60) from error


@contextmanager
def _only_one(streaming: set[str], user_id: str) -> Iterator[None]:
    if user_id in streaming:
        raise TooManyRequests(
            "Another export of yours is being read; wait for its end.", headers={"Retry-After": "5"}
        )
    streaming.add(user_id)
    try:
        yield
    finally:
        streaming.discard(user_id)


async def _write(
    file: FileIO, turns: asyncio.Semaphore, chunks: AsyncGenerator[bytes, None], written: asyncio.Queue[int]
) -> None:
    """Tells of each chunk how long it is once it can be read, and in the end of one without length.

    Few write at a time, since each holds a database connection.
    """

    def write(chunk: bytes) -> None:
        rest = memoryview(chunk)
        with _room():
            while rest:
                rest = rest[file.write(rest) :]

    try:
        async with turns, aclosing(chunks):
            async for chunk in chunks:
                if chunk:
                    await to_its_end(None, partial(write, chunk))
                    written.put_nowait(len(chunk))
    finally:
        written.put_nowait(0)


async def _beginning_with(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for chunk in rest:
            yield chunk


class _Streamed(StreamingResponse):
    """Ends, and closes what it reads from, as soon as nobody reads; the gateway's time limit is not for it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_gone(receive))
        try:
            async with (
                asyncio.timeout(LONGEST_SECONDS),
                aclosing(cast(AsyncGenerator[bytes, None], self.body_iterator)) as chunks,
            ):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                async for chunk in chunks:
                    if gone.done():
                        raise ClientGone
                    async with asyncio.timeout(STALLED_SECONDS):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            raise ClientGone from None
        finally:
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
