"""The tables of mail on its way, and of how many mails somebody has caused."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from taskwell.database import Base, Id, Instant, UtcInstant, UuidText


class MailRow(Base):
    """A mail that is still to be sent. It holds no text and no link: both are made when it is sent."""

    __tablename__ = "mails"

    id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str | None] = mapped_column(UuidText, ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[Instant]
    claimed_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    fire_at: Mapped[Instant]

    __table_args__ = (Index(None, "fire_at"), Index(None, "user_id"))


class MailQuotaRow(Base):
    """How many mails of a name were caused since the first one of its window."""

    __tablename__ = "mail_quotas"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    began_at: Mapped[Instant]
    used: Mapped[int]

    __table_args__ = (Index(None, "began_at"),)


__all__ = ["MailQuotaRow", "MailRow"]
