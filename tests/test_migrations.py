"""The schema: the same from the models and from the migrations, on both databases."""

import asyncio
from pathlib import Path

import pytest
from alembic import command as alembic_command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from scripts.revision import draft
from taskwell import migrations
from taskwell.app import create_app
from taskwell.database.engine import postgres_engine
from taskwell.errors import Unavailable
from taskwell.migrations import OldSchema
from taskwell.migrations.target import METADATA, modelled
from taskwell.settings import InvalidSettings, Settings
from tests.conftest import SECRET, new_postgres_database, running
from tests.support.command import taskwell
from tests.support.people import arrive

LATER = (
    "CREATE TABLE moods (user_id {uuid} NOT NULL, mood TEXT NOT NULL)",
    "ALTER TABLE tasks ADD COLUMN mood TEXT",
    "ALTER TABLE lists ADD COLUMN mood TEXT DEFAULT 'calm' NOT NULL",
    "ALTER TABLE users ADD COLUMN mood TEXT",
    "UPDATE alembic_version SET version_num = '9999'",
)
"""What a later version's migration may do while this version runs."""


@pytest.fixture
def empty(empty_url: str) -> Settings:
    return settings_of(empty_url)


def settings_of(url: str, environment: str = "production") -> Settings:
    return Settings(_env_file=None, environment=environment, secret_key=SECRET, database_url=url)


async def look(settings: Settings, read):
    """What ``read`` makes of a connection to the database."""
    found: list[object] = []
    await migrations._with_connection(settings, lambda connection: found.append(read(connection)))
    return found[0]


def differences(connection: Connection) -> object:
    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": False,
            "include_object": modelled(connection.dialect.name),
            "target_metadata": METADATA,
        },
    )
    return compare_metadata(context, METADATA)


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def columns(connection: Connection) -> dict[str, list[tuple[str, str, bool]]]:
    found = inspect(connection)
    return {
        table: [(each["name"], str(each["type"]), each["nullable"]) for each in found.get_columns(table)]
        for table in sorted(METADATA.tables)
    }


async def test_the_migrations_make_what_the_models_say(empty: Settings):
    await migrations.upgrade(empty)

    assert await look(empty, differences) == []
    assert await migrations.current(empty) == migrations.head()


async def test_a_revision_is_drafted_from_what_the_models_have_and_the_schema_has_not(tmp_path: Path):
    settings = settings_of(f"sqlite:///{tmp_path}/taskwell.db")
    await migrations.upgrade(settings)

    def drafted(connection: Connection) -> str:
        connection.exec_driver_sql("DROP INDEX ix_tasks_unfinished")
        connection.exec_driver_sql("ALTER TABLE lists DROP COLUMN color")
        return draft("Colours of lists", connection, tmp_path).read_text()

    upgrade, _, downgrade = (await look(settings, drafted)).partition("def downgrade")

    assert f'down_revision = "{migrations.head()}"' in upgrade
    for name in ('"ix_tasks_unfinished"', '"color"'):
        assert name in upgrade
        assert name in downgrade
    assert "search" not in upgrade


async def test_the_models_of_both_databases_have_the_same_columns(empty: Settings):
    await migrations.upgrade(empty)
    found = await look(empty, columns)

    for name, table in METADATA.tables.items():
        assert {column.name for column in table.columns} == {column for column, _, _ in found[name]} - {"search"}
        nullable = {column.name: bool(column.nullable) for column in table.columns}
        assert {column: may_be_null for column, _, may_be_null in found[name] if column != "search"} == nullable


async def test_up_down_and_up_again_ends_where_it_began(empty: Settings):
    await migrations.upgrade(empty)
    before = await look(empty, columns)

    await migrations.downgrade(empty, "base")
    assert await look(empty, tables) <= {"alembic_version"}
    assert await migrations.current(empty) is None

    await migrations.upgrade(empty)
    assert await look(empty, columns) == before


async def test_every_single_step_goes_up_and_down(empty: Settings):
    for revision in sorted(migrations.known()):
        await migrations.upgrade(empty, revision)
        await migrations.downgrade(empty, "-1")
        await migrations.upgrade(empty, revision)
        assert await migrations.current(empty) == revision


async def test_migrating_twice_is_migrating_once(empty: Settings):
    for _ in range(2):
        await migrations.upgrade(empty)

    assert await migrations.current(empty) == migrations.head()


async def test_those_who_migrate_at_once_take_turns(empty: Settings):
    await asyncio.gather(*(migrations.upgrade(empty) for _ in range(4)))

    assert await look(empty, differences) == []


async def test_processes_that_start_at_once_take_turns(empty: Settings, tmp_path: Path):
    migrating = (asyncio.to_thread(taskwell, tmp_path, "migrate", DATABASE_URL=empty.database_url) for _ in range(2))

    assert [(each.code, each.complaint) for each in await asyncio.gather(*migrating)] == [(0, "")] * 2
    assert await migrations.current(empty) == migrations.head()


async def test_a_step_that_fails_leaves_nothing_behind(empty: Settings, monkeypatch: pytest.MonkeyPatch):
    run = alembic_command.upgrade

    def fail_at_the_end(config: Config, revision: str) -> None:
        run(config, revision)
        raise RuntimeError("pulled the plug")

    monkeypatch.setattr(alembic_command, "upgrade", fail_at_the_end)
    with pytest.raises(RuntimeError, match="pulled the plug"):
        await migrations.upgrade(empty)

    assert await look(empty, tables) == set()


async def test_production_refuses_an_empty_schema(empty: Settings):
    with pytest.raises(
        OldSchema, match=f"is empty and this version needs {migrations.head()}: run 'taskwell migrate'"
    ):
        await migrations.prepare(empty)

    assert await look(empty, tables) == set()


@pytest.mark.parametrize("environment", ["production", "development"])
async def test_a_schema_from_before_the_first_release_is_refused_in_one_sentence(empty: Settings, environment: str):
    await migrations.upgrade(empty)
    await look(
        empty, lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0012'")
    )

    for refused in (migrations.prepare, migrations.require_head, migrations.upgrade):
        with pytest.raises(
            OldSchema, match=r"^The database is at 0012, from before the first release: begin with an"
        ):
            await refused(settings_of(empty.database_url, environment))


async def test_production_accepts_the_newest_schema(empty: Settings):
    await migrations.upgrade(empty)

    await migrations.prepare(empty)


async def test_a_schema_of_a_later_version_is_told(empty: Settings):
    await migrations.upgrade(empty)
    await look(
        empty, lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    )
    for refused in (migrations.require_head, migrations.upgrade):
        with pytest.raises(OldSchema, match="at 9999, which a later version of Taskwell has made"):
            await refused(empty)


@pytest.mark.parametrize("environment", ["production", "development"])
async def test_a_process_of_ours_comes_up_on_the_schema_of_a_later_version(empty: Settings, environment: str):
    await migrations.upgrade(empty)
    await look(
        empty, lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    )

    await migrations.prepare(settings_of(empty.database_url, environment))


async def test_a_running_version_goes_on_while_the_schema_is_expanded(empty_url: str):
    settings = settings_of(empty_url, "development").model_copy(update={"worker_in_serve": False})
    async with running(create_app(settings)) as app:
        ada = await arrive(app, "ada")
        is_over = asyncio.Event()
        statuses: list[int] = []

        async def work() -> None:
            while not is_over.is_set():
                made = await ada.http.post("/api/v1/tasks", json={"title": "Buy milk", "tags": ["home"]})
                path = f"/api/v1/tasks/{made.json()['id']}"
                answers = [made, await ada.http.patch(path, json={"completed": True}), await ada.http.get(path)]
                answers += [await ada.http.get("/api/v1/tasks?q=milk"), await ada.http.get("/api/v1/tags")]
                answers.append(await ada.http.post("/api/v1/lists", json={"name": "Home"}))
                statuses.extend(answer.status_code for answer in answers)

        working = [asyncio.create_task(work()) for _ in range(3)]
        for statement in LATER:
            await asyncio.sleep(0.1)
            await look(settings, lambda connection, sql=statement: expand(connection, sql))
        is_over.set()
        await asyncio.gather(*working)

        assert set(statuses) == {200, 201}


def expand(connection: Connection, statement: str) -> None:
    uuid = "uuid" if connection.dialect.name == "postgresql" else "TEXT"
    connection.exec_driver_sql(statement.replace("{uuid}", uuid))


async def test_a_migration_that_cannot_have_its_lock_gives_up_and_changes_nothing(monkeypatch, worker_id: str):
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "50ms")
    async with new_postgres_database(f"taskwell_locked_{worker_id}") as url:
        settings = settings_of(url)
        await migrations.upgrade(settings)

        engine = postgres_engine(settings)
        try:
            async with engine.begin() as report:
                await report.execute(text("SELECT * FROM tasks"))  # a report that takes its time
                with pytest.raises(Exception, match="lock timeout"):
                    await migrations.downgrade(settings, "base")
        finally:
            await engine.dispose()
        assert await migrations.current(settings) == migrations.head()


async def test_development_migrates_by_itself(empty: Settings):
    await migrations.prepare(settings_of(empty.database_url, "development"))

    assert await migrations.current(empty) == migrations.head()


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("postgresql://ada:hidden@127.0.0.1:1/x", Unavailable),
        ("postgresql://ada:hidden@no-such-host.invalid/x", Unavailable),
        ("sqlite:////no/such/folder/taskwell.db", InvalidSettings),
        ("sqlite://", InvalidSettings),
        ("sqlite:///:memory:", InvalidSettings),
        ("sqlite:////proc/version", Unavailable),
        ("sqlite:////tmp", Unavailable),
        ("postgresql://h/x?sslmode=perhaps", InvalidSettings),
        ("postgresql://h/x?sslmode=verify-full&sslrootcert=/no/such/file", InvalidSettings),
    ],
)
async def test_a_database_that_cannot_be_used_is_told_by_its_setting(url: str, refusal: type[Exception], monkeypatch):
    settings = settings_of(url).model_copy(update={"database_wait_seconds": 0})

    with pytest.raises(refusal, match="DATABASE_URL") as told:
        await migrations.prepare(settings)

    assert "hidden" not in str(told.value)
