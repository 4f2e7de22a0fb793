"""How an attempt to send something can fail, and when the next one is."""

import random
from datetime import datetime, timedelta

GIVEN_UP_AFTER = timedelta(days=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=4)


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


def next_try(attempts: int, tried_since: datetime, at: datetime) -> datetime | None:
    """Ten seconds later, then three times as long each time, up to four hours; None once a day has passed.

    The pauses vary by a fifth, so that a receiver that comes back is not met by everybody at once.
    """
    pause = min(FIRST_PAUSE * 3 ** min(attempts - 1, 20), LONGEST_PAUSE)
    again_at = at + pause * random.uniform(0.8, 1.2)  # noqa: S311
    return again_at if again_at < tried_since + GIVEN_UP_AFTER else None
