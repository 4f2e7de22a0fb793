"""Full-text search over title, tags and description.

Both databases see the same words: what is neither letter, mark nor digit separates them, accents are left out,
and case is folded, whatever the locale of the database. On PostgreSQL each word begins with the end of its user's id,
as a GIN index has no leading column: a search meets the words of its own user alone. On SQLite, which has few users,
the id is a word of its own.
"""

import unicodedata
from itertools import groupby

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
allowed = dict.fromkeys(("index", "reckoned_column"), "no version that serves was released with a schema before it")
"""The rules of docs/upgrading.md that it breaks, and why it may."""

LAST_SYMBOL = 0x1FAFF
"""Beyond the last block of emoji there are letters, and signs that nobody writes in a task."""


def separates(character: str) -> bool:
    """Whether a character stands between words: spaces, punctuation, symbols, and what picks an emoji's look."""
    category = unicodedata.category(character)
    return (
        category[0] in "PSZ" or category in ("Cc", "Cf") or "\ufe00" <= character <= "\ufe0f" or character == "\u20e3"
    )


def separators() -> str:
    """The separators as what stands between the brackets of a regular expression of PostgreSQL's."""
    points = [point for point in range(1, LAST_SYMBOL + 1) if separates(chr(point))]
    runs = [[point for _, point in run] for _, run in groupby(enumerate(points), lambda pair: pair[1] - pair[0])]
    return "".join(f"\\U{run[0]:08X}-\\U{run[-1]:08X}" for run in runs)


# The first of these that the server has: `lower` must not depend on the locale that the database was made with.
COLLATIONS = ("pg_c_utf8", "und-x-icu", "default")

# PostgreSQL's own parser is left out: what is a letter to it depends on the locale, and it knows hosts, paths and
# numbers where SQLite sees words. Plain SQL would be planned anew for each write; PL/pgSQL keeps its plan. It names
# nothing of ours, so a dump restores with an empty search_path. The parts are numbered apart, with room for every
# title and all tags: of two equal words at one place only the weightier would stay.
POSTGRES = (
    r"""CREATE FUNCTION search_vector(user_id uuid, title text, tags text[], description text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    BEGIN
        RETURN (
            SELECT coalesce(string_agg(
                concat('''', right(user_id::text, 8), word, ''':', least(start + place, 16383), weight), ' '), ''
            )::tsvector
            FROM (VALUES (title, 'A', 0), (array_to_string(tags, ' '), 'B', 300), (description, 'C', 1500))
                AS parts (part, weight, start),
            LATERAL (SELECT regexp_replace(part, '[{separators}]+', ' ', 'g') AS spaced OFFSET 0) AS spaced,
            LATERAL string_to_table(replace(lower(
                CASE WHEN octet_length(spaced) = length(spaced) THEN spaced
                ELSE normalize(regexp_replace(normalize(spaced, NFD), '[\u0300-\u036F]+', '', 'g'), NFC) END
                COLLATE "{collation}"), U&'\03C2', U&'\03C3'), ' ') WITH ORDINALITY AS words (word, place)
            WHERE octet_length(word) BETWEEN 1 AND 2000
        );
    END $$""",
    """ALTER TABLE tasks ADD COLUMN search tsvector
    GENERATED ALWAYS AS (search_vector(user_id, title, tags, description)) STORED""",
    # Not waiting for 4 MiB, which every search would read through, nor sorting in each write.
    "CREATE INDEX ix_tasks_search ON tasks USING gin (search) WITH (gin_pending_list_limit = 512)",
)

# Emoji younger than the tables of SQLite's tokenizer would be letters to it.
EMOJI = "".join(filter(separates, map(chr, [0x20E3, *range(0xFE00, 0xFE10), *range(0x1F000, LAST_SYMBOL + 1)])))
FORGET = """INSERT INTO task_search (task_search, rowid, owner, title, tags, description)
    SELECT 'delete', number, replace(OLD.user_id, '-', ''), OLD.title, OLD.tags, OLD.description
    FROM task_search_rows WHERE user_id = OLD.user_id AND task_id = OLD.id;"""
REMEMBER = """INSERT INTO task_search (rowid, owner, title, tags, description)
    SELECT number, replace(NEW.user_id, '-', ''), NEW.title, NEW.tags, NEW.description
    FROM task_search_rows WHERE user_id = NEW.user_id AND task_id = NEW.id;"""

# VACUUM may renumber the rows of `tasks`, which have no integer key, so the index has numbers of its own.
SQLITE = (
    """CREATE TABLE task_search_rows (number INTEGER PRIMARY KEY, user_id TEXT NOT NULL, task_id TEXT NOT NULL,
        UNIQUE (user_id, task_id))""",
    """CREATE VIEW task_search_source AS
        SELECT number, replace(user_id, '-', '') AS owner, title, tags, description
        FROM task_search_rows JOIN tasks USING (user_id) WHERE tasks.id = task_id""",
    f"""CREATE VIRTUAL TABLE task_search USING fts5 (owner, title, tags, description,
        content='task_search_source', content_rowid='number', columnsize=0,
        tokenize="unicode61 remove_diacritics 2 categories 'L* M* N* Co' separators '{EMOJI}'")""",
    "INSERT INTO task_search_rows (user_id, task_id) SELECT user_id, id FROM tasks ORDER BY created_at, id",
    "INSERT INTO task_search (task_search) VALUES ('rebuild')",
    f"""CREATE TRIGGER tasks_search_insert AFTER INSERT ON tasks BEGIN
        INSERT INTO task_search_rows (user_id, task_id) VALUES (NEW.user_id, NEW.id); {REMEMBER} END""",
    f"""CREATE TRIGGER tasks_search_update AFTER UPDATE OF title, tags, description ON tasks
        WHEN (NEW.title, NEW.tags, NEW.description) IS NOT (OLD.title, OLD.tags, OLD.description)
        BEGIN {FORGET} {REMEMBER} END""",
    f"""CREATE TRIGGER tasks_search_delete AFTER DELETE ON tasks BEGIN
        {FORGET} DELETE FROM task_search_rows WHERE user_id = OLD.user_id AND task_id = OLD.id; END""",
)


WITH_GAPS = {
    "ix_tasks_due": (["user_id", "due_key", "id"], "deleted_at IS NULL AND due_key IS NOT NULL"),
    "ix_tasks_list": (["user_id", "list_id", "created_at", "id"], "list_id IS NOT NULL"),
}
"""What has no due and no list is looked for too: it is the inbox, and mostly nearly empty."""


def upgrade() -> None:
    for name in WITH_GAPS:
        op.drop_index(name, "tasks")
    living = sa.text("deleted_at IS NULL")
    op.create_index(
        "ix_tasks_due", "tasks", ["user_id", "due_key", "id"], postgresql_where=living, sqlite_where=living
    )
    op.create_index("ix_tasks_list", "tasks", ["user_id", "list_id", "created_at", "id"])
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for statement in SQLITE:
            connection.exec_driver_sql(statement)
        return
    known = set(connection.scalars(sa.text("SELECT collname FROM pg_collation")))
    collation = next(name for name in COLLATIONS if name in known)
    for statement in POSTGRES:
        connection.exec_driver_sql(statement.replace("{collation}", collation).replace("{separators}", separators()))


def downgrade() -> None:
    for name, (columns, condition) in WITH_GAPS.items():
        where = sa.text(condition)
        op.drop_index(name, "tasks")
        op.create_index(name, "tasks", columns, postgresql_where=where, sqlite_where=where)
    if op.get_bind().dialect.name == "sqlite":
        for name in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER tasks_search_{name}")
        op.execute("DROP TABLE task_search")
        op.execute("DROP VIEW task_search_source")
        op.execute("DROP TABLE task_search_rows")
        return
    op.drop_column("tasks", "search")  # and its index with it
    op.execute("DROP FUNCTION search_vector")
