"""The first schema that was released. Until then every change of the tables changes this file and raises its number.

What search needs is made of SQL. A word in its index begins with the end of the space's id, since neither index has a
leading column: a search meets nobody else's words.

SQLite applies the rule for words outside SQL (``taskwell.database.search_tokens``). A trigger that called it would
keep the ``sqlite3`` command from writing. So the triggers only note which tasks have changed and what the index still
holds of them; Taskwell inserts into the view ``before_commit`` until nothing changes any more.
"""

import unicodedata
from itertools import chain, groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from taskwell.database import Day, TextList, UtcInstant, UuidText

revision = "0100"
down_revision = None
branch_labels = None
depends_on = None

BY_CODE_POINT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
LIVING = "deleted_at IS NULL"
PENDING = f"{LIVING} AND completed_at IS NULL"
COMPLETED = f"{LIVING} AND completed_at IS NOT NULL"

STATE = "CASE WHEN {row}.deleted_at IS NOT NULL THEN 0 WHEN {row}.completed_at IS NOT NULL THEN 1 ELSE 2 END"
NEW_STATE, OLD_STATE = STATE.format(row="NEW"), STATE.format(row="OLD")
IS_OTHER_STATE = f"{NEW_STATE} <> {OLD_STATE}"

# A reminder that has its moment from the task, or has not been settled yet, is looked at again. One that a worker
# holds keeps the end of its claim, and the worker sees by ``changes`` that it must look again.
MOVED = " OR ".join(
    f"NEW.{name} {{differs}} OLD.{name}" for name in ("due_key", "due_date", "completed_at", "deleted_at")
)
WAKE = """
    UPDATE reminders
    SET changes = changes + 1, changed_at = {now}, fire_at = CASE WHEN claimed_at IS NULL THEN {now} ELSE fire_at END
    WHERE space_id = NEW.space_id AND task_id = NEW.id AND (minutes_before_due IS NOT NULL OR settled_for IS NULL);
"""
WAKING = "AFTER UPDATE OF due_key, due_date, completed_at, deleted_at ON tasks"

# Comments come back with a restored task and go along with a moved one, so they change with it.
COMES_WITH_COMMENTS = "(NEW.deleted_at IS NULL AND OLD.deleted_at IS NOT NULL) OR NEW.space_id <> OLD.space_id"
STAMP_COMMENTS = "UPDATE comments SET revision = NEW.revision WHERE space_id = NEW.space_id AND task_id = NEW.id;"
STAMPING_COMMENTS = "AFTER UPDATE OF space_id, deleted_at ON tasks"
# Whoever leaves has no assignments any more. The verb has taken the space's next revision before.
UNASSIGN = """
    UPDATE tasks SET assignee_id = NULL, updated_at = {now},
        revision = (SELECT spaces.revision FROM spaces WHERE spaces.id = OLD.space_id)
    WHERE space_id = OLD.space_id AND assignee_id = OLD.user_id
        AND EXISTS (SELECT 1 FROM spaces WHERE spaces.id = OLD.space_id);
"""
POSTGRES_NOW, SQLITE_NOW = "clock_timestamp()", "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"

# What has the right spelling and state stays: each row costs three indexes, and a look for its task.
POSTGRES_TRIGGERS = (
    f"""CREATE FUNCTION tasks_keep_tags() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        new_state smallint := {NEW_STATE};
        kept text[] := '{{}}';
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF NEW.tags = OLD.tags THEN
                UPDATE task_tags SET state = new_state WHERE space_id = NEW.space_id AND task_id = NEW.id;
                RETURN NULL;
            END IF;
            IF new_state = ({OLD_STATE}) THEN
                kept := OLD.tags;
            END IF;
            DELETE FROM task_tags WHERE space_id = NEW.space_id AND task_id = NEW.id
                AND (state <> new_state OR tag <> ALL (NEW.tags COLLATE "C"));
        END IF;
        INSERT INTO task_tags (space_id, task_id, tag_key, tag, state)
        SELECT NEW.space_id, NEW.id, keyed.tag_key, keyed.tag, new_state
        FROM unnest(NEW.tag_keys, NEW.tags) AS keyed (tag_key, tag)
        WHERE keyed.tag <> ALL (kept);
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER tasks_tags_insert AFTER INSERT ON tasks FOR EACH ROW
        WHEN (cardinality(NEW.tags) > 0) EXECUTE FUNCTION tasks_keep_tags()""",
    f"""CREATE TRIGGER tasks_tags_update AFTER UPDATE OF tags, completed_at, deleted_at ON tasks FOR EACH ROW
        WHEN (NEW.tags IS DISTINCT FROM OLD.tags OR (cardinality(NEW.tags) > 0 AND {IS_OTHER_STATE}))
        EXECUTE FUNCTION tasks_keep_tags()""",
    f"""CREATE FUNCTION tasks_wake_reminders() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {WAKE.format(now=POSTGRES_NOW)} RETURN NULL; END $$""",
    f"""CREATE TRIGGER tasks_wake_reminders {WAKING}
        FOR EACH ROW WHEN ({MOVED.format(differs="IS DISTINCT FROM")}) EXECUTE FUNCTION tasks_wake_reminders()""",
    f"""CREATE FUNCTION tasks_stamp_comments() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {STAMP_COMMENTS} RETURN NULL; END $$""",
    f"""CREATE TRIGGER tasks_stamp_comments {STAMPING_COMMENTS}
        FOR EACH ROW WHEN ({COMES_WITH_COMMENTS}) EXECUTE FUNCTION tasks_stamp_comments()""",
    f"""CREATE FUNCTION memberships_unassign() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {UNASSIGN.format(now=POSTGRES_NOW)} RETURN NULL; END $$""",
    """CREATE TRIGGER memberships_unassign AFTER DELETE ON memberships
        FOR EACH ROW EXECUTE FUNCTION memberships_unassign()""",
)

# The first of these that the server has: `lower` must not depend on the locale that the database was made with.
COLLATIONS = ("pg_c_utf8", "und-x-icu", "default")

UNSPACED = (
    r"\U00000E01-\U00000EFF\U00001000-\U0000109F\U00001780-\U000017FF"
    r"\U00001100-\U000011FF\U00003131-\U0000318E\U0000A960-\U0000A97F\U0000AC00-\U0000D7FF"
    r"\U00003005-\U00003007\U00003041-\U000030FF\U000031F0-\U000031FF\U0000FF66-\U0000FFDC\U0001B000-\U0001B16F"
    r"\U00003105-\U0000312F\U000031A0-\U000031BF\U00003400-\U00004DBF\U00004E00-\U00009FFF"
    r"\U0000F900-\U0000FAFF\U00020000-\U0003FFFF"
)
"""As ``search_tokens.UNSPACED``: each of these letters is a word."""

# PostgreSQL's own parser is left out: what is a letter to it depends on the locale, and it knows hosts, paths and
# numbers where SQLite sees words. Plain SQL would be planned for each write; PL/pgSQL keeps its plan, and works out
# an expression outside a query without the executor. The function names nothing of ours, so a dump restores with an
# empty search_path. The parts are numbered apart, with room for every title and all tags: of two equal words at one
# place only the weightier would stay.
COMPOSED = r"normalize(regexp_replace(normalize(spaced, NFD), '[\u0300-\u036F]+', '', 'g'), NFC)"
FOLDED = rf"""replace(lower(
            CASE WHEN octet_length(spaced) = length(spaced) THEN spaced
            ELSE regexp_replace(regexp_replace({COMPOSED}, '[{UNSPACED}]', ' \& ', 'g'), ' +', ' ', 'g') END
            COLLATE "{{collation}}"), U&'\03C2', U&'\03C3')"""
SPACED = "regexp_replace({part}, '[{separators}]+', ' ', 'g')"
POSTGRES_SEARCH = (
    f"""CREATE FUNCTION search_vector(space_id uuid, title text, tags text[], description text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    DECLARE
        spaced text := {SPACED.replace("{part}", "title")};
        in_title text := {FOLDED};
        in_tags text;
        in_description text;
        own text := '''' || right(space_id::text, 8);
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
    END $$""",
    """ALTER TABLE tasks ADD COLUMN search tsvector
    GENERATED ALWAYS AS (search_vector(space_id, title, tags, description)) STORED""",
    # Not waiting for 4 MiB, which every search would read through, nor sorting in each write.
    "CREATE INDEX ix_tasks_search ON tasks USING gin (search) WITH (gin_pending_list_limit = 512)",
)
LAST_SYMBOL = 0x1FAFF
"""Beyond the last block of emoji there are letters, and signs that nobody writes in a task."""
TAGS = range(0xE0000, 0xE0080)
"""They spell the country in the flags of England, Scotland and Wales."""


def separates(character: str) -> bool:
    """Whether a character stands between words: spaces, punctuation, symbols, and what picks an emoji's look."""
    category = unicodedata.category(character)
    return (
        category[0] in "PSZ" or category in ("Cc", "Cf") or "\ufe00" <= character <= "\ufe0f" or character == "\u20e3"
    )


def separators() -> str:
    """The separators as what stands between the brackets of a regular expression of PostgreSQL's."""
    points = [point for point in chain(range(1, LAST_SYMBOL + 1), TAGS) if separates(chr(point))]
    runs = [[point for _, point in run] for _, run in groupby(enumerate(points), lambda pair: pair[1] - pair[0])]
    return "".join(f"\\U{run[0]:08X}-\\U{run[-1]:08X}" for run in runs)


SQLITE_TAGS = f"""
    INSERT INTO task_tags (space_id, task_id, tag_key, tag, state)
    SELECT NEW.space_id, NEW.id, keys.value, names.value, {NEW_STATE}
    FROM json_each(NEW.tag_keys) AS keys JOIN json_each(NEW.tags) AS names ON names.key = keys.key;
"""
SQLITE_TRIGGERS = (
    f"CREATE TRIGGER tasks_tags_insert AFTER INSERT ON tasks WHEN NEW.tags <> '[]' BEGIN {SQLITE_TAGS} END",
    f"""CREATE TRIGGER tasks_tags_update AFTER UPDATE OF tags ON tasks WHEN NEW.tags <> OLD.tags BEGIN
        DELETE FROM task_tags WHERE space_id = NEW.space_id AND task_id = NEW.id; {SQLITE_TAGS} END""",
    f"""CREATE TRIGGER tasks_tags_state AFTER UPDATE OF completed_at, deleted_at ON tasks
        WHEN NEW.tags = OLD.tags AND NEW.tags <> '[]' AND {IS_OTHER_STATE}
        BEGIN UPDATE task_tags SET state = {NEW_STATE} WHERE space_id = NEW.space_id AND task_id = NEW.id; END""",
    f"""CREATE TRIGGER tasks_wake_reminders {WAKING}
        WHEN {MOVED.format(differs="IS NOT")}
        BEGIN {WAKE.format(now=SQLITE_NOW)} END""",
    f"""CREATE TRIGGER tasks_stamp_comments {STAMPING_COMMENTS} WHEN {COMES_WITH_COMMENTS}
        BEGIN {STAMP_COMMENTS} END""",
    f"""CREATE TRIGGER memberships_unassign AFTER DELETE ON memberships
        BEGIN {UNASSIGN.format(now=SQLITE_NOW)} END""",
)

AT_ONCE = 1_000
"""Tasks, so that a restored backup need not be in memory as a whole."""

NOTE_OLD = """INSERT OR IGNORE INTO task_search_stale
    VALUES (OLD.search, OLD.space_id, OLD.title, OLD.tags, OLD.description);"""
SOME = f"(SELECT number FROM task_search_stale ORDER BY number LIMIT {AT_ONCE})"
AS_INDEXED = """SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
        json_extract(value, '$[3]')
    FROM json_each((SELECT search_words(CAST(json_group_array(json_array({number}, CAST(space_id AS TEXT),
        CAST(title AS TEXT), CAST(tags AS TEXT), CAST(description AS TEXT))) AS BLOB)) FROM {rows}))"""
"""The casts take whatever another program has written: a task that cannot be indexed would keep all from writing."""

OF_STALE = AS_INDEXED.format(
    number="number", rows=f"task_search_stale WHERE space_id IS NOT NULL AND number IN {SOME}"
)
OF_TASKS = AS_INDEXED.format(number="search", rows=f"tasks WHERE search IN {SOME}")
SQLITE_SEARCH = (
    """CREATE VIRTUAL TABLE task_search USING fts5 (title, tags, description,
        content='', columnsize=0, tokenize='ascii')""",
    # A row without its space is of a task that is in no index yet.
    """CREATE TABLE task_search_stale (number INTEGER PRIMARY KEY, space_id TEXT, title TEXT, tags TEXT,
        description TEXT)""",
    """CREATE TRIGGER tasks_search_insert AFTER INSERT ON tasks BEGIN
        INSERT OR IGNORE INTO task_search_stale (number) VALUES (NEW.search); END""",
    f"""CREATE TRIGGER tasks_search_update AFTER UPDATE OF space_id, title, tags, description ON tasks
        WHEN (NEW.space_id, NEW.title, NEW.tags, NEW.description)
            IS NOT (OLD.space_id, OLD.title, OLD.tags, OLD.description)
        BEGIN {NOTE_OLD} END""",
    f"CREATE TRIGGER tasks_search_delete AFTER DELETE ON tasks BEGIN {NOTE_OLD} END",
    "CREATE VIEW before_commit AS SELECT NULL AS turn",
    f"""CREATE TRIGGER before_commit_search INSTEAD OF INSERT ON before_commit
        WHEN EXISTS (SELECT 1 FROM task_search_stale) BEGIN
        INSERT INTO task_search (task_search, rowid, title, tags, description) SELECT 'delete', * FROM ({OF_STALE});
        INSERT INTO task_search (rowid, title, tags, description) {OF_TASKS};
        DELETE FROM task_search_stale WHERE number IN {SOME};
        END""",
)


def upgrade() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    _accounts()
    _sign_in()
    _tokens()
    _mails()
    _spaces()
    _invitations()
    _lists()
    _tasks(is_postgres=is_postgres)
    _indexes_of_tasks(is_postgres=is_postgres)
    _tags()
    _reminders()
    _comments()
    _tombstones()
    _deliveries()
    if is_postgres:
        known = set(op.get_bind().scalars(sa.text("SELECT collname FROM pg_collation")))
        collation = next(name for name in COLLATIONS if name in known)
        search = [
            each.replace("{collation}", collation).replace("{separators}", separators()) for each in POSTGRES_SEARCH
        ]
        _run(*POSTGRES_TRIGGERS, *search)
    else:
        _run(*SQLITE_TRIGGERS, *SQLITE_SEARCH)


def downgrade() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    if not is_postgres:
        _run("DROP VIEW before_commit", "DROP TABLE task_search", "DROP TABLE task_search_stale")
    for table in (
        *("deliveries", "webhooks", "tombstones", "comments", "reminders", "task_tags", "tasks", "lists"),
        *("invitation_bars", "invitation_tokens", "invitations", "memberships", "spaces"),
        *("mail_quotas", "mails", "known_groups", "one_time_tokens", "security_events", "idempotency_keys"),
        *("recovery_codes", "totp", "api_tokens", "external_identities", "users", "revoked_tokens"),
    ):
        op.drop_table(table)
    if is_postgres:
        _run(
            *(
                f"DROP FUNCTION {name}"
                for name in (
                    *("search_vector", "tasks_stamp_comments", "tasks_wake_reminders", "tasks_keep_tags"),
                    "memberships_unassign",
                )
            )
        )


def _run(*statements: str) -> None:
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)


def _column(name: str, kind: sa.types.TypeEngine[Any], *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable)


def _accounts() -> None:
    op.create_table(
        "revoked_tokens",
        _column("token_id", sa.Text()),
        _column("user_id", UuidText()),
        _column("expires_at", UtcInstant()),
        _column("revoked_at", UtcInstant()),
        sa.PrimaryKeyConstraint("token_id"),
    )
    op.create_index("ix_revoked_tokens_expires_at", "revoked_tokens", ["expires_at"])
    op.create_index("ix_revoked_tokens_revoked_at", "revoked_tokens", ["revoked_at"])
    op.create_table(
        "users",
        _column("id", UuidText()),
        _column("email", sa.Text(), nullable=True),
        _column("email_key", sa.Text(), nullable=True),
        _column("email_verified_at", UtcInstant(), nullable=True),
        _column("email_said_at", UtcInstant(), nullable=True),
        _column("pending_email", sa.Text(), nullable=True),
        _column("name", sa.Text()),
        _column("password_hash", sa.Text(), nullable=True),
        _column("tokens_valid_after", UtcInstant(), nullable=True),
        _column("kept_token_id", sa.Text(), nullable=True),
        _column("disabled_at", UtcInstant(), nullable=True),
        _column("created_at", UtcInstant()),
        _column("updated_at", UtcInstant()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email_key"),
    )
    op.create_table(
        "external_identities",
        _column("issuer", sa.Text()),
        _column("subject", sa.Text()),
        _column("user_id", UuidText()),
        _of_user(),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index("ix_external_identities_user_id", "external_identities", ["user_id"])
    op.create_table(
        "idempotency_keys",
        _column("user_id", UuidText()),
        _column("path", sa.Text()),
        _column("key", sa.Text()),
        _column("request_hash", sa.Text()),
        _column("status", sa.Integer()),
        _column("headers", sa.Text()),
        _column("response", sa.LargeBinary()),
        _column("spaces", TextList()),
        _column("created_at", UtcInstant()),
        _of_user(),
        sa.PrimaryKeyConstraint("user_id", "path", "key"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
    op.create_table(
        "security_events",
        _column("id", UuidText()),
        _column("user_id", UuidText(), nullable=True),
        _column("kind", sa.Text()),
        _column("address", sa.Text(), nullable=True),
        _column("subject", sa.Text(), nullable=True),
        sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _column("at", UtcInstant()),
        _of_user(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_security_events_user_id_id", "security_events", ["user_id", "id"])
    op.create_index("ix_security_events_at", "security_events", ["at"])


def _mails() -> None:
    op.create_table(
        "mails",
        _column("id", UuidText()),
        _column("kind", sa.Text()),
        _column("user_id", UuidText(), nullable=True),
        _column("email", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _column("created_at", UtcInstant()),
        _column("claimed_at", UtcInstant(), nullable=True),
        _column("fire_at", UtcInstant()),
        _of_user(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mails_fire_at", "mails", ["fire_at"])
    op.create_index("ix_mails_user_id", "mails", ["user_id"])
    op.create_table(
        "mail_quotas",
        _column("name", sa.Text()),
        _column("began_at", UtcInstant()),
        _column("used", sa.Integer()),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_mail_quotas_began_at", "mail_quotas", ["began_at"])


def _sign_in() -> None:
    op.create_table(
        "one_time_tokens",
        _column("hash", sa.Text()),
        _column("purpose", sa.Text()),
        _column("user_id", UuidText()),
        _column("email", sa.Text()),
        _column("detail", sa.Text(), nullable=True),
        _column("expires_at", UtcInstant()),
        _of_user(),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_one_time_tokens_user_id", "one_time_tokens", ["user_id"])
    op.create_index("ix_one_time_tokens_expires_at", "one_time_tokens", ["expires_at"])
    op.create_table(
        "known_groups",
        _column("user_id", UuidText()),
        _column("group_hash", sa.Text()),
        _column("last_on", Day()),
        _of_user(),
        sa.PrimaryKeyConstraint("user_id", "group_hash"),
    )
    op.create_index("ix_known_groups_last_on", "known_groups", ["last_on"])


def _tokens() -> None:
    op.create_table(
        "api_tokens",
        _column("id", UuidText()),
        _column("user_id", UuidText()),
        _column("hash", sa.Text()),
        _column("name", sa.Text()),
        _column("scopes", TextList()),
        _column("space_ids", TextList(), nullable=True),
        _column("expires_at", UtcInstant(), nullable=True),
        _column("last_used_on", Day(), nullable=True),
        _column("created_at", UtcInstant()),
        _of_user(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"])
    op.create_table(
        "totp",
        _column("user_id", UuidText()),
        _column("secret", sa.Text()),
        _count("last_timecode"),
        _column("confirmed_at", UtcInstant(), nullable=True),
        _of_user(),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "recovery_codes",
        _column("user_id", UuidText()),
        _column("hash", sa.Text()),
        _of_user(),
        sa.PrimaryKeyConstraint("user_id", "hash"),
    )


def _of_user() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE")


def _of_space() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["space_id"], ["spaces.id"], ondelete="CASCADE")


def _of_task() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["space_id", "task_id"], ["tasks.space_id", "tasks.id"], ondelete="CASCADE", onupdate="CASCADE"
    )


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _spaces() -> None:
    op.create_table(
        "spaces",
        _column("id", UuidText()),
        _column("kind", sa.Text()),
        _column("name", sa.Text()),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        *map(_count, ("revision", "access", "changed_revision", "living", "forgotten_until")),
        _column("created_by", UuidText()),
        _column("created_at", UtcInstant()),
        _column("updated_at", UtcInstant()),
        sa.CheckConstraint("kind IN ('personal', 'shared')", name="kind"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "memberships",
        _column("space_id", UuidText()),
        _column("user_id", UuidText()),
        _column("role", sa.Text()),
        _column("joined_at", UtcInstant()),
        sa.CheckConstraint("role IN ('owner', 'editor', 'reader')", name="role"),
        _of_space(),
        _of_user(),
        sa.PrimaryKeyConstraint("space_id", "user_id"),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])


def _of_membership(user: str) -> sa.ForeignKeyConstraint:
    key = ["memberships.space_id", "memberships.user_id"]
    return sa.ForeignKeyConstraint(["space_id", user], key, ondelete="CASCADE")


def _invitations() -> None:
    op.create_table(
        "invitations",
        _column("space_id", UuidText()),
        _column("id", UuidText()),
        _column("role", sa.Text()),
        _column("email", sa.Text(), nullable=True),
        _column("email_key", sa.Text(), nullable=True),
        _column("uses_left", sa.Integer()),
        _column("expires_at", UtcInstant()),
        _column("created_by", UuidText()),
        _column("created_at", UtcInstant()),
        sa.CheckConstraint("role IN ('owner', 'editor', 'reader')", name="role"),
        sa.CheckConstraint("uses_left >= 0", name="uses"),
        _of_membership("created_by"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_invitations_member", "invitations", ["space_id", "created_by"])
    op.create_index("ix_invitations_expires_at", "invitations", ["expires_at"])
    for name, column, kind in (("tokens", "hash", sa.Text()), ("bars", "user_id", UuidText())):
        op.create_table(
            f"invitation_{name}",
            _column(column, kind),
            _column("invitation_id", UuidText()),
            sa.ForeignKeyConstraint(["invitation_id"], ["invitations.id"], ondelete="CASCADE"),
            *([_of_user()] if name == "bars" else []),
            sa.PrimaryKeyConstraint(*([column] if name == "tokens" else [column, "invitation_id"])),
        )
        op.create_index(f"ix_invitation_{name}_invitation_id", f"invitation_{name}", ["invitation_id"])


def _lists() -> None:
    op.create_table(
        "lists",
        _column("space_id", UuidText()),
        _column("id", UuidText()),
        _column("name", sa.Text()),
        _column("color", sa.Text(), nullable=True),
        _column("position", sa.BigInteger()),
        _column("revision", sa.BigInteger()),
        _column("created_at", UtcInstant()),
        _column("updated_at", UtcInstant()),
        _of_space(),
        sa.PrimaryKeyConstraint("space_id", "id"),
    )


def _tasks(*, is_postgres: bool) -> None:
    """On SQLite each task has a number, which is what the search knows it by; VACUUM leaves a named one alone."""
    key: list[sa.schema.SchemaItem] = [sa.PrimaryKeyConstraint("space_id", "id")]
    if not is_postgres:
        key = [
            sa.Column("search", sa.Integer(), primary_key=True),
            sa.UniqueConstraint("space_id", "id", name="uq_tasks_beside_search"),
        ]
    op.create_table(
        "tasks",
        *key,
        _column("space_id", UuidText()),
        _column("id", UuidText()),
        _column("list_id", UuidText(), nullable=True),
        _column("title", sa.Text()),
        _column("title_key", BY_CODE_POINT),
        _column("description", sa.Text(), nullable=True),
        _column("priority", sa.SmallInteger()),
        _column("completed_at", UtcInstant(), nullable=True),
        _column("due_date", Day(), nullable=True),
        _column("due_at", UtcInstant(), nullable=True),
        _column("due_key", UtcInstant(), nullable=True),
        _column("tags", TextList()),
        _column("tag_keys", TextList()),
        _column("created_by", UuidText()),
        _column("completed_by", UuidText(), nullable=True),
        _column("assignee_id", UuidText(), nullable=True),
        _column("revision", sa.BigInteger()),
        _column("created_at", UtcInstant()),
        _column("updated_at", UtcInstant()),
        _column("deleted_at", UtcInstant(), nullable=True),
        sa.CheckConstraint("due_date IS NULL OR due_at IS NULL", name="one_due"),
        sa.CheckConstraint("priority BETWEEN 1 AND 4", name="priority"),
        sa.ForeignKeyConstraint(["space_id", "list_id"], ["lists.space_id", "lists.id"]),
        _of_space(),
    )


def _indexes_of_tasks(*, is_postgres: bool) -> None:
    """On SQLite an index ends with the row's number, which orders those of one key as well as the id does."""
    for name, columns, condition in (
        ("created", ["created_at", "id"], LIVING),
        ("updated", ["updated_at", "id"], LIVING),
        ("priority", ["priority", "id"], LIVING),
        ("title", ["title_key", "id"], LIVING),
        ("due", ["due_key", "id"], LIVING),
        ("completed", ["completed_at", "created_at"], COMPLETED),
        ("list", ["list_id", "created_at", "id"], None),
        ("trash", ["deleted_at", "id"], "deleted_at IS NOT NULL"),
        ("assignee", ["assignee_id", "id"], "assignee_id IS NOT NULL"),
        *(
            [("open", ["list_id", "priority", "due_key"], PENDING), ("pending", ["created_at", "id"], PENDING)]
            if is_postgres
            else [("unfinished", ["list_id", "priority", "due_key", "created_at", "id"], PENDING)]
        ),
    ):
        keys = columns[:-1] if columns[-1] == "id" and not is_postgres else columns
        where = None if condition is None else sa.text(condition)
        op.create_index(f"ix_tasks_{name}", "tasks", ["space_id", *keys], postgresql_where=where, sqlite_where=where)


def _tags() -> None:
    op.create_table(
        "task_tags",
        _column("space_id", UuidText()),
        _column("tag_key", BY_CODE_POINT),
        _column("task_id", UuidText()),
        _column("tag", BY_CODE_POINT),
        sa.Column("state", sa.SmallInteger(), server_default=sa.text("2"), nullable=False),
        _of_task(),
        sa.PrimaryKeyConstraint("space_id", "tag_key", "task_id"),
    )
    op.create_index("ix_task_tags_task", "task_tags", ["space_id", "task_id"])
    op.create_index("ix_task_tags_state", "task_tags", ["space_id", "state", "tag_key", "tag"])


def _reminders() -> None:
    op.create_table(
        "reminders",
        _column("space_id", UuidText()),
        _column("id", UuidText()),
        _column("user_id", UuidText()),
        _column("task_id", UuidText()),
        _column("channel", sa.Text()),
        _column("remind_at", UtcInstant(), nullable=True),
        _column("minutes_before_due", sa.Integer(), nullable=True),
        _column("fire_at", UtcInstant(), nullable=True),
        _column("claimed_at", UtcInstant(), nullable=True),
        _column("tried_since", UtcInstant(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _column("delivery_id", UuidText()),
        _column("settled_for", UtcInstant(), nullable=True),
        _column("sent_at", UtcInstant(), nullable=True),
        _column("changed_at", UtcInstant()),
        sa.Column("changes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _column("created_at", UtcInstant()),
        sa.CheckConstraint("(remind_at IS NULL) <> (minutes_before_due IS NULL)", name="one_moment"),
        sa.CheckConstraint("channel IN ('email', 'webhook')", name="channel"),
        _of_task(),
        _of_membership("user_id"),
        sa.PrimaryKeyConstraint("space_id", "id"),
    )
    op.create_index("ix_reminders_task", "reminders", ["space_id", "task_id"])
    op.create_index("ix_reminders_user_id", "reminders", ["user_id"])
    op.create_index("ix_reminders_member", "reminders", ["space_id", "user_id"])
    waiting = sa.text("fire_at IS NOT NULL")
    op.create_index("ix_reminders_fire", "reminders", ["fire_at"], postgresql_where=waiting, sqlite_where=waiting)


def _comments() -> None:
    op.create_table(
        "comments",
        _column("space_id", UuidText()),
        _column("id", UuidText()),
        _column("task_id", UuidText()),
        _column("author_id", UuidText()),
        _column("text", sa.Text()),
        _column("revision", sa.BigInteger()),
        _column("created_at", UtcInstant()),
        _column("updated_at", UtcInstant()),
        _of_task(),
        sa.PrimaryKeyConstraint("space_id", "id"),
    )
    op.create_index("ix_comments_task", "comments", ["space_id", "task_id", "id"])


def _tombstones() -> None:
    op.create_table(
        "tombstones",
        _column("space_id", UuidText()),
        _column("kind", sa.Text()),
        _column("id", UuidText()),
        _column("user_id", UuidText(), nullable=True),
        _column("revision", sa.BigInteger()),
        _column("at", UtcInstant()),
        _of_space(),
        sa.PrimaryKeyConstraint("space_id", "kind", "id"),
    )
    op.create_index("ix_tombstones_revision", "tombstones", ["space_id", "revision"])


def _deliveries() -> None:
    op.create_table(
        "webhooks",
        _column("user_id", UuidText()),
        _column("url", sa.Text()),
        _column("secret", sa.Text()),
        _column("created_at", UtcInstant()),
        _column("updated_at", UtcInstant()),
        _of_user(),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "deliveries",
        _column("user_id", UuidText()),
        _column("id", UuidText()),
        _column("reminder_id", UuidText()),
        _column("task_id", UuidText()),
        _column("channel", sa.Text()),
        _column("status", sa.Text()),
        _column("attempts", sa.Integer()),
        _column("error", sa.Text(), nullable=True),
        _column("created_at", UtcInstant()),
        _column("tried_at", UtcInstant()),
        _column("next_try_at", UtcInstant(), nullable=True),
        _column("sent_at", UtcInstant(), nullable=True),
        sa.CheckConstraint("status IN ('sent', 'retrying', 'failed')", name="status"),
        _of_user(),
        sa.PrimaryKeyConstraint("user_id", "id"),
    )
    op.create_index("ix_deliveries_newest", "deliveries", ["user_id", "created_at", "id"])
    op.create_index("ix_deliveries_created_at", "deliveries", ["created_at"])
