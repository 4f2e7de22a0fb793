"""The tables of tasks, lists and tags.

Every key leads with ``space_id``: no query can leave it out and still be fast, and the data shards by space.
"""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from taskwell.database import Base, Day, Id, Instant, TextList, UtcInstant, UuidText

IN_TRASH, COMPLETED, OPEN = range(3)
"""``TaskTagRow.state``."""

LIVING = "deleted_at IS NULL"
PENDING = f"{LIVING} AND completed_at IS NULL"
COMPLETED_ONES = f"{LIVING} AND completed_at IS NOT NULL"


def _index(name: str, *columns: str, where: str | None = None, only: str | None = None) -> list[Index]:
    """An index on both databases, or on one only; the last column orders those of one key.

    SQLite ends every entry with the row's number, which does that as well as the id, in a third less space.
    """
    found = []
    for dialect in ("postgresql", "sqlite") if only is None else (only,):
        keys = columns[:-1] if dialect == "sqlite" and columns[-1] == "id" else columns
        condition = None if where is None else text(where)
        index = Index(name, *keys, info={"dialect": dialect}, postgresql_where=condition, sqlite_where=condition)
        found.append(index.ddl_if(dialect=dialect))
    return found


def _of_task() -> ForeignKeyConstraint:
    """Belongs to a task, goes with it for good, and moves with it to another space."""
    return ForeignKeyConstraint(
        ["space_id", "task_id"], ["tasks.space_id", "tasks.id"], ondelete="CASCADE", onupdate="CASCADE"
    )


class ListRow(Base):
    """A named group of tasks."""

    __tablename__ = "lists"

    space_id: Mapped[Id] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    color: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int] = mapped_column(BigInteger)
    revision: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class TaskRow(Base):
    """A task; one in the trash has ``deleted_at``."""

    __tablename__ = "tasks"

    space_id: Mapped[Id] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[Id] = mapped_column(primary_key=True)
    list_id: Mapped[str | None] = mapped_column(UuidText)
    title: Mapped[str] = mapped_column(Text)
    title_key: Mapped[str] = mapped_column(Text().with_variant(Text(collation="C"), "postgresql"))
    """The title as it sorts: without case and accents, by code point on both databases."""
    description: Mapped[str | None] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(SmallInteger)
    completed_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    due_date: Mapped[date | None] = mapped_column(Day)
    due_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    due_key: Mapped[datetime | None] = mapped_column(UtcInstant)
    """``due_at``, or the last microsecond of ``due_date`` in the space's time zone: what sorts and is overdue."""
    tags: Mapped[tuple[str, ...]] = mapped_column(TextList)
    tag_keys: Mapped[tuple[str, ...]] = mapped_column(TextList)
    """The tags as they are compared, in the order of ``tags``; triggers keep ``task_tags`` in step."""
    created_by: Mapped[Id]
    """Whoever made it. No foreign key, nor has ``completed_by``: the task outlives the member."""
    completed_by: Mapped[str | None] = mapped_column(UuidText)
    assignee_id: Mapped[str | None] = mapped_column(UuidText)
    """A member of the space; a trigger clears it, with the space's revision, when they leave."""
    revision: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        ForeignKeyConstraint(["space_id", "list_id"], ["lists.space_id", "lists.id"]),
        CheckConstraint("priority BETWEEN 1 AND 4", name="priority"),
        CheckConstraint("due_date IS NULL OR due_at IS NULL", name="one_due"),
        *_index("ix_tasks_created", "space_id", "created_at", "id", where=LIVING),
        *_index("ix_tasks_updated", "space_id", "updated_at", "id", where=LIVING),
        *_index("ix_tasks_priority", "space_id", "priority", "id", where=LIVING),
        *_index("ix_tasks_title", "space_id", "title_key", "id", where=LIVING),
        *_index("ix_tasks_due", "space_id", "due_key", "id", where=LIVING),
        *_index("ix_tasks_completed", "space_id", "completed_at", "created_at", where=COMPLETED_ONES),
        *_index("ix_tasks_open", "space_id", "list_id", "priority", "due_key", where=PENDING, only="postgresql"),
        *_index("ix_tasks_pending", "space_id", "created_at", "id", where=PENDING, only="postgresql"),
        *_index(
            "ix_tasks_unfinished",
            *("space_id", "list_id", "priority", "due_key", "created_at", "id"),
            where=PENDING,
            only="sqlite",
        ),
        *_index("ix_tasks_list", "space_id", "list_id", "created_at", "id"),
        *_index("ix_tasks_trash", "space_id", "deleted_at", "id", where="deleted_at IS NOT NULL"),
        *_index("ix_tasks_assignee", "space_id", "assignee_id", "id", where="assignee_id IS NOT NULL"),
    )


class TaskTagRow(Base):
    """One tag of one task, written by triggers from ``tasks.tags`` alone, so that the two cannot differ."""

    __tablename__ = "task_tags"

    space_id: Mapped[Id] = mapped_column(primary_key=True)
    tag_key: Mapped[str] = mapped_column(Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True)
    task_id: Mapped[Id] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(Text().with_variant(Text(collation="C"), "postgresql"))
    state: Mapped[int] = mapped_column(SmallInteger, server_default=text("2"))
    """Of the task, so that counting needs no join: ``IN_TRASH``, ``COMPLETED`` or ``OPEN``."""

    __table_args__ = (
        _of_task(),
        Index("ix_task_tags_task", "space_id", "task_id"),
        Index("ix_task_tags_state", "space_id", "state", "tag_key", "tag"),
    )


class ReminderRow(Base):
    """A reminder of a task, at an instant or some minutes before the task is due.

    The worker looks at it when ``fire_at`` comes, decides by the task as it then is, and delivers, waits or lets
    it rest. Triggers make it look again whenever the task's due, completion or deletion changes, so no verb has
    to think of reminders.
    """

    __tablename__ = "reminders"

    space_id: Mapped[Id] = mapped_column(primary_key=True)
    id: Mapped[Id] = mapped_column(primary_key=True)
    user_id: Mapped[Id]
    """Whose it is; nobody else sees it. It ends with their membership."""
    task_id: Mapped[Id]
    channel: Mapped[str] = mapped_column(Text)
    remind_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    minutes_before_due: Mapped[int | None]
    fire_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    """When to look at it next: its moment, the next attempt, or the end of a claim; null while it rests."""
    claimed_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    """When a worker took it. Only whoever knows this instant may release it; a dead worker's claim runs out."""
    tried_since: Mapped[datetime | None] = mapped_column(UtcInstant)
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    delivery_id: Mapped[Id]
    """The same for every attempt at one delivery; a new one once that is over."""
    settled_for: Mapped[datetime | None] = mapped_column(UtcInstant)
    """The moment for which it was last sent or given up."""
    sent_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    changed_at: Mapped[Instant]
    """When it was made, or the task last changed in a way that matters to it."""
    changes: Mapped[int] = mapped_column(server_default=text("0"))
    """How often the task has changed so; tells whether it did while a delivery was under way."""
    created_at: Mapped[Instant]

    __table_args__ = (
        _of_task(),
        ForeignKeyConstraint(
            ["space_id", "user_id"], ["memberships.space_id", "memberships.user_id"], ondelete="CASCADE"
        ),
        CheckConstraint("(remind_at IS NULL) <> (minutes_before_due IS NULL)", name="one_moment"),
        CheckConstraint("channel IN ('email', 'webhook')", name="channel"),
        Index("ix_reminders_task", "space_id", "task_id"),
        Index(None, "user_id"),
        Index("ix_reminders_member", "space_id", "user_id"),
        Index(
            "ix_reminders_fire",
            "fire_at",
            postgresql_where=text("fire_at IS NOT NULL"),
            sqlite_where=text("fire_at IS NOT NULL"),
        ),
    )


class CommentRow(Base):
    """What a member has said about a task; triggers give it the task's revision when that is restored or moved."""

    __tablename__ = "comments"

    space_id: Mapped[Id] = mapped_column(primary_key=True)
    id: Mapped[Id] = mapped_column(primary_key=True)
    task_id: Mapped[Id]
    author_id: Mapped[Id]
    """No foreign key: the comment outlives the member."""
    text: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]

    __table_args__ = (_of_task(), Index("ix_comments_task", "space_id", "task_id", "id"))


class TombstoneRow(Base):
    """Says that a thing is gone from a space for good, or to another space."""

    __tablename__ = "tombstones"

    space_id: Mapped[Id] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[Id] = mapped_column(primary_key=True)
    user_id: Mapped[str | None] = mapped_column(UuidText)
    """Whom alone it is told; null for everybody."""
    revision: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[Instant]

    __table_args__ = (Index("ix_tombstones_revision", "space_id", "revision"),)
