"""Content codings: which one a client prefers (RFC 9110 section 12.5.3), and an answer in it.

What may not be kept (tokens, accounts, errors) stays as it is: its length must not tell of its content. Levels are
those at which more effort saved less than it cost; see decision 0007.
"""

import asyncio
import re
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import brotli
from isal import isal_zlib
from starlette.responses import Response, StreamingResponse
from starlette.types import Scope

from taskwell.api.conditional import held_tag

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SMALLEST = 1024
"""A shorter answer fits into the packets that its headers need anyway."""

ON_THE_LOOP = 131_072
"""What is longer takes longer than to hand it to a thread."""

VARY = (b"vary", b"Accept-Encoding")

_ZSTD_LEVEL, _GZIP_LEVEL, _BROTLI_QUALITY = 1, 1, 3
_GZIP_WINDOW = 31
"""zlib's way to say: the largest window, and gzip's header and trailer."""

_WEIGHED = re.compile(r"\s*([\w!#$%&'*+.^`|~-]+)\s*(?:;\s*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?", re.ASCII)
_OTHER_TEXT = re.compile(rb"(?:application|image)/(?:[\w.-]+\+)?(?:json|javascript|xml)\b")

_REVISION = re.compile(rb'"\d+"')
"""The ETag of one task. Another coding would need another one, and clients are promised that it is the revision."""

Bytes = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Coding:
    """One content coding.

    Attributes:
        pack: A whole body at once.
        begin: For a body in pieces: what takes a piece, and what gives the end.
    """

    name: bytes
    pack: Bytes
    begin: Callable[[], tuple[Bytes, Callable[[], bytes]]]


_zstd_here = zstd.ZstdCompressor(_ZSTD_LEVEL)
"""For the event loop alone: making one takes as long as a third of its work."""


def _zstd(body: bytes) -> bytes:
    if len(body) > ON_THE_LOOP:
        return zstd.compress(body, _ZSTD_LEVEL)
    return _zstd_here.compress(body, _zstd_here.FLUSH_FRAME)


def _gzip(body: bytes) -> bytes:
    return isal_zlib.compress(body, _GZIP_LEVEL, _GZIP_WINDOW)


def _brotli(body: bytes) -> bytes:
    return cast(bytes, brotli.compress(body, quality=_BROTLI_QUALITY))


def _zstd_pieces() -> tuple[Bytes, Callable[[], bytes]]:
    packer = zstd.ZstdCompressor(_ZSTD_LEVEL)
    return packer.compress, packer.flush


def _gzip_pieces() -> tuple[Bytes, Callable[[], bytes]]:
    packer: Any = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW)
    return packer.compress, packer.flush


def _brotli_pieces() -> tuple[Bytes, Callable[[], bytes]]:
    packer = brotli.Compressor(quality=_BROTLI_QUALITY)
    return packer.process, packer.finish


CODINGS = (
    Coding(b"zstd", _zstd, _zstd_pieces),
    Coding(b"gzip", _gzip, _gzip_pieces),
    Coding(b"br", _brotli, _brotli_pieces),
)
"""The first of those that a client likes equally well is taken."""


async def encode(scope: Scope, response: Response) -> None:
    """Puts the response into the coding that the request prefers, where that is worth it."""
    if response.status_code == 304:
        _repeat_the_tag(scope, response)
    elif _is_worth_it(response) and (coding := _agreed(scope, response)) is not None:
        length = None
        if isinstance(response, StreamingResponse):
            chunks = cast(AsyncGenerator[bytes, None], response.body_iterator)
            response.body_iterator = _in_pieces(chunks, coding)
        else:
            response.body = await _packed(coding.pack, bytes(response.body))
            length = len(response.body)
        response.raw_headers = _encoded_headers(response, coding, length)


def preferred(accepted: str) -> Coding | None:
    """The coding for an Accept-Encoding; None to leave the answer as it is."""
    weights: dict[str, float] = {}
    for element in accepted.lower().split(","):
        if found := _WEIGHED.fullmatch(element):
            weights[found[1].removeprefix("x-")] = float(found[2] or 1)
    others = weights.get("*", 0.0)
    best = max(CODINGS, key=lambda each: weights.get(each.name.decode(), others))
    weight = weights.get(best.name.decode(), others)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


_remembered = lru_cache(maxsize=128)(preferred)
LONGEST_REMEMBERED = 128
"""Characters: a caller who writes another header each time takes little of our memory."""


def _agreed(scope: Scope, response: Response) -> Coding | None:
    """The coding of this answer, which from now on says that it depends on the request."""
    response.raw_headers.append(VARY)
    values = [value for name, value in scope["headers"] if name == b"accept-encoding"]
    if not values:
        return None
    accepted = b",".join(values).decode("latin-1")
    return (_remembered if len(accepted) <= LONGEST_REMEMBERED else preferred)(accepted)


def _is_worth_it(response: Response) -> bool:
    """Whether it is long, may be told in fewer bytes, and comes at once: an event arrives before there is another.

    A streamed file may be kept by nobody either, but nothing that the request says is in it.
    """
    is_file = isinstance(response, StreamingResponse)
    if not is_file and len(response.body) <= SMALLEST:
        return False
    headers = dict(response.raw_headers)
    media_type = headers.get(b"content-type", b"")
    if b"content-encoding" in headers or media_type.startswith(b"text/event-stream"):
        return False
    if _REVISION.fullmatch(headers.get(b"etag", b"")):
        return False
    if not is_file and b"no-store" in headers.get(b"cache-control", b""):
        return False
    return media_type.startswith((b"application/json", b"text/")) or _OTHER_TEXT.match(media_type) is not None


def _encoded_headers(response: Response, coding: Coding, length: int | None) -> list[tuple[bytes, bytes]]:
    """Another coding is another representation, whose strong ETag is another too (RFC 9110 section 8.8.1)."""
    headers = [(b"content-encoding", coding.name)]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    for name, value in response.raw_headers:
        if name == b"etag":
            headers.append((name, b'%s.%s"' % (value[:-1], coding.name)))
        elif name != b"content-length":
            headers.append((name, value))
    return headers


async def _packed(pack: Bytes, body: bytes) -> bytes:
    return pack(body) if len(body) <= ON_THE_LOOP else await asyncio.to_thread(pack, body)


async def _in_pieces(chunks: AsyncGenerator[bytes, None], coding: Coding) -> AsyncGenerator[bytes, None]:
    pack, finish = coding.begin()
    async with aclosing(chunks):
        async for chunk in chunks:
            if piece := await _packed(pack, chunk):
                yield piece
    yield finish()


def _repeat_the_tag(scope: Scope, response: Response) -> None:
    """Answers with the very tag that the client sent, coding included: it knows which of its copies is good."""
    response.raw_headers.append(VARY)
    tag = response.headers.get("etag")
    if tag is not None and (held := held_tag(scope, tag)) is not None:
        response.headers["etag"] = held
