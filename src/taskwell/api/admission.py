"""The one door: who calls, whether the token allows it, and how often.

The gateway adds the rest for everybody: request id, time limit, errors and log line.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from starlette.responses import Response

from taskwell.api.call import RequestContext
from taskwell.errors import AppError, Forbidden, InsufficientScope
from taskwell.users.principal import Scope

Respond = Callable[[RequestContext], Awaitable[Response]]


async def admitted(call: RequestContext, scope: Scope, respond: Respond) -> Response:
    """The answer to a call that is let in.

    Raises:
        Unauthorized: there is no token; also the other errors of ``Identities.identify``.
        Forbidden: the path names another user, or the token does not allow this.
        TooManyRequests: the user has sent too many.
    """
    services = call.services
    call.caller = await services.identities.identify(call.headers(b"authorization"))
    user = call.user
    call.spaces = (call.own_space,) if user.may_see(user.user_id) else ()
    named = call.path_params.get("user_id")
    if named is not None and named != "me" and not user.is_named(named):
        raise Forbidden("The path names another user; use your own id.")
    if user.scopes is not None and scope not in user.scopes:
        raise InsufficientScope(scope)
    quota = await services.limits.request(user.user_id)
    try:
        response = await respond(call)
    except AppError as error:
        if quota is not None:
            error.headers = quota.headers | error.headers
        raise
    finally:
        if call.outdated:
            services.identities.forget(call.outdated)
    if quota is not None:
        response.headers.update(quota.headers)
    return response


@dataclass(frozen=True, slots=True)
class Handler:
    """Serves what is no JSON operation: a stream, a file, another protocol. ``Contract.handlers`` has its place.

    Attributes:
        respond: Answers an admitted call. The answer is called as an ASGI application, without a time limit.
    """

    path: str
    methods: Collection[str]
    scope: Scope
    respond: Respond

    async def serve(self, call: RequestContext) -> Response:
        call.body_limit = call.settings.max_body_bytes
        return await admitted(call, self.scope, self.respond)
