"""The table of security events."""

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from taskwell.database import Base, Id, Instant, UuidText


class SecurityEventRow(Base):
    """Something that happened to an account or to the service's doors; it goes with its user."""

    __tablename__ = "security_events"

    id: Mapped[Id] = mapped_column(primary_key=True)
    user_id: Mapped[str | None] = mapped_column(UuidText, ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    """Whom it was about where there is no such user any more: the user's former id."""
    count: Mapped[int] = mapped_column(server_default=text("1"))
    """How many of a kind it stands for; what has no user is summed up."""
    at: Mapped[Instant]

    __table_args__ = (Index(None, "user_id", "id"), Index(None, "at"))


__all__ = ["SecurityEventRow"]
