"""The composition root: which contracts there are, and what a process opens and closes."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI

from taskwell import migrations, worker
from taskwell.api import health, metrics, pages
from taskwell.api.call import Services
from taskwell.api.documents import describe
from taskwell.api.gateway import Gateway
from taskwell.api.identity import Identities
from taskwell.api.journal import SecurityJournal
from taskwell.api.limits import Limits
from taskwell.api.problems import (
    Renderer,
    render_detail,
    render_problem,
    render_todo_error,
    render_user_task_problem,
)
from taskwell.api.routing import Contract, Switchboard
from taskwell.api.todos import router as todos
from taskwell.api.user_tasks import router as user_tasks
from taskwell.api.user_tasks import v1_router as v1_user_tasks
from taskwell.api.v1 import by_user as v1_by_user
from taskwell.api.v1 import router as v1
from taskwell.database import open_database
from taskwell.observability import logs, tracing
from taskwell.pagination import seal_with
from taskwell.settings import Settings, read_settings

if TYPE_CHECKING:
    from taskwell.security.providers import Providers


def serve_app() -> Gateway:
    """The application as a server process runs it: with its logs, and with settings from the environment."""
    settings = read_settings()
    logs.configure(settings)
    tracing.configure(settings)
    return create_app(settings, on_ready=_spare_the_collector)


def create_app(settings: Settings, *, on_ready: Callable[[], None] = lambda: None) -> Gateway:
    """The ASGI application."""
    contracts = create_contracts()
    site = Contract(pages.site(contracts), render_problem, ("/",))
    switchboard = Switchboard([*contracts.values(), site], fallback=site)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[Services]:
        seal_with(settings.signing_key)
        await migrations.prepare(settings)
        limits = Limits(settings)
        database = await open_database(settings, command_timeout=settings.database_command_timeout_seconds)
        journal = SecurityJournal(database, settings)
        try:
            services = Services(
                settings,
                database,
                Identities(database, settings),
                limits,
                journal,
                migrations.head(),
                _providers(settings),
            )
            async with worker.running(database, settings) if settings.works_in_serve else nullcontext():
                on_ready()
                yield services
        finally:
            await journal.close()
            await limits.close()
            await database.close()

    return Gateway(settings, switchboard, lifespan)


def _providers(settings: Settings) -> "Providers | None":
    """Whoever sets no provider imports nothing for one."""
    if not settings.has_providers:
        return None
    from taskwell.security.providers import Providers  # noqa: PLC0415

    return Providers.of_settings(settings)


def _spare_the_collector() -> None:
    """Keeps the garbage collector from walking the application's own objects, which never become garbage.

    Measured: the long tail of response times was this, not the database.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@cache
def create_contracts() -> dict[str, Contract]:
    """Each contract with its OpenAPI document, by the name that the document has.

    They know nothing of settings or a database, so every application of a process shares them.
    """
    return {
        "v1": _contract("v1", render_problem, ("/api/v1", "/health", "/metrics"), v1, health.router, metrics.router),
        "v1_by_user": _contract("v1_by_user", render_problem, (), v1_by_user),
        "todos": _contract("todos", render_todo_error, ("/api/auth", "/auth", "/api/users"), todos),
        "user_tasks": _contract("user_tasks", render_detail, ("/api/*/tasks",), user_tasks),
        "v1_user_tasks": _contract("v1_user_tasks", render_user_task_problem, ("/api/v1/*/tasks",), v1_user_tasks),
    }


def _contract(name: str, render: Renderer, prefixes: tuple[str, ...], *routers: APIRouter) -> Contract:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for router in routers:
        app.include_router(router)
    describe(app, name, render)
    return Contract(app, render, prefixes, deletes_with_slash=name != "v1")
