"""What an operation gets to see of its request."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import Depends
from starlette.types import Receive, Scope

from taskwell.api.identity import Identities
from taskwell.api.journal import SecurityJournal
from taskwell.api.limits import Limits
from taskwell.database import Database, Lane
from taskwell.errors import InvalidHeader, TooLarge, Unauthorized, UnsupportedMediaType
from taskwell.settings import Settings
from taskwell.spaces import SpaceAccess
from taskwell.spaces.rules import no_such_space
from taskwell.users import Caller
from taskwell.users.principal import Principal

if TYPE_CHECKING:
    from taskwell.security.providers import Providers

STREAMS = 3


@dataclass(slots=True)
class Services:
    """What all requests of a process share.

    Attributes:
        schema: The revision that this version's schema has.
        providers: By whom people sign in; None where no provider is set.
        streams: The turns of exports that are being made, each with a database connection.
        streaming: The users who are reading an export.
        is_ready: Set once everything is open, unset when the process begins to drain.
    """

    settings: Settings
    database: Database
    identities: Identities
    limits: Limits
    journal: SecurityJournal
    schema: str
    providers: "Providers | None" = None
    streams: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(STREAMS))
    streaming: set[str] = field(default_factory=set)
    is_ready: bool = False


@dataclass(slots=True)
class RequestContext:
    """One request.

    Attributes:
        lane: Where the verbs run: the database, or the one transaction of an idempotent request.
        is_trial: Whether all that it does is taken back.
        outdated: What the request makes wrong of ``Identities``; it is forgotten once the request is committed.
        spaces: Whose things the operation is about; none where the token may not see its user's own.
        named_space: What ``?space=`` says.
        shown: The shared spaces that the answer is about; a repeat of it asks whether the caller still sees them.
    """

    scope: Scope
    receive: Receive
    services: Services
    path_params: dict[str, str]
    request_id: str
    lane: Lane
    caller: Caller | None = None
    body_limit: int = 0
    raw_body: bytes | None = field(default=None, repr=False)
    outdated: set[str] = field(default_factory=set)
    is_trial: bool = False
    spaces: tuple[SpaceAccess, ...] = ()
    named_space: str | None = None
    shown: set[str] = field(default_factory=set)

    @property
    def user(self) -> Principal:
        """The caller, of an operation that needs one."""
        return self._known_caller.actor

    @property
    def space(self) -> SpaceAccess:
        """Whose things the operation is about."""
        if not self.spaces:
            raise no_such_space()
        (space,) = self.spaces
        return space

    @property
    def own_space(self) -> SpaceAccess:
        """The caller's own."""
        return self._known_caller.space

    @property
    def _known_caller(self) -> Caller:
        if self.caller is None:
            raise Unauthorized
        return self.caller

    @property
    def settings(self) -> Settings:
        return self.services.settings

    @property
    def base_path(self) -> str:
        """The path as the caller reached it, percent-encoded, without a trailing slash."""
        return self.settings.root_path + quote(raw_path(self.scope).rstrip(b"/"), safe="/-._~:@!$&'()*+,;=%")

    def address_of(self, thing_id: str) -> str:
        """Where to find a thing that was made here."""
        query = f"?space={self.named_space}" if self.named_space else ""
        return f"{self.base_path}/{thing_id}{query}"

    def link_to_next(self, name: str, value: object | None) -> dict[str, str]:
        """The header Link to the same request with this value of a query parameter; none where that is None.

        It is a path, so that it is right behind any proxy.
        """
        if value is None:
            return {}
        query = self.scope["query_string"].decode("latin-1")
        kept = [part for part in query.split("&") if part and not part.startswith(f"{name}=")]
        return {"Link": f'<{self.base_path}?{"&".join([*kept, f"{name}={value}"])}>; rel="next"'}

    def headers(self, name: bytes) -> list[bytes]:
        """Every value of a header, whose name is given in lower case."""
        return [value for key, value in self.scope["headers"] if key == name]

    def header(self, name: bytes) -> str | None:
        """The one value of a header.

        Raises:
            InvalidHeader: it was sent more than once.
        """
        values = self.headers(name)
        if len(values) > 1:
            raise InvalidHeader(f"Send the header {name.decode().title()} once.")
        return values[0].decode("latin-1").strip() if values else None

    async def body(self) -> bytes:
        """The whole body, read once.

        Raises:
            TooLarge: it is longer than the operation takes, whether it said so or came in chunks.
            UnsupportedMediaType: it is compressed.
        """
        if self.raw_body is None:
            self.raw_body = await self._read()
        return self.raw_body

    async def _read(self) -> bytes:
        limit = self.body_limit
        announced = self.headers(b"content-length")
        if announced and announced[0].isdigit() and int(announced[0][:20]) > limit:
            raise _too_large(limit)
        chunks = bytearray()
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunks += message.get("body", b"")
            if len(chunks) > limit:
                raise _too_large(limit)
            if not message.get("more_body", False):
                break
        if chunks and any(coding.strip().lower() != b"identity" for coding in self.headers(b"content-encoding")):
            raise UnsupportedMediaType(
                "Send the body as it is: one with Content-Encoding is not taken.",
                headers={"Accept-Encoding": "identity"},
            )
        return bytes(chunks)

    def within(self, lane: Lane) -> "RequestContext":
        """The same request, with its verbs on another lane."""
        return replace(self, lane=lane)


def raw_path(scope: Scope) -> bytes:
    """The path before it was decoded; a server need not tell it."""
    return scope.get("raw_path") or quote(scope["path"]).encode()


class ClientGone(Exception):
    """The connection ended before the request did; there is nobody to answer."""


def _too_large(limit: int) -> TooLarge:
    # The connection closes, since nobody knows how much is still to come.
    return TooLarge(f"The body may hold {limit} bytes at most.", headers={"Connection": "close"})


def _in_the_signature() -> None:
    """``Operation`` passes the call itself; FastAPI only has to know that it is not a parameter."""


Call = Annotated[RequestContext, Depends(_in_the_signature)]
Step = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Beforehand:
    """A step that makes an argument of the endpoint: ``value: Annotated[SomeType, Depends(Beforehand(step))]``.

    It is given the query and the body, with a call whose lane is the database, and changes nothing there. It may
    take long, such as hashing: it comes before the transaction of an ``Idempotency-Key``.

    Attributes:
        header: The header that it reads, for the OpenAPI document.
    """

    step: Step
    header: str | None = None

    def __call__(self) -> None:
        """To FastAPI it is a dependency that takes nothing from the request."""
