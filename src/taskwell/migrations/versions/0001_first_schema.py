"""The first schema: users, identities, tokens, lists, tasks and tags."""

import sqlalchemy as sa
from alembic import op

from taskwell.database import Day, TextList, UtcInstant, UuidText

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BY_CODE_POINT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

SQLITE_TAGS = """
    INSERT INTO task_tags (user_id, task_id, tag_key, tag)
    SELECT NEW.user_id, NEW.id, keys.value, names.value
    FROM json_each(NEW.tag_keys) AS keys JOIN json_each(NEW.tags) AS names ON names.key = keys.key;
"""
SQLITE_TRIGGERS = (
    f"CREATE TRIGGER tasks_tags_insert AFTER INSERT ON tasks WHEN NEW.tags <> '[]' BEGIN {SQLITE_TAGS} END",
    f"""CREATE TRIGGER tasks_tags_update AFTER UPDATE OF tags ON tasks WHEN NEW.tags <> OLD.tags BEGIN
        DELETE FROM task_tags WHERE user_id = NEW.user_id AND task_id = NEW.id; {SQLITE_TAGS} END""",
)
POSTGRES_TRIGGERS = (
    """CREATE FUNCTION tasks_keep_tags() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            DELETE FROM task_tags WHERE user_id = NEW.user_id AND task_id = NEW.id;
        END IF;
        INSERT INTO task_tags (user_id, task_id, tag_key, tag)
        SELECT NEW.user_id, NEW.id, keyed.tag_key, keyed.tag
        FROM unnest(NEW.tag_keys, NEW.tags) AS keyed (tag_key, tag);
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER tasks_tags_insert AFTER INSERT ON tasks FOR EACH ROW
        WHEN (cardinality(NEW.tags) > 0) EXECUTE FUNCTION tasks_keep_tags()""",
    """CREATE TRIGGER tasks_tags_update AFTER UPDATE OF tags ON tasks FOR EACH ROW
        WHEN (NEW.tags IS DISTINCT FROM OLD.tags) EXECUTE FUNCTION tasks_keep_tags()""",
)


def upgrade() -> None:
    op.create_table(
        "revoked_tokens",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("expires_at", UtcInstant(), nullable=False),
        sa.Column("revoked_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("token_id", name="pk_revoked_tokens"),
    )
    op.create_index("ix_revoked_tokens_expires_at", "revoked_tokens", ["expires_at"])
    op.create_index("ix_revoked_tokens_revoked_at", "revoked_tokens", ["revoked_at"])
    op.create_table(
        "users",
        sa.Column("id", UuidText(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tokens_valid_after", UtcInstant(), nullable=True),
        sa.Column("kept_token_id", sa.Text(), nullable=True),
        sa.Column("disabled_at", UtcInstant(), nullable=True),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("updated_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email_key", name="uq_users_email_key"),
    )
    op.create_table(
        "external_identities",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("user_id", UuidText(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_external_identities_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_external_identities"),
    )
    op.create_index("ix_external_identities_user_id", "external_identities", ["user_id"])
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_idempotency_keys_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "path", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
    op.create_table(
        "lists",
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("id", UuidText(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("updated_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_lists_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_lists"),
    )
    op.create_table(
        "tasks",
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("id", UuidText(), nullable=False),
        sa.Column("list_id", UuidText(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_key", BY_CODE_POINT, nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("completed_at", UtcInstant(), nullable=True),
        sa.Column("due_date", Day(), nullable=True),
        sa.Column("due_at", UtcInstant(), nullable=True),
        sa.Column("due_key", UtcInstant(), nullable=True),
        sa.Column("tags", TextList(), nullable=False),
        sa.Column("tag_keys", TextList(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("updated_at", UtcInstant(), nullable=False),
        sa.Column("deleted_at", UtcInstant(), nullable=True),
        sa.CheckConstraint("due_date IS NULL OR due_at IS NULL", name="ck_tasks_one_due"),
        sa.CheckConstraint("priority BETWEEN 1 AND 4", name="ck_tasks_priority"),
        sa.ForeignKeyConstraint(
            ["user_id", "list_id"], ["lists.user_id", "lists.id"], name="fk_tasks_user_id_list_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tasks_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_tasks"),
    )
    _partial_index(
        "ix_tasks_completed", ["user_id", "completed_at"], "deleted_at IS NULL AND completed_at IS NOT NULL"
    )
    _partial_index("ix_tasks_created", ["user_id", "created_at", "id"], "deleted_at IS NULL")
    _partial_index("ix_tasks_due", ["user_id", "due_key", "id"], "deleted_at IS NULL AND due_key IS NOT NULL")
    _partial_index("ix_tasks_list", ["user_id", "list_id", "created_at", "id"], "list_id IS NOT NULL")
    _partial_index("ix_tasks_pending", ["user_id", "created_at", "id"], "deleted_at IS NULL AND completed_at IS NULL")
    _partial_index("ix_tasks_priority", ["user_id", "priority", "id"], "deleted_at IS NULL")
    _partial_index("ix_tasks_title", ["user_id", "title_key", "id"], "deleted_at IS NULL")
    _partial_index("ix_tasks_trash", ["user_id", "deleted_at", "id"], "deleted_at IS NOT NULL")
    _partial_index("ix_tasks_updated", ["user_id", "updated_at", "id"], "deleted_at IS NULL")
    op.create_table(
        "task_tags",
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("tag_key", BY_CODE_POINT, nullable=False),
        sa.Column("task_id", UuidText(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id", "task_id"],
            ["tasks.user_id", "tasks.id"],
            name="fk_task_tags_user_id_task_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "tag_key", "task_id", name="pk_task_tags"),
    )
    op.create_index("ix_task_tags_task", "task_tags", ["user_id", "task_id"])
    for statement in POSTGRES_TRIGGERS if op.get_bind().dialect.name == "postgresql" else SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "task_tags",
        "tasks",
        "lists",
        "idempotency_keys",
        "external_identities",
        "users",
        "revoked_tokens",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION tasks_keep_tags")


def _partial_index(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "tasks", columns, postgresql_where=where, sqlite_where=where)
