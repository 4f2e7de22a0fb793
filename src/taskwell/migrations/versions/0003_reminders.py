"""Reminders, webhooks and the delivery log."""

import sqlalchemy as sa
from alembic import op

from taskwell.database import UtcInstant, UuidText

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A reminder that has its moment from the task, or has not been settled yet, is looked at again; one that a worker
# holds keeps the end of its claim, and the worker sees by ``changes`` that it must look again.
MOVED = " OR ".join(
    f"NEW.{name} {{differs}} OLD.{name}" for name in ("due_key", "due_date", "completed_at", "deleted_at")
)
WAKE = """
    UPDATE reminders
    SET changes = changes + 1, changed_at = {now}, fire_at = CASE WHEN claimed_at IS NULL THEN {now} ELSE fire_at END
    WHERE user_id = NEW.user_id AND task_id = NEW.id AND (minutes_before_due IS NOT NULL OR settled_for IS NULL);
"""
SQLITE_TRIGGERS = (
    f"""CREATE TRIGGER tasks_wake_reminders AFTER UPDATE OF due_key, due_date, completed_at, deleted_at ON tasks
        WHEN {MOVED.format(differs="IS NOT")}
        BEGIN {WAKE.format(now="strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')")} END""",
)
POSTGRES_TRIGGERS = (
    f"""CREATE FUNCTION tasks_wake_reminders() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {WAKE.format(now="clock_timestamp()")} RETURN NULL; END $$""",
    f"""CREATE TRIGGER tasks_wake_reminders AFTER UPDATE OF due_key, due_date, completed_at, deleted_at ON tasks
        FOR EACH ROW WHEN ({MOVED.format(differs="IS DISTINCT FROM")}) EXECUTE FUNCTION tasks_wake_reminders()""",
)


def upgrade() -> None:
    op.create_table(
        "reminders",
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("id", UuidText(), nullable=False),
        sa.Column("task_id", UuidText(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("remind_at", UtcInstant(), nullable=True),
        sa.Column("minutes_before_due", sa.Integer(), nullable=True),
        sa.Column("fire_at", UtcInstant(), nullable=True),
        sa.Column("claimed_at", UtcInstant(), nullable=True),
        sa.Column("tried_since", UtcInstant(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("delivery_id", UuidText(), nullable=False),
        sa.Column("settled_for", UtcInstant(), nullable=True),
        sa.Column("sent_at", UtcInstant(), nullable=True),
        sa.Column("changed_at", UtcInstant(), nullable=False),
        sa.Column("changes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.CheckConstraint("(remind_at IS NULL) <> (minutes_before_due IS NULL)", name="ck_reminders_one_moment"),
        sa.CheckConstraint("channel IN ('email', 'webhook')", name="ck_reminders_channel"),
        sa.ForeignKeyConstraint(
            ["user_id", "task_id"],
            ["tasks.user_id", "tasks.id"],
            name="fk_reminders_user_id_task_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_reminders"),
    )
    op.create_index("ix_reminders_task", "reminders", ["user_id", "task_id"])
    waiting = sa.text("fire_at IS NOT NULL")
    op.create_index("ix_reminders_fire", "reminders", ["fire_at"], postgresql_where=waiting, sqlite_where=waiting)
    op.create_table(
        "webhooks",
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("updated_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_webhooks_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name="pk_webhooks"),
    )
    op.create_table(
        "deliveries",
        sa.Column("user_id", UuidText(), nullable=False),
        sa.Column("id", UuidText(), nullable=False),
        sa.Column("reminder_id", UuidText(), nullable=False),
        sa.Column("task_id", UuidText(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("tried_at", UtcInstant(), nullable=False),
        sa.Column("next_try_at", UtcInstant(), nullable=True),
        sa.Column("sent_at", UtcInstant(), nullable=True),
        sa.CheckConstraint("status IN ('sent', 'retrying', 'failed')", name="ck_deliveries_status"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_deliveries_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_newest", "deliveries", ["user_id", "created_at", "id"])
    op.create_index("ix_deliveries_created_at", "deliveries", ["created_at"])
    for statement in POSTGRES_TRIGGERS if op.get_bind().dialect.name == "postgresql" else SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    op.execute("DROP TRIGGER tasks_wake_reminders" + (" ON tasks" if is_postgres else ""))
    if is_postgres:
        op.execute("DROP FUNCTION tasks_wake_reminders")
    for table in ("deliveries", "webhooks", "reminders"):
        op.drop_table(table)
