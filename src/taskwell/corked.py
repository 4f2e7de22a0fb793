"""uvicorn's HTTP protocol, with three additions: one write for an answer, limits for a head, and a clean close.

uvicorn writes the head and the body of an answer separately: two system calls, and two packets.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_HELD_BYTES = 64 * 1024
"""From this size on, data is written at once, such as the parts of an export."""

MAX_HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 20.0
"""The time limit for a request's head, and for the first byte of a new connection."""

MAX_DROPPED_BYTES = 8 * 1024 * 1024
DROP_SECONDS = 5.0
"""After an answer, the rest of a body is read and dropped for so long, so that the client can read the answer."""


class CorkedTransport(asyncio.Transport):
    """Collects writes until the event loop's next turn, as ``TCP_CORK`` would with one more system call."""

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, end: Callable[[], None] | None = None
    ) -> None:
        """Wraps a transport.

        Args:
            end: Called instead of the transport's ``close``, after all collected data is written.
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
        if self._size >= MAX_HELD_BYTES:
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

    # The other methods are passed on unchanged.

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
    """uvicorn's protocol over a ``CorkedTransport``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._raw = transport
        self._is_in_head = False
        self._is_received = True  # whether the last request was received completely
        self._fed = 0
        self._no_body = 0  # bytes since the last byte of a body: of a head, trailers or between chunks
        self._to_drop: int | None = None  # bytes that may still come after the answer
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
        """Whether the server receives a body or answers."""
        return not self._is_received or not self._is_answered()

    def _is_answered(self) -> bool:
        return bool(getattr(self.cycle, "response_complete", True))  # before the first request there is no cycle

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True
        self._no_body = -self._fed  # the bytes before it in this data belong to the previous request

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

    # Closing

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
        """Closes the connection. A client that still sends gets time to read the answer first."""
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
