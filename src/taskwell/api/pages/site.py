"""The addresses of the pages."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import orjson
from fastapi import FastAPI
from starlette.responses import Response

from taskwell.api.call import Call
from taskwell.api.operation import LenientPublicOperation
from taskwell.api.pages import account, markup
from taskwell.api.pages.assets import FILES, Asset, asset
from taskwell.api.routing import Contract

Endpoint = Callable[[Call], Awaitable[Response]]

_SAFE = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; img-src 'self' data:"
PLAIN_POLICY = f"{_SAFE}; style-src 'self'"
REFERENCE_POLICY = (
    f"{_SAFE}; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; connect-src 'self'; "
    "worker-src blob:"
)
"""The content policy of the viewers: both write style attributes, and Redoc starts a worker for its search."""


def site(contracts: Mapping[str, Contract]) -> FastAPI:
    """The pages as operations beside those of the contracts."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    def add(path: str, endpoint: Callable[..., Awaitable[Response]], method: str = "GET") -> None:
        app.router.add_api_route(path, endpoint, methods=[method], route_class_override=LenientPublicOperation)

    add("/", _home)
    add("/errors", _page(markup.errors, PLAIN_POLICY))
    add("/account/join", account.show_invitation)
    add("/account/verify-email", account.show_verify_email)
    add("/account/verify-email", account.do_verify_email, "POST")
    add("/account/reset-password", account.show_reset_password)
    add("/account/reset-password", account.do_reset_password, "POST")
    add("/account/unsubscribe", account.show_unsubscribe)
    add("/account/unsubscribe", account.do_unsubscribe, "POST")
    for path in FILES:
        add(f"/assets/{path}", _file(path))
    add("/favicon.ico", _file("icon.svg"))
    for name, contract in contracts.items():
        add(markup.address("openapi", name) + ".json", _document(contract.app))
        for viewer in ("docs", "redoc"):
            add(markup.address(viewer, name), _reference(viewer, name))
    return app


async def _home(call: Call) -> Response:
    host = next(iter(call.headers(b"host")), b"localhost:8000").decode("latin-1")
    origin = f"{call.scope.get('scheme', 'http')}://{host}{call.settings.root_path}"
    return _html(call, markup.home(origin), PLAIN_POLICY)


def _page(write: Callable[[], str], policy: str) -> Endpoint:
    async def page(call: Call) -> Response:
        return _html(call, write(), policy)

    return page


def _reference(viewer: str, name: str) -> Endpoint:
    return _page(lambda: markup.reference(viewer, name), REFERENCE_POLICY)


def _file(path: str) -> Endpoint:
    async def file(call: Call) -> Response:
        return asset(path).response(call)

    return file


def _document(app: FastAPI) -> Endpoint:
    """The OpenAPI document, built once in a thread, since a large one would block the event loop."""
    kept: list[Asset] = []

    async def document(call: Call) -> Response:
        if not kept:
            kept.append(await asyncio.to_thread(_written, app, call.settings.root_path))
        return kept[0].response(call)

    return document


def _written(app: FastAPI, root_path: str) -> Asset:
    document = app.openapi()
    if root_path:
        document = document | {"servers": [each | {"url": root_path} for each in document["servers"]]}
    written = orjson.dumps(document).replace(b'"tokenUrl":"/', f'"tokenUrl":"{root_path}/'.encode())
    return Asset.from_content("openapi.json", written, "application/json")


def _html(call: Call, text: str, policy: str) -> Response:
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    text = markup.below(call.settings.root_path, text)
    return Response(text, headers=headers, media_type="text/html")
