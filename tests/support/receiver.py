"""A real HTTP server that keeps what it gets."""

import asyncio
from dataclasses import dataclass, field
from typing import Self


@dataclass
class Receiver:
    """Keeps every request; answers with ``status`` after ``pause`` seconds, and after ``permission`` if it is set."""

    status: str = "204 No Content"
    pause: float = 0.0
    permission: asyncio.Event | None = None
    extra: bytes = b""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?of=ada"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append((request, headers, body))
        await asyncio.sleep(self.pause)
        if self.permission is not None:
            await self.permission.wait()
        writer.write(f"HTTP/1.1 {self.status}\r\nConnection: close\r\nContent-Length: 0\r\n".encode())
        writer.write(self.extra + b"\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
