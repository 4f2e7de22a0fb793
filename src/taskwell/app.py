"""The composition root: which contracts there are, and what a process opens and closes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from taskwell import __version__, migrations
from taskwell.api import health, pages
from taskwell.api.call import Services
from taskwell.api.documents import describe
from taskwell.api.gateway import Gateway
from taskwell.api.identity import Identities
from taskwell.api.problems import render_detail, render_problem, render_todo_error
from taskwell.api.routing import Contract, Switchboard
from taskwell.api.todos import router as todos
from taskwell.api.user_tasks import router as user_tasks
from taskwell.api.v1 import router as v1
from taskwell.database import open_database
from taskwell.settings import Settings, read_settings


def create_app(settings: Settings | None = None) -> Gateway:
    """The ASGI application; without settings, as the environment says."""
    settings = settings or read_settings()
    contracts = create_contracts()
    site = Contract(pages.site(contracts), render_problem, ("/",))
    switchboard = Switchboard([*contracts.values(), site], fallback=site)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[Services]:
        if settings.is_production:
            await migrations.require_head(settings)
        else:
            await migrations.upgrade(settings)
        database = await open_database(settings)
        try:
            yield Services(settings, database, Identities(database, settings))
        finally:
            await database.close()

    return Gateway(settings, switchboard, lifespan)


def create_contracts() -> dict[str, Contract]:
    """Each contract with its OpenAPI document, by the name that the document has."""
    return {
        "v1": Contract(_app("v1", v1, health.router), render_problem, ("/api/v1", "/health")),
        "todos": Contract(_app("todos", todos), render_todo_error, ("/api/auth", "/api/users")),
        "user_tasks": Contract(_app("user_tasks", user_tasks), render_detail, ("/api/*/tasks",)),
    }


def _app(name: str, *routers: APIRouter) -> FastAPI:
    app = FastAPI(version=__version__, openapi_url=None, docs_url=None, redoc_url=None)
    for router in routers:
        app.include_router(router)
    describe(app, name)
    return app
