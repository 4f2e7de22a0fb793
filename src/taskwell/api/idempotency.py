"""Idempotency-Key: a POST that is sent again gets the first answer again, and does nothing twice.

The answer is stored in the transaction of the work itself: either both are there or neither. While a request
runs, its key is held by a lock that ends with the transaction, and so with the process or the connection. On SQLite
nobody else writes meanwhile, so whatever can be got ready before is.
"""

import re
from collections.abc import Awaitable, Callable
from hashlib import sha256

import orjson
from starlette.responses import Response

from taskwell.api.call import RequestContext
from taskwell.api.replies import ToldOnce
from taskwell.errors import AppError, IdempotencyKeyReused, InvalidHeader, RequestInProgress
from taskwell.spaces.rules import no_such_space
from taskwell.users import idempotency
from taskwell.users.idempotency import StoredAnswer

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
KEPT_HEADERS = frozenset({"location", "etag", "content-type", "cache-control"})

Work = Callable[[RequestContext], Awaitable[Response]]
"""What a request does in its one transaction."""


async def once(call: RequestContext, key: str, ready: Callable[[RequestContext], Awaitable[Work]]) -> Response:
    """Answers the request, or repeats the answer that it had within the last 24 hours.

    Args:
        ready: Gets the work ready, before the transaction: it may take as long as it likes, and changes nothing.

    Raises:
        InvalidHeader: the key is empty, too long or not visible ASCII.
        IdempotencyKeyReused: the key was used for another body.
        NotFound: the answer shows a space that the caller is no member of any more.
        RequestInProgress: the first request with this key has not ended yet.
    """
    if not _KEY.fullmatch(key):
        raise InvalidHeader("Idempotency-Key must be 1 to 255 visible ASCII characters.")
    path = call.base_path
    request_hash = sha256(call.scope["query_string"] + b"\n" + await call.body()).hexdigest()
    database = call.services.database
    if (stored := await idempotency.find(database, call.user, path, key)) is not None:
        return await _replayed(call, stored, request_hash)
    try:
        work = await ready(call)
    except AppError:
        # The first request may have ended meanwhile, and have changed what this one was judged by: a password.
        if (stored := await idempotency.find(database, call.user, path, key)) is not None:
            return await _replayed(call, stored, request_hash)
        raise
    async with database.transaction() as transaction:
        if not await idempotency.claim(transaction, call.user, path, key):
            raise RequestInProgress("The first request with this Idempotency-Key is still running.")
        stored = await idempotency.find(transaction, call.user, path, key)
        if stored is not None:
            return await _replayed(call, stored, request_hash)
        response = await work(call.within(transaction))
        if response.status_code < 300:
            headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
            body = response.repeatable if isinstance(response, ToldOnce) else bytes(response.body)
            spaces = tuple(sorted(call.shown))
            kept = StoredAnswer(request_hash, response.status_code, orjson.dumps(headers).decode(), body, spaces)
            await idempotency.keep(transaction, call.user, path, key, kept)
        return response


async def _replayed(call: RequestContext, stored: StoredAnswer, request_hash: str) -> Response:
    if stored.request_hash != request_hash:
        raise IdempotencyKeyReused.field(
            "Idempotency-Key",
            "This key was used for another request body.",
            "idempotency_key_reused",
            location="header",
        )
    for space_id in stored.spaces or (call.user.user_id,):
        if not call.user.may_see(space_id):
            raise no_such_space()
    for space_id in stored.spaces:
        await call.services.identities.accesses.of(call.user.user_id, space_id)
    headers = orjson.loads(stored.headers) | {"Idempotency-Replayed": "true"}
    return Response(stored.response, stored.status, headers)
