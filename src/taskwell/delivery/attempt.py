"""What one attempt sends, and to whom."""

from dataclasses import dataclass

from taskwell.tasks.reminder_queue import ClaimedReminder


@dataclass(frozen=True, slots=True)
class Recipient:
    """The receiver of a reminder. The order of the fields is that of the columns in ``recipients``.

    Attributes:
        email: None unless it is confirmed.
        is_disabled: Whether the operator has disabled the account.
    """

    name: str
    email: str | None
    is_disabled: bool
    webhook_url: str | None
    webhook_secret: str | None


@dataclass(frozen=True, slots=True)
class Errand:
    """A reminder, its task and its recipient."""

    reminder: ClaimedReminder
    recipient: Recipient
