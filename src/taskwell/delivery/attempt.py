"""One attempt to deliver: what is sent, and how it can fail."""

from dataclasses import dataclass

from taskwell.tasks.reminder_queue import ClaimedReminder


class Undelivered(Exception):
    """An attempt failed.

    Attributes:
        reason: One sentence for the user's delivery log; never a response's text or a secret.
        is_final: Whether trying again is pointless.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is to get it, and where. The order is that of ``recipients``'s columns.

    Attributes:
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
