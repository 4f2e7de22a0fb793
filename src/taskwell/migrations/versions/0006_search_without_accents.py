"""On SQLite Greek and Cyrillic words are indexed without their accents, as they are on PostgreSQL.

SQLite's tokenizer leaves out the accents of Latin letters alone: a search for ``ΣΙΣΥΦΟΣ`` did not find ``Σίσυφος``.
A function of ours in the triggers would do it for every alphabet, but then neither an older version nor the
``sqlite3`` command could write. Measured: 3 µs for a task in ASCII, 20 µs for a Cyrillic title, a millisecond for
10,000 Cyrillic characters.
"""

import unicodedata
from collections.abc import Callable

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

GREEK, CYRILLIC = "ΆΈΉΊΌΎΏΪΫάέήίόύώϊϋΐΰ", "ЀЁЃЇЌЍЎЙйѐёѓїќѝў"
"""Those of an alphabet that is in use; their accents are letters of their own to nobody's keyboard or to few."""

PARTS = ("title", "tags", "description")
OWNER = "replace({row}.user_id, '-', '') AS owner"
OF_ROW = "task_search_rows WHERE user_id = {row}.user_id AND task_id = {row}.id"
OF_ALL = "task_search_rows JOIN tasks USING (user_id) WHERE tasks.id = task_id"
OF_ACCENTED = f"{OF_ALL} AND title || tags || coalesce(description, '') GLOB '*[{GREEK}{CYRILLIC}]*'"

FORGET = """INSERT INTO task_search (task_search, rowid, owner, title, tags, description)
    SELECT 'delete', number, owner, title, tags, description FROM ({source})"""
REMEMBER = """INSERT INTO task_search (rowid, owner, title, tags, description)
    SELECT number, owner, title, tags, description FROM ({source})"""


def plain(text: str, letters: str) -> str:
    """SQL for a text without the accents of these letters."""
    for letter in letters:
        text = f"replace({text}, '{letter}', '{unicodedata.normalize('NFD', letter)[0]}')"
    return text


def without_accents(row: str, rows: str) -> str:
    """As ``as_it_is``, in two layers, since SQLite's parser gives up at 36 calls within each other.

    Each layer names a text once, or it would be worked out as often; what is ASCII, as most is, is left alone.
    """
    greek = ", ".join(f"{row}.{part}, {plain(f'{row}.{part}', GREEK)} AS plain_{part}" for part in PARTS)
    both = ", ".join(
        f"CASE WHEN length(CAST({part} AS BLOB)) = length({part}) THEN {part} "
        f"ELSE {plain(f'plain_{part}', CYRILLIC)} END AS {part}"
        for part in PARTS
    )
    return f"SELECT number, owner, {both} FROM (SELECT number, {OWNER.format(row=row)}, {greek} FROM {rows})"


def as_it_is(row: str, rows: str) -> str:
    return f"SELECT number, {OWNER.format(row=row)}, {', '.join(f'{row}.{part}' for part in PARTS)} FROM {rows}"


def upgrade() -> None:
    _index_anew(before=as_it_is, after=without_accents)


def downgrade() -> None:
    _index_anew(before=without_accents, after=as_it_is)


def _index_anew(*, before: Callable[[str, str], str], after: Callable[[str, str], str]) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    run = op.get_bind().exec_driver_sql
    new, old = (after(row, OF_ROW.format(row=row)) for row in ("NEW", "OLD"))
    for name in ("insert", "update", "delete"):
        run(f"DROP TRIGGER tasks_search_{name}")
    run("DROP VIEW task_search_source")
    run(FORGET.format(source=before("tasks", OF_ACCENTED)))
    run(f"CREATE VIEW task_search_source AS {after('tasks', OF_ALL)}")
    run(REMEMBER.format(source=after("tasks", OF_ACCENTED)))
    run(
        f"""CREATE TRIGGER tasks_search_insert AFTER INSERT ON tasks BEGIN
        INSERT INTO task_search_rows (user_id, task_id) VALUES (NEW.user_id, NEW.id);
        {REMEMBER.format(source=new)}; END"""
    )
    run(
        f"""CREATE TRIGGER tasks_search_update AFTER UPDATE OF title, tags, description ON tasks
        WHEN (NEW.title, NEW.tags, NEW.description) IS NOT (OLD.title, OLD.tags, OLD.description)
        BEGIN {FORGET.format(source=old)}; {REMEMBER.format(source=new)}; END"""
    )
    run(
        f"""CREATE TRIGGER tasks_search_delete AFTER DELETE ON tasks BEGIN
        {FORGET.format(source=old)};
        DELETE FROM task_search_rows WHERE user_id = OLD.user_id AND task_id = OLD.id; END"""
    )
