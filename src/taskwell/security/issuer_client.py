"""HTTP to those who issue tokens: short answers, soon, from where they were asked for."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

FETCH_SECONDS = 4.0
MAX_BYTES = 262_144
MAX_REDIRECTS = 3
_PLAIN = {"Accept": "application/json", "Accept-Encoding": "identity"}


class IssuerClient:
    """A client that is made at its first request, so that who needs none imports none."""

    def __init__(self) -> None:
        self._client: httpx2.AsyncClient | None = None

    async def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> bytes:
        """What is there; redirects are followed within the origin.

        Raises:
            ValueError: it is not to be had there.
            httpx2.HTTPError: nobody answers.
            TimeoutError: the answer takes too long.
        """
        client = await self._made()
        request = client.build_request("GET", url, headers=_PLAIN | dict(headers or {}))
        origin = _origin(request.url)
        async with asyncio.timeout(FETCH_SECONDS):
            for _ in range(1 + MAX_REDIRECTS):
                response = await client.send(request, stream=True)
                async with aclosing(response):
                    if response.next_request is None:
                        if response.status_code != 200:
                            raise ValueError(f"the answer is {response.status_code}")
                        return await _content(response)
                request = response.next_request
                if _origin(request.url) != origin:
                    raise ValueError(f"it redirects to another origin, at {request.url.host}")
        raise ValueError(f"it redirects more than {MAX_REDIRECTS} times")

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, bytes]:
        """The status and the content of the answer to a form.

        Raises:
            ValueError: the answer is too long.
            httpx2.HTTPError: nobody answers.
            TimeoutError: the answer takes too long.
        """
        client = await self._made()
        request = client.build_request("POST", url, data=dict(form), headers=_PLAIN | dict(headers))
        async with asyncio.timeout(FETCH_SECONDS):
            response = await client.send(request, stream=True)
            async with aclosing(response):
                return response.status_code, await _content(response)

    async def _made(self) -> "httpx2.AsyncClient":
        if self._client is None:
            self._client = await asyncio.to_thread(_new_client)
        return self._client


def _new_client() -> "httpx2.AsyncClient":
    """In a thread: the import and reading the system's certificates take longer than a request may wait."""
    import httpx2  # noqa: PLC0415

    return httpx2.AsyncClient(timeout=FETCH_SECONDS, limits=httpx2.Limits(max_keepalive_connections=0))


def _origin(url: "httpx2.URL") -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _content(response: "httpx2.Response") -> bytes:
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MAX_BYTES:
            raise ValueError(f"the answer is longer than {MAX_BYTES} bytes")
    return bytes(content)
