"""A write on SQLite touches fewer pages, as each goes through the log to the disk.

The search has the numbers of the tasks themselves, which had none so far that VACUUM leaves alone; what is pending
is in one index instead of two; and a tag of a task that is completed is changed, not written anew. On PostgreSQL,
where an index costs a write less, nothing changes.
"""

from collections.abc import Callable
from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OLD_KEY, NEW_KEY = "CONSTRAINT pk_tasks PRIMARY KEY (user_id, id)", "UNIQUE (user_id, id)"
NUMBER = "\n\tsearch INTEGER PRIMARY KEY, "

_accents = import_module("taskwell.migrations.versions.0006_search_without_accents")
ALL = "(SELECT *, search AS number FROM tasks) AS tasks"
OF_ROW = "(SELECT {row}.search AS number)"

OLD_ROWS = """CREATE TABLE task_search_rows (number INTEGER PRIMARY KEY, user_id TEXT NOT NULL, task_id TEXT NOT NULL,
    UNIQUE (user_id, task_id))"""
OLD_INSERT = "INSERT INTO task_search_rows (user_id, task_id) VALUES (NEW.user_id, NEW.id);"
OLD_DELETE = "DELETE FROM task_search_rows WHERE user_id = OLD.user_id AND task_id = OLD.id;"

STATE = "CASE WHEN {row}.deleted_at IS NOT NULL THEN 0 WHEN {row}.completed_at IS NOT NULL THEN 1 ELSE 2 END"
NEW_STATE = STATE.format(row="NEW")
MOVED = f"{NEW_STATE} <> {STATE.format(row='OLD')}"
KEEP_TAGS = f"""DELETE FROM task_tags WHERE user_id = NEW.user_id AND task_id = NEW.id;
    INSERT INTO task_tags (user_id, task_id, tag_key, tag, state)
    SELECT NEW.user_id, NEW.id, keys.value, names.value, {NEW_STATE}
    FROM json_each(NEW.tag_keys) AS keys JOIN json_each(NEW.tags) AS names ON names.key = keys.key;"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        return
    _let_search_be()
    _make_tasks_anew(
        lambda columns: NUMBER + columns.replace(OLD_KEY, NEW_KEY),
        columns="number, tasks.*",  # in their order
        # Each task has its row of the search; one that had none would be kept all the same, after the others.
        source="tasks LEFT JOIN task_search_rows AS rows ON rows.user_id = tasks.user_id AND rows.task_id = tasks.id "
        "ORDER BY number IS NULL, number",
    )
    op.execute("DROP TABLE task_search_rows")
    keep_search(ALL, OF_ROW)
    op.drop_index("ix_tasks_open", "tasks")
    op.drop_index("ix_tasks_pending", "tasks")
    _index_of_pending("ix_tasks_unfinished", "list_id", "priority", "due_key", "created_at", "id")
    _replace_tag_trigger(
        f"UPDATE OF tags ON tasks WHEN NEW.tags <> OLD.tags BEGIN {KEEP_TAGS} END",
    )
    op.execute(
        f"""CREATE TRIGGER tasks_tags_state AFTER UPDATE OF completed_at, deleted_at ON tasks
        WHEN NEW.tags = OLD.tags AND NEW.tags <> '[]' AND {MOVED}
        BEGIN UPDATE task_tags SET state = {NEW_STATE} WHERE user_id = NEW.user_id AND task_id = NEW.id; END"""
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        return
    op.execute("DROP TRIGGER tasks_tags_state")
    _replace_tag_trigger(
        f"""UPDATE OF tags, completed_at, deleted_at ON tasks
        WHEN NEW.tags <> OLD.tags OR (NEW.tags <> '[]' AND {MOVED}) BEGIN {KEEP_TAGS} END"""
    )
    op.drop_index("ix_tasks_unfinished", "tasks")
    _index_of_pending("ix_tasks_pending", "created_at", "id")
    _index_of_pending("ix_tasks_open", "list_id", "priority", "due_key")
    _let_search_be()
    op.execute(OLD_ROWS)
    op.execute("INSERT INTO task_search_rows SELECT search, user_id, id FROM tasks")
    _make_tasks_anew(lambda columns: columns.removeprefix(NUMBER).replace(NEW_KEY, OLD_KEY))
    keep_search(_accents.OF_ALL, _accents.OF_ROW, on_insert=OLD_INSERT, on_delete=OLD_DELETE)


def _make_tasks_anew(becomes: Callable[[str], str], columns: str | None = None, source: str = "tasks") -> None:
    """A table with another key, with the rows, indexes and triggers of the one before; SQLite alters no key."""
    connection = op.get_bind()
    schema = sa.text("SELECT type, sql FROM sqlite_schema WHERE tbl_name = 'tasks' AND sql IS NOT NULL")
    parts = connection.execute(schema).all()
    (table,) = (text for kind, text in parts if kind == "table")
    names = ", ".join(
        each["name"] for each in sa.inspect(connection).get_columns("tasks") if each["name"] != "search"
    )
    connection.exec_driver_sql(f"CREATE TABLE tasks_anew ({becomes(table.partition('(')[2])}")
    into = names if columns is None else f"search, {names}"
    connection.exec_driver_sql(f"INSERT INTO tasks_anew ({into}) SELECT {columns or names} FROM {source}")
    connection.exec_driver_sql("DROP TABLE tasks")
    connection.exec_driver_sql("ALTER TABLE tasks_anew RENAME TO tasks")
    for text in (text for kind, text in parts if kind in ("index", "trigger")):
        connection.exec_driver_sql(text)


def _let_search_be() -> None:
    for event in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER tasks_search_{event}")
    op.execute("DROP VIEW task_search_source")


def keep_search(every: str, of_row: str, *, on_insert: str = "", on_delete: str = "") -> None:
    """The view and the triggers that keep the index of the search, which stays as it is: so do the numbers."""
    new, old = (_accents.without_accents(row, of_row.format(row=row)) for row in ("NEW", "OLD"))
    remember, forget = _accents.REMEMBER.format(source=new), _accents.FORGET.format(source=old)
    for statement in (
        f"CREATE VIEW task_search_source AS {_accents.without_accents('tasks', every)}",
        f"CREATE TRIGGER tasks_search_insert AFTER INSERT ON tasks BEGIN {on_insert} {remember}; END",
        f"""CREATE TRIGGER tasks_search_update AFTER UPDATE OF title, tags, description ON tasks
        WHEN (NEW.title, NEW.tags, NEW.description) IS NOT (OLD.title, OLD.tags, OLD.description)
        BEGIN {forget}; {remember}; END""",
        f"CREATE TRIGGER tasks_search_delete AFTER DELETE ON tasks BEGIN {forget}; {on_delete} END",
    ):
        op.get_bind().exec_driver_sql(statement)


def _replace_tag_trigger(body: str) -> None:
    op.execute("DROP TRIGGER tasks_tags_update")
    op.execute(f"CREATE TRIGGER tasks_tags_update AFTER {body}")


def _index_of_pending(name: str, *columns: str) -> None:
    where = sa.text("deleted_at IS NULL AND completed_at IS NULL")
    op.create_index(name, "tasks", ["user_id", *columns], sqlite_where=where)
