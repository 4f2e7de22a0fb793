"""One HTTP operation: a FastAPI route whose request is judged in the order that CONTRACTS promises.

FastAPI reads the endpoint's signature for the OpenAPI document. At run time the signature is taken apart once,
and a request costs what its own parameters cost: token (401), path user (403), rate (429), query and body
(400, 415, 422), then the endpoint. It calls one verb, one unit of work: where the database has ended that to
break a deadlock, it is retried from the query on. The endpoint is an ordinary async function that takes

- ``call: Call``,
- ``query: Annotated[SomeModel, Query()]``,
- ``body: SomeModel`` or ``body: SomeModel | None = None``,
- its path parameters by name,
- ``value: Annotated[SomeType, Depends(Beforehand(step))]``, which the step makes of the others, such as
  ``if_match: IfMatch``,

and returns a ``Response``, or an ``Answer`` whose type names the headers that it gives.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, cast, get_type_hints

from fastapi.params import Depends, Form
from fastapi.params import Query as QueryParam
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response

from taskwell.api.admission import admitted
from taskwell.api.answers import Answer
from taskwell.api.bodies import form_fields, is_form, parse_form, parse_json, parse_query, validated
from taskwell.api.call import Beforehand, RequestContext, Step
from taskwell.api.conditional import refuses_whatever_exists
from taskwell.api.idempotency import Work, once
from taskwell.database import retry_deadlocks
from taskwell.errors import AppError, Invalid, NotFound, PreconditionFailed
from taskwell.settings import Settings
from taskwell.tasks.fields import UUID
from taskwell.users.principal import Scope

Endpoint = Callable[..., Awaitable[Response | Answer]]


class Operation(APIRoute):
    """An operation of a signed-in caller."""

    methods: set[str]
    needs_principal = True
    is_strict = True
    """Whether a query parameter that the operation does not know is refused."""

    scope: Scope | None = None
    """What a token must allow, where that does not follow from the method."""

    takes_forms = False
    """Whether a form may carry what is a JSON body elsewhere."""

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.signature = _Signature(endpoint)
        self.needs_scope: Scope = self.scope or ("read" if self.methods == {"GET"} else "write")
        self.takes_key = self.needs_principal and "POST" in self.methods

    def body_limit(self, settings: Settings) -> int:
        """How many bytes a body may have."""
        return settings.max_body_bytes

    async def serve(self, call: RequestContext) -> Response:
        """Answers one request.

        Raises:
            AppError: as its verb or the parsing of its parameters says.
        """
        call.body_limit = self.body_limit(call.settings)
        if self.needs_principal:
            return await admitted(call, self.needs_scope, self._answer_admitted)
        return await retry_deadlocks(lambda: self._answer(call))

    async def _answer_admitted(self, call: RequestContext) -> Response:
        return await retry_deadlocks(lambda: self._answer_once(call))

    async def _answer_once(self, call: RequestContext) -> Response:
        if refuses_whatever_exists(call):
            return await self._try(call)
        if self.takes_key and (key := call.header(b"idempotency-key")) is not None:
            return await once(call, key, self._ready)
        return await self._answer(call)

    async def _try(self, call: RequestContext) -> Response:
        """Does the work and takes it back: where it would have succeeded, there is what the caller wants untouched.

        The precondition is the last thing to be judged (RFC 9110 section 13.2.1), and so no verb has to know of it.
        """
        work = await self._ready(call)
        async with call.services.database.transaction() as transaction:
            await work(replace(call.within(transaction), is_trial=True))
            raise PreconditionFailed("If-None-Match: * refuses a change of what exists, so nothing was changed.")

    async def _answer(self, call: RequestContext) -> Response:
        return await self._work(call, await self._arguments(call))

    async def _ready(self, call: RequestContext) -> Work:
        arguments = await self._arguments(call)
        return lambda call: self._work(call, arguments)

    async def _work(self, call: RequestContext, arguments: dict[str, Any]) -> Response:
        answer = await cast(Endpoint, self.endpoint)(call=call, **arguments)
        return answer if isinstance(answer, Response) else answer.response(call, self.status_code or 200)

    async def _arguments(self, call: RequestContext) -> dict[str, Any]:
        signature = self.signature
        arguments: dict[str, Any] = {}
        name, model = signature.query
        query = parse_query(model, call.scope["query_string"], is_strict=self.is_strict)
        if name is not None:
            arguments[name] = query
        if signature.body is not None:
            name, model, is_optional = signature.body
            arguments[name] = await self._body(call, model, is_optional=is_optional)
        elif signature.form is not None:
            name, model = signature.form
            arguments[name] = parse_form(model, await call.body(), call.headers(b"content-type"))
        refusal = await self._enter(call, query)
        for name, step in signature.steps:
            arguments[name] = await step(call=call, **arguments)
        if refusal is not None:
            raise refusal
        for name in signature.path:
            arguments[name] = _path_value(name, call.path_params)
        return arguments

    async def _enter(self, call: RequestContext, query: Any) -> AppError | None:
        """What an operation has to know of the caller before it is done; gives why they may not do it."""
        return None

    async def _body(self, call: RequestContext, model: type[BaseModel], *, is_optional: bool) -> BaseModel | None:
        raw = await call.body()
        if raw and self.takes_forms and is_form(call.headers(b"content-type")):
            value = await form_fields(raw, call.headers(b"content-type"))
            return validated(model, value, "body", is_strict=self.is_strict)
        if raw:
            value = parse_json(raw, call.headers(b"content-type"), is_strict=self.is_strict)
            return validated(model, value, "body", is_strict=self.is_strict)
        if is_optional:
            return None
        raise Invalid.field("", "A JSON body is required.", "missing")


class AccountOperation(Operation):
    """An operation on the account itself, which no personal token reaches."""

    scope = "account"


class PublicOperation(Operation):
    """An operation of anybody."""

    needs_principal = False


class LenientOperation(Operation):
    """An operation of a contract whose clients send query parameters that it does not know."""

    is_strict = False


class LenientAccountOperation(LenientOperation):
    scope = "account"


class LenientPublicOperation(LenientOperation):
    needs_principal = False


class LenientFormOperation(LenientPublicOperation):
    takes_forms = True


class NoParameters(BaseModel):
    """The query of an operation that has none."""


class _Signature:
    """What an endpoint takes, by kind, and the headers that it takes and gives."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.query: tuple[str | None, type[BaseModel]] = (None, NoParameters)
        self.form: tuple[str, type[BaseModel]] | None = None
        self.body: tuple[str, type[BaseModel], bool] | None = None
        self.path: list[str] = []
        self.steps: list[tuple[str, Step]] = []
        self.headers: set[str] = set()
        hints = get_type_hints(endpoint, include_extras=True)
        self.gives: tuple[str, ...] = getattr(hints["return"], "gives", ())
        for name, parameter in inspect.signature(endpoint).parameters.items():
            hint = hints[name]
            marks = getattr(hint, "__metadata__", ())
            base = hint.__origin__ if marks else hint
            if depends := [mark for mark in marks if isinstance(mark, Depends)]:
                if isinstance(made := depends[0].dependency, Beforehand):
                    self.steps.append((name, made.step))
                    self.headers |= {made.header} if made.header else set()
            elif any(isinstance(mark, QueryParam) for mark in marks):
                self.query = (name, base)
            elif any(isinstance(mark, Form) for mark in marks):
                self.form = (name, base)
            elif (model := _model_in(base)) is not None:
                self.body = (name, model, parameter.default is None)
            else:
                self.path.append(name)


def _model_in(hint: Any) -> type[BaseModel] | None:
    candidates = getattr(hint, "__args__", (hint,))
    return next((each for each in candidates if inspect.isclass(each) and issubclass(each, BaseModel)), None)


def _path_value(name: str, values: Mapping[str, str]) -> str:
    """An id that is not a UUID names nothing."""
    value = values[name]
    if "\x00" in value:
        raise NotFound("There is nothing at this address.")
    if not name.endswith("_id") or name == "user_id":
        return value
    if not UUID.fullmatch(value):
        raise NotFound(f"There is no such {name.removesuffix('_id')}.")
    return value.lower()
