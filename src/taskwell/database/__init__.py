"""Column types, statements, and the two lanes that run them."""

from taskwell.database.base import Base, Day, Id, Instant, TextList, UtcInstant, UuidText, new_id, now
from taskwell.database.engine import open_database
from taskwell.database.lanes import Database, Lane, Snapshot, retry_deadlocks
from taskwell.database.query import Build, Query

__all__ = [
    "Base",
    "Build",
    "Database",
    "Day",
    "Id",
    "Instant",
    "Lane",
    "Query",
    "Snapshot",
    "TextList",
    "UtcInstant",
    "UuidText",
    "new_id",
    "now",
    "open_database",
    "retry_deadlocks",
]
