"""How much there may be of spaces, and what a role allows."""

from taskwell.errors import NotFound

MAX_MEMBERSHIPS = 50
"""Shared spaces of one user; the personal one does not count."""

MAX_MEMBERS = 100
"""Of one space."""

MAX_INVITATIONS = 100
"""Of one space, those that still let somebody in."""

MAX_USES = 50
MAX_DAYS = 30
MAX_SPACE_NAME = 100


def no_such_space() -> NotFound:
    """The same words whether or not it exists."""
    return NotFound("There is no such space.")


def no_such_member() -> NotFound:
    return NotFound("There is no such member.")
