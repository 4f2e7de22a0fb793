"""Upgrading a database that is in use: nothing is lost, nobody waits long, and the running version goes on."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, inspect, text

from taskwell import migrations, tasks
from taskwell.app import create_app
from taskwell.database.engine import postgres_engine
from taskwell.settings import Settings
from taskwell.tasks import AS_TASK, PageRequest, TaskFilter, TaskSort
from taskwell.users.principal import Principal
from tests.conftest import new_postgres_database, running, settings_of
from tests.support.people import arrive

AT = "2026-01-02T03:04:05.678901Z"
ADA, LIST, TASK, OTHER = (f"01938d1c-0000-7000-8000-00000000000{n}" for n in range(1, 5))
ADA_HERSELF = Principal(ADA, ADA, "", datetime.max.replace(tzinfo=UTC), "UTC")
FIRST_ROWS = f"""
INSERT INTO users (id, email, email_key, name, revision, created_at, updated_at)
    VALUES ('{ADA}', 'Ada@example.com', 'ada@example.com', 'Ada', 7, '{AT}', '{AT}');
INSERT INTO lists (user_id, id, name, position, revision, created_at, updated_at)
    VALUES ('{ADA}', '{LIST}', 'Café', 1, 1, '{AT}', '{AT}');
INSERT INTO tasks (user_id, id, list_id, title, title_key, description, priority, due_date, due_key, tags, tag_keys,
    revision, created_at, updated_at) VALUES ('{ADA}', '{TASK}', '{LIST}', 'Éclair', 'eclair', 'Δύο и чай', 4,
    '2026-02-03', '{AT}', '<home>', '<home_key>', 6, '{AT}', '{AT}');
INSERT INTO tasks (user_id, id, title, title_key, priority, completed_at, tags, tag_keys, revision, created_at,
    updated_at, deleted_at) VALUES ('{ADA}', '{OTHER}', 'Gone', 'gone', 1, '{AT}', '<none>', '<none>', 7, '{AT}',
    '{AT}', '{AT}');
INSERT INTO external_identities (issuer, subject, user_id) VALUES ('https://auth.example', 'x', '{ADA}')"""
ARRAYS = {
    "sqlite": {"<home>": '["Home"]', "<home_key>": '["home"]', "<none>": "[]"},
    "postgresql": {"<home>": "{Home}", "<home_key>": "{home}", "<none>": "{}"},
}

EXPAND = (
    "CREATE TABLE moods (user_id {uuid} NOT NULL, mood TEXT NOT NULL)",
    "ALTER TABLE tasks ADD COLUMN mood TEXT",
    "ALTER TABLE lists ADD COLUMN mood TEXT DEFAULT 'calm' NOT NULL",
    "ALTER TABLE users ADD COLUMN mood TEXT",
    "UPDATE alembic_version SET version_num = '9999'",
)
"""What a later version's migration may do by the rules below."""


@pytest.fixture
def empty(empty_url: str) -> Settings:
    return settings_of(empty_url)


async def run(settings: Settings, work: Any) -> Any:
    found: list[Any] = []
    await migrations._with_connection(settings, lambda connection: found.append(work(connection)))
    return found[0]


def fill(connection: Connection) -> None:
    rows = FIRST_ROWS
    for sign, array in ARRAYS[connection.dialect.name].items():
        rows = rows.replace(sign, array)
    for statement in rows.split(";\n"):
        connection.exec_driver_sql(statement)


def first_rows(connection: Connection, columns: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """What is in the columns that the first schema had."""
    return {
        table: sorted(
            tuple(map(str, row)) for row in connection.execute(text(f"SELECT {', '.join(names)} FROM {table}"))
        )
        for table, names in columns.items()
    }


def columns_of(connection: Connection) -> dict[str, list[str]]:
    found = inspect(connection)
    return {table: [each["name"] for each in found.get_columns(table)] for table in found.get_table_names()}


async def test_what_was_in_the_first_schema_is_in_the_newest(empty: Settings):
    await migrations.upgrade(empty, "0001")
    await run(empty, fill)
    columns = await run(empty, columns_of)
    del columns["alembic_version"]
    before = await run(empty, lambda connection: first_rows(connection, columns))

    await migrations.upgrade(empty)

    assert await run(empty, lambda connection: first_rows(connection, columns)) == before
    async with running(create_app(empty)) as app:
        eve = await arrive(app, "eve")  # everything works beside it
        assert (await eve.http.post("/api/v1/tasks", json={"title": "Éclair"})).status_code == 201
        assert app.services is not None
        for words in ("eclair ΔΥΟ чаи", "Éclair δύο чай"):
            asked = PageRequest(TaskFilter(search=words), TaskSort())
            found = await tasks.page(app.services.database, ADA_HERSELF, asked, AS_TASK)
            assert [task.id for task in found.items] == [TASK]
    if empty.is_sqlite:
        check = "INSERT INTO task_search (task_search, rank) VALUES ('integrity-check', 1)"
        await run(empty, lambda connection: connection.exec_driver_sql(check))
    tags = "SELECT tag, state FROM task_tags"
    assert await run(empty, lambda connection: connection.execute(text(tags)).all()) == [("Home", 2)]


TITLES = (
    "Buy milk", "", "   ", "...", "Café au lait, s'il vous plaît", "ΣΊΣΥΦΟΣ Σίσυφος ς", "Ёлка й", "日本語 テスト",
    "a\u0301b it's \"quoted\" back\\slash :1A 'x':2B", "👩‍👩‍👧 party 🎉", "İstanbul Straße ǅ", "a_b-c.d@e/f 1e5 007",
    "x" * 2001 + " short", "word " * 40,
)  # fmt: skip


async def test_the_words_of_a_task_are_the_same_since_they_are_read_more_quickly(worker_id: str):
    async with new_postgres_database(f"taskwell_words_{worker_id}") as url:
        settings = settings_of(url)
        await migrations.upgrade(settings, "0006")
        await run(settings, fill)
        copy = text(
            f"""INSERT INTO tasks (user_id, id, title, title_key, description, priority, tags, tag_keys, revision,
            created_at, updated_at) SELECT user_id, gen_random_uuid(), :title, '', :description, 1, :tags, :tags, 1,
            created_at, updated_at FROM tasks WHERE id = '{TASK}'"""
        )
        values = [
            {"title": title, "description": description, "tags": [tag]}
            for title, tag in zip(TITLES, reversed(TITLES), strict=True)
            for description in (None, title, "lorem ipsum " * 400 + title)
        ]
        await run(settings, lambda connection: connection.execute(copy, values))

        await migrations.upgrade(settings)

        others = "search <> search_vector(user_id, title, tags, description)"
        changed = text(f"SELECT count(*), count(*) FILTER (WHERE {others}) FROM tasks")
        assert await run(settings, lambda connection: tuple(connection.execute(changed).one())) == (44, 0)


async def test_a_running_version_goes_on_while_the_schema_is_expanded(empty: Settings):
    async with running(create_app(empty)) as app:
        ada = await arrive(app, "ada")
        is_over = asyncio.Event()
        statuses: list[int] = []

        async def work() -> None:
            while not is_over.is_set():
                made = await ada.http.post("/api/v1/tasks", json={"title": "Buy milk", "tags": ["home"]})
                path = f"/api/v1/tasks/{made.json()['id']}"
                answers = [made, await ada.http.patch(path, json={"completed": True}), await ada.http.get(path)]
                answers += [await ada.http.get("/api/v1/tasks?q=milk"), await ada.http.get("/api/v1/tags")]
                answers += [
                    await ada.http.post("/api/v1/lists", json={"name": "Home"}),
                    await ada.http.get("/health/ready"),
                ]
                statuses.extend(answer.status_code for answer in answers)

        working = [asyncio.create_task(work()) for _ in range(3)]
        await asyncio.sleep(0.1)
        for statement in EXPAND:
            await run(empty, lambda connection, sql=statement: _expand(connection, sql))
            await asyncio.sleep(0.1)
        is_over.set()
        await asyncio.gather(*working)

        assert set(statuses) == {200, 201}


def _expand(connection: Connection, statement: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    uuid = "uuid" if connection.dialect.name == "postgresql" else "TEXT"
    connection.exec_driver_sql(statement.replace("{uuid}", uuid))


async def test_a_migration_that_cannot_have_its_lock_gives_up_and_changes_nothing(monkeypatch, worker_id: str):
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "50ms")
    async with new_postgres_database(f"taskwell_locked_{worker_id}") as url:
        settings = settings_of(url)
        await migrations.upgrade(settings, "0001")

        def upgrade_beside(connection: Connection) -> None:
            connection.execute(text("SELECT * FROM tasks"))  # a report that takes its time

        engine = postgres_engine(settings)
        try:
            async with engine.begin() as report:
                await report.run_sync(upgrade_beside)
                with pytest.raises(Exception, match="lock timeout"):
                    await migrations.upgrade(settings)
        finally:
            await engine.dispose()
        assert await migrations.current(settings) == "0001"


RULES = {
    "drop": r"\bDROP (TABLE|COLUMN)\b",
    "rename": r"\bRENAME\b",
    "change_type": r"\bALTER (COLUMN )?\w+ (SET DATA )?TYPE\b",
    "set_not_null": r"\bSET NOT NULL\b",
    "required_column": r"\bADD COLUMN (?!.*\bDEFAULT\b).*\bNOT NULL\b",
    "reckoned_column": r"\bADD COLUMN .*\bGENERATED\b",
    "constraint": r"\bADD CONSTRAINT (?!.*\bNOT VALID\b)",
    "index": r"\bCREATE (UNIQUE )?INDEX (?!CONCURRENTLY|IF NOT EXISTS)",
    "every_row": r"^\s*(UPDATE|DELETE FROM) (?!alembic_version\b)",
}
"""What locks a table for long, or takes away what the running version uses; see docs/upgrading.md."""

TABLE = re.compile(r"\b(?:TABLE|ON|UPDATE|INTO)\s+(?:ONLY\s+)?\"?(\w+)", re.IGNORECASE)


def broken_rules(statements: list[str]) -> dict[str, str]:
    """The rules that one revision's statements break, each with the first that does; new tables may be anything."""
    new = {found[1] for each in statements if (found := re.match(r"\s*CREATE TABLE (\w+)", each))}
    broken: dict[str, str] = {}
    for statement in statements:
        flat = " ".join(statement.split())
        table = TABLE.search(flat)
        if "CREATE FUNCTION" in flat or "CREATE OR REPLACE FUNCTION" in flat or (table and table[1] in new):
            continue
        for rule, pattern in RULES.items():
            if re.search(pattern, flat, re.IGNORECASE):
                broken.setdefault(rule, flat)
    return broken


@contextmanager
def overheard() -> Iterator[list[str]]:
    statements: list[str] = []

    def hear(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


async def test_every_migration_leaves_the_running_version_alone_or_says_why_not(worker_id: str):
    scripts = ScriptDirectory(str(migrations.SCRIPTS))
    assert {script.revision for script in scripts.walk_revisions()} == migrations.known()
    assert scripts.get_current_head() == migrations.head()
    async with new_postgres_database(f"taskwell_rules_{worker_id}") as url:
        settings = settings_of(url)
        for revision in sorted(migrations.known()):
            with overheard() as statements:
                await migrations.upgrade(settings, revision)
            allowed = getattr(scripts.get_revision(revision).module, "allowed", {})
            broken = broken_rules(statements)
            assert broken.keys() == allowed.keys(), f"{revision} breaks {broken} and allows {allowed}"
            assert all(len(reason) > 20 for reason in allowed.values())
            assert any("lock_timeout" in each for each in statements)


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("ALTER TABLE tasks DROP COLUMN title", "drop"),
        ("DROP TABLE tasks", "drop"),
        ("ALTER TABLE tasks RENAME COLUMN title TO name", "rename"),
        ("ALTER TABLE tasks ALTER COLUMN priority TYPE BIGINT", "change_type"),
        ("ALTER TABLE tasks ALTER COLUMN list_id SET NOT NULL", "set_not_null"),
        ("ALTER TABLE tasks ADD COLUMN mood TEXT NOT NULL", "required_column"),
        ("ALTER TABLE tasks ADD COLUMN n INT GENERATED ALWAYS AS (priority) STORED", "reckoned_column"),
        ("ALTER TABLE tasks ADD CONSTRAINT c CHECK (priority > 0)", "constraint"),
        ("CREATE INDEX ix ON tasks (user_id)", "index"),
        ("UPDATE tasks SET priority = 1", "every_row"),
    ],
)
def test_a_migration_that_would_break_the_running_version_is_found(statement: str, rule: str):
    assert list(broken_rules([statement])) == [rule]


def test_a_migration_that_only_expands_is_let_through():
    assert (
        broken_rules([*EXPAND, "CREATE INDEX ix ON moods (user_id)", "CREATE INDEX IF NOT EXISTS ix ON tasks (mood)"])
        == {}
    )
