"""What a mail says, before it is a message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """Attributes:
    unsubscribe: The address that ends mails of its kind, where there is one.
    """

    subject: str
    plain: str
    html: str
    unsubscribe: str | None = None
