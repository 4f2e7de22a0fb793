"""Text is compared composed, titles sort without accents, and each letter of a script without spaces is a word.

Tags of a task that have become one are one; the index of the search is made again where the words are others.
"""

import re

import sqlalchemy as sa
from alembic import op

from taskwell.database import TextList
from taskwell.tasks.task import tag_key, without_twins
from taskwell.text import sort_key

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

allowed = {"every_row": "no version that serves was released with a schema before it"}

TASKS = sa.table(
    "tasks",
    sa.column("user_id"),
    sa.column("id"),
    sa.column("title"),
    sa.column("tags", TextList),
    sa.column("title_key"),
)
TASKS.append_column(sa.column("tag_keys", TextList))

UNSPACED = (
    r"\U00000E01-\U00000EFF\U00001000-\U0000109F\U00001780-\U000017FF"
    r"\U00001100-\U000011FF\U00003131-\U0000318E\U0000A960-\U0000A97F\U0000AC00-\U0000D7FF"
    r"\U00003005-\U00003007\U00003041-\U000030FF\U000031F0-\U000031FF\U0000FF66-\U0000FFDC\U0001B000-\U0001B16F"
    r"\U00003105-\U0000312F\U000031A0-\U000031BF\U00003400-\U00004DBF\U00004E00-\U00009FFF"
    r"\U0000F900-\U0000FAFF\U00020000-\U0003FFFF"
)
SPACED = "regexp_replace({part}, '[{separators}]+', ' ', 'g')"
COMPOSED = r"normalize(regexp_replace(normalize(spaced, NFD), '[\u0300-\u036F]+', '', 'g'), NFC)"
FOLDED = rf"""replace(lower(
            CASE WHEN octet_length(spaced) = length(spaced) THEN spaced
            ELSE regexp_replace(regexp_replace({COMPOSED}, '[{UNSPACED}]', ' \& ', 'g'), ' +', ' ', 'g') END
            COLLATE "{{collation}}"), U&'\03C2', U&'\03C3')"""
SEARCH_VECTOR = f"""CREATE OR REPLACE FUNCTION search_vector(
        user_id uuid, title text, tags text[], description text
    ) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    DECLARE
        spaced text := {SPACED.replace("{part}", "title")};
        in_title text := {FOLDED};
        in_tags text;
        in_description text;
        own text := '''' || right(user_id::text, 8);
    BEGIN
        spaced := {SPACED.replace("{part}", "array_to_string(tags, ' ')")};
        in_tags := {FOLDED};
        spaced := {SPACED.replace("{part}", "description")};
        in_description := {FOLDED};
        RETURN (
            SELECT coalesce(
                string_agg(own || word || ''':' || least(start + place, 16383) || weight, ' '), ''
            )::tsvector
            FROM (VALUES (in_title, 'A', 0), (in_tags, 'B', 300), (in_description, 'C', 1500))
                AS parts (part, weight, start),
            LATERAL string_to_table(part, ' ') WITH ORDINALITY AS words (word, place)
            WHERE octet_length(word) BETWEEN 1 AND 2000
        );
    END $$"""
SOURCE = "SELECT prosrc FROM pg_proc WHERE oid = 'search_vector(uuid, text, text[], text)'::regprocedure"
REINDEX = f"UPDATE tasks SET title = title WHERE concat(title, tags, description) ~ '[{UNSPACED}]'"


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        source = str(connection.scalar(sa.text(SOURCE)))
        separators, collation = re.search(r"'\[(\\U.*?)\]\+'", source), re.search(r'COLLATE "(.*?)"', source)
        assert separators is not None
        assert collation is not None
        function = SEARCH_VECTOR.replace("{separators}", separators[1]).replace("{collation}", collation[1])
        connection.exec_driver_sql(function)
        connection.exec_driver_sql(REINDEX)
    else:
        op.execute("INSERT INTO task_search (task_search) VALUES ('delete-all')")
        op.execute("DELETE FROM task_search_stale")
        op.execute("INSERT INTO task_search_stale (number) SELECT search FROM tasks")
        _index_what_is_stale()
    _write_keys()


def _write_keys() -> None:
    """The tags are taken away first, since the triggers look at the tags and not at their keys."""
    connection = op.get_bind()
    for user_id, task_id, title, tags in connection.execute(
        sa.select(TASKS.c.user_id, TASKS.c.id, TASKS.c.title, TASKS.c.tags)
    ).all():
        if title.isascii() and "".join(tags).isascii():
            continue
        kept = without_twins(list(tags))
        change = sa.update(TASKS).where(TASKS.c.user_id == user_id, TASKS.c.id == task_id)
        connection.execute(change.values(title_key=sort_key(title), tags=(), tag_keys=()))
        if kept:
            connection.execute(change.values(tags=kept, tag_keys=tuple(map(tag_key, kept))))
    if connection.dialect.name == "sqlite":
        _index_what_is_stale()


def _index_what_is_stale() -> None:
    while op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT 1 FROM task_search_stale)")):
        op.execute("INSERT INTO before_commit VALUES (NULL)")


def downgrade() -> None:
    """Nothing: the older version reads the same columns, and finds what it has written."""
