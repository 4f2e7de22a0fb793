"""One attempt to deliver a reminder: what is sent."""

from dataclasses import dataclass
from datetime import datetime

from taskwell.tasks.reminders import Channel, Timing


@dataclass(frozen=True, slots=True)
class Claim:
    """A reminder that this worker alone may look at until the lease ends."""

    user_id: str
    reminder_id: str
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Errand:
    """A claimed reminder with everything that delivering it needs. The order is that of ``queue``'s columns.

    Attributes:
        delivery_id: The same for every attempt: the receiver's means against duplicates.
        tried_since: When the first attempt was.
        attempts: How many there have been, this one included.
        changes: See ``ReminderRow``.
        timing: When it is to be sent, as the task is now.
        email: Only a confirmed one.
        is_disabled: Whether the operator has disabled the account.
    """

    claim: Claim
    timing: Timing
    delivery_id: str
    channel: Channel
    tried_since: datetime
    attempts: int
    changes: int
    sent_at: datetime | None
    task_id: str
    title: str
    description: str | None
    priority: int
    list_id: str | None
    tags: tuple[str, ...]
    name: str
    email: str | None
    is_disabled: bool
    webhook_url: str | None
    webhook_secret: str | None
