"""Who is calling, as the token proved it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Scope = Literal["read", "write", "account"]
"""What an operation needs; no personal token has ``account``."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The verified caller.

    Attributes:
        user_id: Our own id of the user.
        subject: The token's ``sub``: the id by which the caller knows itself.
        token_id: The token's ``jti``, or its hash where it has none; what logout revokes.
        expires_at: When the token ends.
        is_external: Whether another issuer keeps the account, so that there is no password here.
        issued_at: When the token was issued; None where it does not say.
        signed_in_at: When its holder signed in; None where they did elsewhere.
        scopes: What the token allows; None for everything.
        space_ids: The only spaces that the token may see; None for every space of its user.
    """

    user_id: str
    subject: str
    token_id: str
    expires_at: datetime
    is_external: bool = False
    issued_at: datetime | None = None
    signed_in_at: datetime | None = None
    scopes: frozenset[Scope] | None = None
    space_ids: frozenset[str] | None = None

    def is_named(self, user_id: str) -> bool:
        """Whether an id in a path means this caller."""
        return user_id in (self.subject, self.user_id)

    def may_see(self, space_id: str) -> bool:
        """Whether the token reaches a space, if its user is a member there."""
        return self.space_ids is None or space_id in self.space_ids
