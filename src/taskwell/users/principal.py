"""Who is calling, as the token proved it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Scope = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Principal:
    """The verified caller.

    Attributes:
        user_id: Our own id of the user.
        subject: The token's ``sub``: the id by which the caller knows itself.
        token_id: The token's ``jti``, or its hash where it has none; what logout revokes.
        expires_at: When the token ends.
        is_external: Whether another issuer keeps the account, so that there is no password here.
        scopes: What the token allows; None for everything.
    """

    user_id: str
    subject: str
    token_id: str
    expires_at: datetime
    is_external: bool = False
    scopes: frozenset[Scope] | None = None

    def is_named(self, user_id: str) -> bool:
        """Whether an id in a path means this caller."""
        return user_id in (self.subject, self.user_id)
