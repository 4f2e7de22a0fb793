"""Bun's file: Taskwell's users and tasks under the same ids, with one index beside the table, as PocketBase has."""

import sqlite3
from contextlib import closing
from pathlib import Path

from taskwell.tasks import Priority

PRIORITIES = " ".join(f"WHEN {each.value} THEN '{each.name}'" for each in Priority)
SCRIPT = f"""
    PRAGMA journal_mode = WAL;
    CREATE TABLE users (id TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE tasks (
        id TEXT PRIMARY KEY, user_id TEXT NOT NULL, title TEXT NOT NULL, description TEXT, priority TEXT NOT NULL,
        completed_at TEXT, due_date TEXT, due_at TEXT, list_id TEXT, tags TEXT NOT NULL, revision INTEGER NOT NULL,
        created_at TEXT NOT NULL, updated_at TEXT NOT NULL
    );
    INSERT INTO users SELECT id, revision FROM taskwell.spaces;
    INSERT INTO tasks
    SELECT id, space_id, title, description, CASE priority {PRIORITIES} END, completed_at, due_date, due_at, list_id,
        tags, revision, created_at, updated_at
    FROM taskwell.tasks WHERE deleted_at IS NULL;
    CREATE INDEX ix_tasks_user ON tasks (user_id, created_at);
"""


def copy_rows(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("ATTACH ? AS taskwell", [str(source)])
        connection.executescript(SCRIPT)
