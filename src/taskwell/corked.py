"""uvicorn's HTTP protocol with answers in one piece, limits for a request's head, and an end that clients can read.

uvicorn writes the head and the body of an answer apart: two system calls, and two packets.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

ENOUGH = 64 * 1024
"""Bytes that are not held any longer: those of an export, say, which comes in many parts."""

MAX_HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 20.0
"""How long a head may take; also how long a new connection may stay silent."""

MAX_DROPPED_BYTES = 8 * 1024 * 1024
DROP_SECONDS = 5.0
"""How much is read and dropped after the answer, so that a client that still sends gets to read it."""


class CorkedTransport(asyncio.Transport):
    """Holds what is written until the event loop comes round, as ``TCP_CORK`` would with a system call more."""

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, end: Callable[[], None] | None = None
    ) -> None:
        """Args:
        end: Is called in place of the transport's own ``close``, after everything held is written.
        """
        self._transport = transport
        self._loop = loop
        self._end = end or transport.close
        self._is_closing = False
        self._held: list[bytes | bytearray | memoryview] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._held:
            self._loop.call_soon(self._uncork)
        self._held.append(data)
        self._size += len(data)
        if self._size >= ENOUGH:
            self._uncork()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for each in list_of_data:
            self.write(each)

    def close(self) -> None:
        if not self._is_closing:
            self._uncork()
            self._is_closing = True
            self._end()

    def _uncork(self) -> None:
        held, self._held, self._size = self._held, [], 0
        if held and not self.is_closing():
            self._transport.writelines(held)

    def is_closing(self) -> bool:
        return self._is_closing or self._transport.is_closing()

    # The rest as it is.

    def abort(self) -> None:
        self._transport.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._transport.set_protocol(protocol)


class CorkedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which never learns that what it writes is held for a moment."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._raw = transport
        self._is_in_head = False
        self._is_received = True  # the last request, to its end
        self._fed = 0
        self._no_body = 0  # bytes of a head, of trailers or between chunks since a body's last
        self._to_drop: int | None = None  # once the answer is complete and the request is not
        super().connection_made(CorkedTransport(transport, self.loop, self._close))
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(HEAD_SECONDS, self._raw.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._to_drop is not None:
            self._to_drop -= len(data)
            if self._to_drop < 0:
                self._raw.abort()
        if self.transport.is_closing():
            return
        self._fed = len(data)
        super().data_received(data)
        if self._is_in_head or not self._is_received:
            self._no_body += len(data)
            if self._no_body > MAX_HEAD_BYTES:
                self._refuse()
        if self._timer is None and self.timeout_keep_alive_task is None and not self._is_busy():
            self._timer = self.loop.call_later(HEAD_SECONDS, self._raw.close)

    def _is_busy(self) -> bool:
        """Whether a request is being received after its head, or answered."""
        return not self._is_received or not self._is_answered()

    def _is_answered(self) -> bool:
        return bool(getattr(self.cycle, "response_complete", True))  # before the first request there is no cycle

    # What the parser tells

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True
        self._no_body = -self._fed  # what stands before it in the same data belongs to another request

    def on_headers_complete(self) -> None:
        self._is_in_head = self._is_received = False
        self._stop_timer()
        if len(self.url) + sum([len(name) + len(value) + 4 for name, value in self.headers]) > MAX_HEAD_BYTES:
            self._refuse()
        else:
            super().on_headers_complete()
            self.headers = []  # trailers go here: they must neither sign in nor name an address (RFC 9110, 6.5.1)

    def on_body(self, body: bytes) -> None:
        self._no_body = -self._fed
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_received = True
        if self._to_drop is not None:
            self._to_drop = None
            self._stop_timer()
        if not self.transport.is_closing():
            super().on_message_complete()

    # How it ends

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_received and self._is_answered() and not self.transport.is_closing():
            self._drop()

    def _refuse(self) -> None:
        if not self._is_answered():
            self._raw.abort()  # another answer is on its way, or this request's own
            return
        text = b"The head of the request is too large."
        fields = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[431] + fields % len(text) + text)
        self.transport.close()

    def _close(self) -> None:
        """Closes; where the client still sends, after it had the chance to read the answer."""
        if self._is_in_head or not self._is_received:
            self._raw.write_eof()
            self._raw.resume_reading()
            self._drop()
        else:
            self._raw.close()

    def _drop(self) -> None:
        self._stop_timer()
        self._to_drop = MAX_DROPPED_BYTES
        self._timer = self.loop.call_later(DROP_SECONDS, self._raw.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
