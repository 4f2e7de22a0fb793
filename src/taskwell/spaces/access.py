"""What an actor may do in a space: plain values, without a database."""

from dataclasses import dataclass
from typing import Literal, Self

Role = Literal["owner", "editor", "reader"]


@dataclass(frozen=True, slots=True)
class SpaceAccess:
    """A space as one actor may use it.

    Attributes:
        access: The number of ``spaces.access`` under which the role was read; a write compares it.
        time_zone: Where the space's days begin and end, as of a few seconds ago.
        max_tasks: How many living tasks the space may hold; 0 for any number.
    """

    id: str
    role: Role
    access: int
    time_zone: str
    max_tasks: int = 0

    @classmethod
    def personal(cls, user_id: str, *, time_zone: str = "UTC", max_tasks: int = 0) -> Self:
        """A user's own space. Nobody else ever joins it, so its role and its access are known without a look-up."""
        return cls(user_id, "owner", 0, time_zone, max_tasks)
