"""Content codings: which one a client prefers (RFC 9110 section 12.5.3), and an answer in it.

What may not be kept (tokens, accounts, errors) stays as it is: its length must not tell of its content. Levels are
those at which more effort saved less than it cost; see decision 0007.
"""

import asyncio
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import lru_cache
from typing import Any, cast

from isal import isal_zlib
from starlette.responses import Response, StreamingResponse
from starlette.types import Scope

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SMALLEST = 1024
"""A shorter answer fits into the packets that its headers need anyway."""

ON_THE_LOOP = 131_072
"""What is longer takes longer than to hand it to a thread."""

CODINGS = ("zstd", "gzip")
"""The first of those that a client likes equally well is taken."""

_ZSTD_LEVEL, _GZIP_LEVEL = 1, 1
_GZIP_WINDOW = 31
"""zlib's way to say: the largest window, and gzip's header and trailer."""

_WEIGHED = re.compile(r"\s*([\w!#$%&'*+.^`|~-]+)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?", re.ASCII)
_TEXT = re.compile(rb"text/(?!event-stream)|(?:application|image)/(?:[\w.-]+\+)?(?:json|javascript|xml)\b")

_zstd_here = zstd.ZstdCompressor(_ZSTD_LEVEL)
"""For the event loop alone: making one takes as long as a third of its work."""


async def encode(scope: Scope, response: Response) -> None:
    """Puts the response into the coding that the request prefers, where that is worth it."""
    is_worth_it = _is_worth_it(response)
    if is_worth_it or response.status_code == 304:
        response.raw_headers.append((b"vary", b"Accept-Encoding"))
    accepted = [value for name, value in scope["headers"] if name == b"accept-encoding"]
    if not is_worth_it or not accepted or (coding := preferred(b",".join(accepted))) is None:
        return
    response.raw_headers = [each for each in response.raw_headers if each[0] != b"content-length"]
    response.raw_headers.append((b"content-encoding", coding.encode()))
    if isinstance(response, StreamingResponse):
        response.body_iterator = _in_pieces(cast(AsyncGenerator[bytes, None], response.body_iterator), coding)
        return
    pack = _PACKED[coding]
    body = bytes(response.body)
    response.body = pack(body) if len(body) <= ON_THE_LOOP else await asyncio.to_thread(pack, body)
    response.raw_headers.append((b"content-length", b"%d" % len(response.body)))


@lru_cache(maxsize=128)
def preferred(accepted: bytes) -> str | None:
    """The coding for an Accept-Encoding; None to leave the answer as it is."""
    weights: dict[str, float] = {}
    for element in accepted.decode("latin-1").lower().split(","):
        if found := _WEIGHED.fullmatch(element):
            weights[found[1].removeprefix("x-")] = float(found[2] or 1)
    weighed = {each: weights.get(each, weights.get("*", 0.0)) for each in CODINGS}
    best = max(CODINGS, key=weighed.__getitem__)
    return best if weighed[best] > 0 and weighed[best] >= weights.get("identity", 0.0) else None


def _is_worth_it(response: Response) -> bool:
    """Whether it is long, and may be told in fewer bytes: a strong ETag stands for these very bytes.

    A streamed file may be kept by nobody either, but nothing that the request says is in it.
    """
    is_file = isinstance(response, StreamingResponse)
    if not is_file and len(response.body) <= SMALLEST:
        return False
    headers = dict(response.raw_headers)
    if b"content-encoding" in headers or headers.get(b"etag", b"").startswith(b'"'):
        return False
    if not is_file and b"no-store" in headers.get(b"cache-control", b""):
        return False
    return _TEXT.match(headers.get(b"content-type", b"")) is not None


def _zstd(body: bytes) -> bytes:
    if len(body) > ON_THE_LOOP:
        return zstd.compress(body, _ZSTD_LEVEL)
    return _zstd_here.compress(body, _zstd_here.FLUSH_FRAME)


def _gzip(body: bytes) -> bytes:
    return isal_zlib.compress(body, _GZIP_LEVEL, _GZIP_WINDOW)


_PACKED = {"zstd": _zstd, "gzip": _gzip}


async def _in_pieces(chunks: AsyncGenerator[bytes, None], coding: str) -> AsyncGenerator[bytes, None]:
    packer: Any = (
        zstd.ZstdCompressor(_ZSTD_LEVEL)
        if coding == "zstd"
        else isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW)
    )
    async with aclosing(chunks):
        async for chunk in chunks:
            is_short = len(chunk) <= ON_THE_LOOP
            if piece := packer.compress(chunk) if is_short else await asyncio.to_thread(packer.compress, chunk):
                yield piece
    yield packer.flush()
