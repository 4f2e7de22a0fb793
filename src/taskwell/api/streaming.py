"""Responses that are sent while they are made, for what may be larger than memory."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import cast

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from taskwell.api.call import ClientGone, RequestContext

STALLED_SECONDS = 30.0
"""A reader that takes nothing for this long is given up."""


async def streamed(
    call: RequestContext, chunks: AsyncGenerator[bytes, None], *, headers: Mapping[str, str], media_type: str
) -> Response:
    """A response of these chunks, of which the first is made at once: what fails there is still answered properly.

    Few are sent at a time, since each may hold a database connection for as long as its reader takes.
    """
    waiting = _in_turn(call.services.streams, chunks)
    first = await anext(waiting)
    return _Streamed(_beginning_with(first, waiting), headers=headers, media_type=media_type)


async def _in_turn(turns: asyncio.Semaphore, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with turns, aclosing(chunks):
        async for chunk in chunks:
            yield chunk


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
            async with aclosing(cast(AsyncGenerator[bytes, None], self.body_iterator)) as chunks:
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
