"""One attempt to deliver a reminder: what is sent."""

from dataclasses import dataclass

from taskwell.tasks.reminder_queue import ClaimedReminder


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is to get it, and where. The order is that of ``recipients``'s columns.

    Attributes:
        email: Only a confirmed one.
        is_disabled: Whether the operator has disabled the account.
    """

    name: str
    email: str | None
    is_disabled: bool
    webhook_url: str | None
    webhook_secret: str | None


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be delivered to whom."""

    reminder: ClaimedReminder
    recipient: Recipient
