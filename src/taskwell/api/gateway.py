"""The ASGI application: what every request passes, whichever contract it speaks.

One function does what a stack of middleware would: request id, routing, CORS, security headers, the time limit,
errors, and the request's log line, count and span. It is pure ASGI, and it is where the order of these can be read.
"""

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from taskwell.api import metrics
from taskwell.api.call import ClientGone, RequestContext, Services, raw_path
from taskwell.api.client_address import client_address
from taskwell.api.compression import encode
from taskwell.api.cors import VARY, Cors
from taskwell.api.hosts import Hosts
from taskwell.api.problems import Internal
from taskwell.api.routing import Match, Switchboard, Target
from taskwell.api.time_limit import TimeLimit
from taskwell.database import new_id
from taskwell.errors import AppError, InvalidToken, MethodNotAllowed, NotFound, TimedOut, Unavailable
from taskwell.observability import logs, tracing
from taskwell.observability.metrics import request_duration
from taskwell.settings import InvalidSettings, Settings

log = structlog.get_logger("taskwell.http")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")

SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
]
POLICY = (
    b"content-security-policy",
    b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")

Lifespan = Callable[[], AbstractAsyncContextManager[Services]]


class Gateway:
    """Taskwell as an ASGI application."""

    def __init__(self, settings: Settings, switchboard: Switchboard, lifespan: Lifespan) -> None:
        self.settings = settings
        self._switchboard = switchboard
        self._lifespan = lifespan
        self._cors = Cors(self._respond, settings.allowed_origins)
        self._hosts = Hosts(settings.allowed_hosts)
        self._time_limit = TimeLimit(settings.request_timeout_seconds)
        self._headers = [*SECURITY_HEADERS, *([HSTS] if settings.is_production else [])]
        self._write_request = logs.request_writer(settings)
        self.services: Services | None = None
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and tracing.tracer is not None:
            with tracing.request_span(scope):
                await self._serve(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request_id = _request_id(scope)
        bind_contextvars(request_id=request_id)
        is_head = scope["method"] == "HEAD"
        is_cross_origin = any(name == b"origin" for name, _ in scope["headers"])
        status = 0

        async def send_complete(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(message["headers"], request_id)
                if not is_cross_origin:
                    message["headers"].append(VARY)
            elif is_head:
                message = {
                    "type": "http.response.body",
                    "body": b"",
                    "more_body": message.get("more_body", False),
                }
            await send(message)

        match = self._switchboard.find(scope["method"], raw_path(scope))
        target = match.operations.get("GET" if is_head else scope["method"])
        call = self._call(scope, receive, match, target, request_id)
        scope["taskwell"] = (match, target, call, request_id)
        self.in_flight += 1
        try:
            respond = self._cors if is_cross_origin else self._respond
            await respond(scope, receive, send_complete)
        except ClientGone:
            status = 499
        finally:
            self.in_flight -= 1
            user_id = call.user.user_id if call and call.caller else None
            seconds = time.perf_counter() - started
            self._account(scope["method"], target, status, seconds, user_id=user_id, request_id=request_id)

    def _account(
        self, method: str, target: Target | None, status: int, seconds: float, *, user_id: str | None, request_id: str
    ) -> None:
        """Writes down how the request went; only an operation's method is one of a short list."""
        route = target.template if target else None
        request_duration(method if target else "", route or "", status).observe(seconds)
        self._write_request(
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 2),
            user_id=user_id,
            request_id=request_id,
        )
        if tracing.tracer is not None:
            tracing.describe_request(method, route, status, request_id)

    def _call(
        self, scope: Scope, receive: Receive, match: Match, target: Target | None, request_id: str
    ) -> RequestContext | None:
        """The request for its operation; None where there is none, or not yet anything to serve it with."""
        if target is None or self.services is None:
            return None
        services = self.services
        return RequestContext(scope, receive, services, match.path_params(target), request_id, services.database)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        # It leaves the scope, to which the call refers: a cycle would be for the garbage collector to find.
        response = await self._answer(scope, *scope.pop("taskwell"))
        if self.settings.compression:
            await encode(scope, response)
        await response(scope, receive, send)

    async def _answer(
        self, scope: Scope, match: Match, target: Target | None, call: RequestContext | None, request_id: str
    ) -> Response:
        try:
            self._hosts.check(scope)
            if target is None:
                raise _no_operation(scope, match)
            if call is None:
                raise Unavailable("The service is starting; try again shortly.")
            with self._time_limit.turn():
                return await target.operation.serve(call)
        except AppError as error:
            if error.status >= 500:
                logs.write_unserved(error)
            if isinstance(error, InvalidToken) and self.services is not None:
                self.services.journal.token_refused(client_address(scope))
            return match.contract.render(error, request_id)
        except TimeoutError:
            return match.contract.render(TimedOut("The request took too long and was stopped."), request_id)
        except ClientGone:
            raise
        except Exception:
            log.exception("unexpected error")
            return match.contract.render(Internal(), request_id)

    def _complete(self, headers: list[tuple[bytes, bytes]], request_id: str) -> None:
        """Adds what every response has; an operation's own policy (that of a page) stays."""
        if not any(name == b"content-security-policy" for name, _ in headers):
            headers.append(POLICY)
        headers += self._headers
        headers.append((b"x-request-id", request_id.encode()))

    def drain(self) -> None:
        """From now on nobody is sent here any more, and whoever has a connection is asked to leave it."""
        if self.services is not None:
            self.services.is_ready = False
        self._headers = [*self._headers, (b"connection", b"close")]

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[Services]:
        """Opens the services; when the block ends, stops being ready and closes them."""
        async with self._lifespan() as services, metrics.refreshing_gauges(services, lambda: self.in_flight):
            self.services = services
            services.is_ready = True
            try:
                yield services
            finally:
                services.is_ready = False
                self.services = None

    async def _live(self, receive: Receive, send: Send) -> None:
        """The lifespan as an ASGI server asks for it."""
        await receive()
        phase = "startup"
        try:
            async with self.lifespan():
                await send({"type": "lifespan.startup.complete"})
                await receive()
                phase = "shutdown"
        except (AppError, InvalidSettings, OSError) as error:  # what an operator can fix is one line
            await send({"type": f"lifespan.{phase}.failed", "message": str(error)})
            return
        except Exception as error:
            log.exception("unexpected error")
            await send({"type": f"lifespan.{phase}.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})


def _no_operation(scope: Scope, match: Match) -> AppError:
    if not match.operations:
        return NotFound("There is nothing at this address.")
    methods = set(match.operations) | ({"HEAD"} if "GET" in match.operations else set())
    return MethodNotAllowed(scope["method"], sorted(methods))


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return str(value.decode())
    return new_id()
