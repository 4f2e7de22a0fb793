"""On SQLite the search's index knows whose each word is, and is written once for each commit.

With a word for the owner beside those of the text, the beginning of a word was looked for among everybody's: 5 ms at
a million tasks, 1.7 at ten thousand. Now each word begins with the end of its user's id, as on PostgreSQL, and one
rule makes the words of both (``taskwell.database.words``), so that no alphabet is left out.

SQL alone cannot apply that rule, and a trigger that called a function of ours would keep the ``sqlite3`` command from
writing. So the triggers only note which tasks have changed, and what the index still holds of them. What has been
noted is indexed before the commit, by whoever has ``search_words``: SQLite knows no trigger of a commit, so Taskwell
inserts into the view ``before_commit`` until nothing changes any more. It costs less, too: FTS5 writes its pages with
every savepoint.
"""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

AT_ONCE = 1_000
"""Tasks, so that a restored backup need not be in memory as a whole."""

EVENTS = ("insert", "update", "delete")
IS_OTHER = "(NEW.title, NEW.tags, NEW.description) IS NOT (OLD.title, OLD.tags, OLD.description)"
NOTE_OLD = """INSERT OR IGNORE INTO task_search_stale
    VALUES (OLD.search, OLD.user_id, OLD.title, OLD.tags, OLD.description);"""

SOME = f"(SELECT number FROM task_search_stale ORDER BY number LIMIT {AT_ONCE})"
AS_INDEXED = """SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
        json_extract(value, '$[3]')
    FROM json_each((SELECT search_words(CAST(json_group_array(json_array({number}, CAST(user_id AS TEXT),
        CAST(title AS TEXT), CAST(tags AS TEXT), CAST(description AS TEXT))) AS BLOB)) FROM {rows}))"""
"""The casts take whatever another program has written: a task that cannot be indexed would keep all from writing."""

OF_STALE = AS_INDEXED.format(
    number="number", rows=f"task_search_stale WHERE user_id IS NOT NULL AND number IN {SOME}"
)
OF_TASKS = AS_INDEXED.format(number="search", rows=f"tasks WHERE search IN {SOME}")

SCHEMA = (
    """CREATE VIRTUAL TABLE task_search USING fts5 (title, tags, description,
        content='', columnsize=0, tokenize='ascii')""",
    # A row without its user is of a task that is in no index yet.
    """CREATE TABLE task_search_stale (number INTEGER PRIMARY KEY, user_id TEXT, title TEXT, tags TEXT,
        description TEXT)""",
    """CREATE TRIGGER tasks_search_insert AFTER INSERT ON tasks BEGIN
        INSERT OR IGNORE INTO task_search_stale (number) VALUES (NEW.search); END""",
    f"""CREATE TRIGGER tasks_search_update AFTER UPDATE OF title, tags, description ON tasks
        WHEN {IS_OTHER} BEGIN {NOTE_OLD} END""",
    f"CREATE TRIGGER tasks_search_delete AFTER DELETE ON tasks BEGIN {NOTE_OLD} END",
    "CREATE VIEW before_commit AS SELECT NULL AS turn",
    f"""CREATE TRIGGER before_commit_search INSTEAD OF INSERT ON before_commit
        WHEN EXISTS (SELECT 1 FROM task_search_stale) BEGIN
        INSERT INTO task_search (task_search, rowid, title, tags, description) SELECT 'delete', * FROM ({OF_STALE});
        INSERT INTO task_search (rowid, title, tags, description) {OF_TASKS};
        DELETE FROM task_search_stale WHERE number IN {SOME};
        END""",
)

_pages = import_module("taskwell.migrations.versions.0008_fewer_pages")
_first = import_module("taskwell.migrations.versions.0002_search")
OLD_TABLE = next(statement for statement in _first.SQLITE if statement.startswith("CREATE VIRTUAL TABLE"))


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        return
    _drop("VIEW task_search_source")
    for statement in SCHEMA:
        op.get_bind().exec_driver_sql(statement)
    op.execute("INSERT INTO task_search_stale (number) SELECT search FROM tasks")
    while op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT 1 FROM task_search_stale)")):
        op.execute("INSERT INTO before_commit VALUES (NULL)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        return
    _drop("VIEW before_commit", "TABLE task_search_stale")
    op.get_bind().exec_driver_sql(OLD_TABLE)
    _pages.keep_search(_pages.ALL, _pages.OF_ROW)
    op.execute("INSERT INTO task_search (task_search) VALUES ('rebuild')")


def _drop(*others: str) -> None:
    for each in (*(f"TRIGGER tasks_search_{event}" for event in EVENTS), "TABLE task_search", *others):
        op.execute(f"DROP {each}")
