"""A database where one user has 100,000 tasks, and what a page costs there.

Counted, not timed: on PostgreSQL the rows that its plan went through, on SQLite the instructions of its machine.
"""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from taskwell import migrations, tasks
from taskwell.database import Database, Lane, Query
from taskwell.database.engine import open_database
from taskwell.database.postgres import DIALECT as POSTGRES
from taskwell.database.sqlite import DIALECT as SQLITE
from taskwell.settings import Settings
from taskwell.spaces import SpaceAccess
from taskwell.tasks import AS_TASK, PageRequest
from taskwell.users.principal import Principal

COUNT = 100_000
BASE = datetime(2026, 1, 1, tzinfo=UTC)
FEW_LIST, MANY_LIST = (f"00000000-0000-7000-8000-00000000000{n}" for n in (1, 2))
OWNER, OTHER = (f"01938d1c-0000-7000-8000-00000000000{n}" for n in (1, 2))

# Task n of 100,000: made in the nth minute, one in 1,000 of everything that is rare.
POSTGRES_SEED = """
    INSERT INTO tasks (space_id, id, created_by, list_id, title, title_key, priority, completed_at, due_at, due_key,
        tags, tag_keys, revision, created_at, updated_at, deleted_at)
    SELECT $1, ('01938d1c-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $1,
        CASE WHEN n % 1000 = 1 THEN $4::uuid WHEN n % 1000 > 2 THEN $5::uuid END, title, title,
        CASE WHEN n % 1000 = 3 THEN 4 ELSE 1 + n % 3 END, CASE WHEN n % 1000 = 4 THEN at END, due, due, tags, tags,
        n, at, at + interval '1 day', CASE WHEN n % 50 = 0 THEN at END
    FROM generate_series(1, $2::int) AS n,
        LATERAL (SELECT $3::timestamptz + n * interval '1 minute' AS at) AS made,
        LATERAL (SELECT CASE WHEN n % 2 = 0 THEN at + interval '10 days' END AS due) AS dues,
        LATERAL (SELECT 'task ' || n % 5000 || CASE WHEN n % 1000 = 5 THEN ' rare'
                WHEN n % 20 = 6 THEN ' often' ELSE '' END
            AS title) AS titles,
        LATERAL (SELECT CASE WHEN n % 1000 = 7 THEN '{rare}'::text[] WHEN n % 20 = 8 THEN '{often}' ELSE '{}' END
            AS tags) AS tagged"""
SQLITE_SEED = """
    WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ?2),
        made AS MATERIALIZED (SELECT n, strftime('%Y-%m-%dT%H:%M:%S', ?3, n || ' minutes') || '.000000Z' AS at,
            strftime('%Y-%m-%dT%H:%M:%S', ?3, n || ' minutes', '10 days') || '.000000Z' AS due,
            'task ' || n % 5000 || CASE WHEN n % 1000 = 5 THEN ' rare'
                WHEN n % 20 = 6 THEN ' often' ELSE '' END AS title,
            CASE WHEN n % 1000 = 7 THEN '["rare"]'
                WHEN n % 20 = 8 THEN '["often"]' ELSE '[]' END AS tags FROM counted)
    INSERT INTO tasks (space_id, id, created_by, list_id, title, title_key, priority, completed_at, due_at, due_key,
        tags, tag_keys, revision, created_at, updated_at, deleted_at)
    SELECT ?1, printf('01938d1c-0000-7000-8000-%012x', n), ?1,
        CASE WHEN n % 1000 = 1 THEN ?4 WHEN n % 1000 > 2 THEN ?5 END, title, title,
        CASE WHEN n % 1000 = 3 THEN 4 ELSE 1 + n % 3 END, iif(n % 1000 = 4, at, NULL), iif(n % 2, NULL, due),
        iif(n % 2, NULL, due), tags, tags, n, at, strftime('%Y-%m-%dT%H:%M:%S', at, '1 day') || '.000000Z',
        iif(n % 50, NULL, at)
    FROM made"""


@dataclass
class Crowd(Lane):
    """The read lane of a database full of one user's tasks, that remembers what it was last asked."""

    database: Database
    url: str
    actor: Principal
    space: SpaceAccess
    connection: Any = None
    asked: tuple[Query[Any], dict[str, object]] | None = field(default=None)

    async def rows(self, query: Query[Any], /, **values: object) -> list[Any]:
        self.asked = query, values
        return await self.database.rows(query, **values)

    async def many(self, query: Any, values: Any, /) -> None:
        raise NotImplementedError

    def transaction(self) -> Any:
        raise NotImplementedError

    async def cost(self, asked: PageRequest) -> tuple[int, str]:
        """What the page went through, and how."""
        await tasks.page(self, self.actor, self.space, asked, AS_TASK)
        assert self.asked is not None
        query, values = self.asked
        if self.database.name == "sqlite":
            (step,) = query.steps(SQLITE)
            return instructions(path_of(self.url), step.text, step.arguments(values))
        (step,) = query.steps(POSTGRES)
        assert self.connection is not None
        explain = f"EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON) {step.text}"
        plan = json.loads(await self.connection.fetchval(explain, *step.arguments(values)))[0]["Plan"]
        return rows_gone_through(plan), " ".join(scans(plan))


def instructions(path: Path, statement: str, arguments: list[Any]) -> tuple[int, str]:
    hundreds = 0

    def count() -> None:
        nonlocal hundreds
        hundreds += 1

    with closing(sqlite3.connect(path)) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", arguments)]
        connection.set_progress_handler(count, 100)
        connection.execute(statement, arguments).fetchall()
    return hundreds * 100, " | ".join(plan)


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def rows_gone_through(plan: dict[str, Any]) -> int:
    seen = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(
        int(sum(node.get(name, 0) for name in seen) * node["Actual Loops"])
        for node in nodes(plan)
        if "Scan" in node["Node Type"] and node["Node Type"] not in ("Subquery Scan", "CTE Scan")
    )


def scans(plan: dict[str, Any]) -> list[str]:
    return [f"{node['Node Type']} {node.get('Index Name', node.get('Relation Name', ''))}" for node in nodes(plan)]


@asynccontextmanager
async def crowded(url: str, secret: str) -> AsyncIterator[Crowd]:
    """The database, filled: the owner's 100,000 tasks, on PostgreSQL beside somebody else's."""
    settings = Settings(_env_file=None, environment="test", database_url=url, secret_key=secret)
    await migrations.upgrade(settings)
    if settings.is_sqlite:
        fill_sqlite(path_of(url))
    else:
        await fill_postgres(url)
    database = await open_database(settings)
    connection = None if settings.is_sqlite else await asyncpg.connect(url)
    owner = Principal(OWNER, OWNER, "token", BASE + timedelta(days=3650))
    try:
        yield Crowd(database, url, owner, SpaceAccess.personal(OWNER), connection)
    finally:
        if connection is not None:
            await connection.close()
        await database.close()


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def fill_sqlite(path: Path) -> None:
    at = "2026-01-01T00:00:00.000000Z"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("synchronous=OFF", "cache_size=-100000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        connection.execute(
            "INSERT INTO users (id, name, created_at, updated_at) VALUES (?1, 'x', ?2, ?2)", (OWNER, at)
        )
        connection.execute(
            "INSERT INTO spaces (id, kind, name, created_by, created_at, updated_at) "
            "VALUES (?1, 'personal', 'x', ?1, ?2, ?2)",
            (OWNER, at),
        )
        for each in (FEW_LIST, MANY_LIST):
            connection.execute(
                "INSERT INTO lists (space_id, id, name, position, revision, created_at, updated_at) "
                "VALUES (?1, ?2, 'x', 1, 1, ?3, ?3)",
                (OWNER, each, at),
            )
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'tasks' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:  # all at once is quicker than one by one
            connection.execute(f"DROP INDEX {name}")
        connection.execute(SQLITE_SEED, (OWNER, COUNT, "2026-01-01", FEW_LIST, MANY_LIST))
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute("COMMIT")


async def fill_postgres(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'tasks' AND indexname <> 'pk_tasks'"
        )
        for name, _ in indexes:
            await connection.execute(f"DROP INDEX {name}")
        for user in (OWNER, OTHER):
            await connection.execute(
                "INSERT INTO users (id, name, created_at, updated_at) VALUES ($1, 'x', $2, $2)", user, BASE
            )
            await connection.execute(
                "INSERT INTO spaces (id, kind, name, created_by, created_at, updated_at) "
                "VALUES ($1, 'personal', 'x', $1, $2, $2)",
                *(user, BASE),
            )
            for each in (FEW_LIST, MANY_LIST):
                await connection.execute(
                    "INSERT INTO lists (space_id, id, name, position, revision, created_at, updated_at) "
                    "VALUES ($1, $2, 'x', 1, 1, $3, $3)",
                    *(user, each, BASE),
                )
            await connection.execute(
                POSTGRES_SEED, user, COUNT if user == OWNER else COUNT // 4, BASE, FEW_LIST, MANY_LIST
            )
        for _, statement in indexes:
            await connection.execute(statement)
        await connection.execute("VACUUM ANALYZE tasks, task_tags")
    finally:
        await connection.close()
