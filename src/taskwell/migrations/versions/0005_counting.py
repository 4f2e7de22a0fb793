"""What statistics count is in indexes: the state of each tag's task, and covering indexes of tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
allowed = dict.fromkeys(
    ("index", "change_type", "every_row"), "no version that serves was released with a schema before it"
)
"""The rules of docs/upgrading.md that it breaks, and why it may."""

STATE = "CASE WHEN {row}.deleted_at IS NOT NULL THEN 0 WHEN {row}.completed_at IS NOT NULL THEN 1 ELSE 2 END"
NEW_STATE, OLD_STATE = STATE.format(row="NEW"), STATE.format(row="OLD")
MOVED = f"{NEW_STATE} <> {OLD_STATE}"

SQLITE_KEEP = """
    INSERT INTO task_tags (user_id, task_id, tag_key, tag{column})
    SELECT NEW.user_id, NEW.id, keys.value, names.value{value}
    FROM json_each(NEW.tag_keys) AS keys JOIN json_each(NEW.tags) AS names ON names.key = keys.key;
"""
POSTGRES_KEEP = """CREATE OR REPLACE FUNCTION tasks_keep_tags() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            DELETE FROM task_tags WHERE user_id = NEW.user_id AND task_id = NEW.id;
        END IF;
        INSERT INTO task_tags (user_id, task_id, tag_key, tag{column})
        SELECT NEW.user_id, NEW.id, keyed.tag_key, keyed.tag{value}
        FROM unnest(NEW.tag_keys, NEW.tags) AS keyed (tag_key, tag);
        RETURN NULL;
    END $$"""
POSTGRES_UPDATED = """CREATE TRIGGER tasks_tags_update AFTER UPDATE OF {columns} ON tasks FOR EACH ROW
    WHEN ({condition}) EXECUTE FUNCTION tasks_keep_tags()"""


def upgrade() -> None:
    op.add_column("task_tags", sa.Column("state", sa.SmallInteger(), server_default=sa.text("2"), nullable=False))
    state = STATE.format(row="tasks")
    op.execute(
        f"UPDATE task_tags SET state = {state} FROM tasks "
        "WHERE tasks.user_id = task_tags.user_id AND tasks.id = task_tags.task_id"
    )
    _replace_triggers(column=", state", value=f", {NEW_STATE}", columns="tags, completed_at, deleted_at", moved=MOVED)
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE task_tags ALTER COLUMN tag TYPE text COLLATE "C"')
    op.create_index("ix_task_tags_state", "task_tags", ["user_id", "state", "tag_key", "tag"])
    op.drop_index("ix_tasks_completed", "tasks")
    _partial_index("ix_tasks_completed", ["user_id", "completed_at", "created_at"], "completed_at IS NOT NULL")
    _partial_index("ix_tasks_open", ["user_id", "list_id", "priority", "due_key"], "completed_at IS NULL")


def downgrade() -> None:
    op.drop_index("ix_tasks_open", "tasks")
    op.drop_index("ix_tasks_completed", "tasks")
    _partial_index("ix_tasks_completed", ["user_id", "completed_at"], "completed_at IS NOT NULL")
    op.drop_index("ix_task_tags_state", "task_tags")
    _replace_triggers(column="", value="", columns="tags", moved=None)
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE task_tags ALTER COLUMN tag TYPE text COLLATE "default"')
    op.drop_column("task_tags", "state")


def _replace_triggers(*, column: str, value: str, columns: str, moved: str | None) -> None:
    if op.get_bind().dialect.name == "postgresql":
        condition = "NEW.tags IS DISTINCT FROM OLD.tags"
        condition += f" OR (cardinality(NEW.tags) > 0 AND {moved})" if moved else ""
        op.execute(POSTGRES_KEEP.format(column=column, value=value))
        op.execute("DROP TRIGGER tasks_tags_update ON tasks")
        op.execute(POSTGRES_UPDATED.format(columns=columns, condition=condition))
        return
    keep = SQLITE_KEEP.format(column=column, value=value)
    condition = "NEW.tags <> OLD.tags"
    condition += f" OR (NEW.tags <> '[]' AND {moved})" if moved else ""
    for event in ("insert", "update"):
        op.execute(f"DROP TRIGGER tasks_tags_{event}")
    op.execute(f"CREATE TRIGGER tasks_tags_insert AFTER INSERT ON tasks WHEN NEW.tags <> '[]' BEGIN {keep} END")
    op.execute(
        f"""CREATE TRIGGER tasks_tags_update AFTER UPDATE OF {columns} ON tasks WHEN {condition} BEGIN
            DELETE FROM task_tags WHERE user_id = NEW.user_id AND task_id = NEW.id; {keep} END"""
    )


def _partial_index(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(f"deleted_at IS NULL AND {condition}")
    op.create_index(name, "tasks", columns, postgresql_where=where, sqlite_where=where)
