"""What lay at the very first or last instant moves in by a microsecond.

To asyncpg these two are ±infinity: a task that was due at the end of 9999 had one instant by one way into PostgreSQL
and none by another, and a walk by due never came past it.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

allowed = {"every_row": "it looks at every row, and writes and locks the few that are not between the two"}

ENDS = {
    "postgresql": ("'0001-01-01 00:00:00.000001+00'::timestamptz", "'9999-12-31 23:59:59.999998+00'::timestamptz"),
    "sqlite": ("'0001-01-01T00:00:00.000001Z'", "'9999-12-31T23:59:59.999998Z'"),
}
COLUMNS = {
    "tasks": ("due_at", "due_key", "completed_at", "created_at", "updated_at"),
    "reminders": ("remind_at", "fire_at", "settled_for"),
}


def upgrade() -> None:
    first, last = ENDS[op.get_bind().dialect.name]
    for table, columns in COLUMNS.items():
        moved = (
            f"{each} = CASE WHEN {each} > {last} THEN {last} WHEN {each} < {first} THEN {first} ELSE {each} END"
            for each in columns
        )
        beyond = (f"{each} > {last} OR {each} < {first}" for each in columns)
        op.execute(f"UPDATE {table} SET {', '.join(moved)} WHERE {' OR '.join(beyond)}")


def downgrade() -> None:
    """Nothing: they are instants like others."""
