"""The preconditions of a write to anything that has a revision."""

from dataclasses import dataclass

from taskwell.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class Precondition:
    """The preconditions of a write (RFC 9110 section 13.1).

    Attributes:
        accepted: The revisions of If-Match; None for any.
        refused: The revisions of If-None-Match.
        is_spoiled: Whether a proxy has changed an ETag of If-Match, so that it can match nothing.
    """

    accepted: frozenset[int] | None = None
    refused: frozenset[int] = frozenset()
    is_spoiled: bool = False

    def require(self, revision: int, thing: str) -> None:
        """Raises:
        PreconditionFailed: the thing is not in a state that the caller wants to change.
        """
        if revision in self.refused:
            raise PreconditionFailed(f"The {thing} is the one that If-None-Match names, so nothing was changed.")
        if self.accepted is None or revision in self.accepted:
            return
        if self.is_spoiled:
            raise PreconditionFailed(
                "A proxy has changed the ETag that you send in If-Match. It must hand on ETags as they are: "
                "see the guide about caching."
            )
        raise PreconditionFailed(f"The {thing} has changed since you read it; read it again and repeat your change.")


IfMatch = Precondition | None
