"""The tables of webhooks and of the delivery log."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from taskwell.database import Base, Id, Instant, UtcInstant


class WebhookRow(Base):
    """Where a user's webhook reminders go, and the secret that signs them."""

    __tablename__ = "webhooks"

    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class DeliveryRow(Base):
    """One delivery with all its attempts. It stays when the reminder or the task is removed."""

    __tablename__ = "deliveries"

    user_id: Mapped[Id] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[Id] = mapped_column(primary_key=True)
    reminder_id: Mapped[Id]
    task_id: Mapped[Id]
    channel: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Instant]
    tried_at: Mapped[Instant]
    next_try_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    sent_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        CheckConstraint("status IN ('sent', 'retrying', 'failed')", name="status"),
        Index("ix_deliveries_newest", "user_id", "created_at", "id"),
        Index(None, "created_at"),
    )
