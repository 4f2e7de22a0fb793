"""What a front end is told of a sign-in by a provider, most of it as ``?error=``."""

from taskwell.errors import BadRequest, Conflict, Forbidden, Unavailable


class InvalidState(BadRequest):
    code, title = "invalid_state", "Sign-in not begun here"

    def __init__(self) -> None:
        super().__init__("This sign-in began in another browser, or more than ten minutes ago; begin it again.")


class AccessDenied(Forbidden):
    code, title = "access_denied", "Access denied"

    def __init__(self) -> None:
        super().__init__("The sign-in was cancelled at the provider.")


class ProviderRefused(Forbidden):
    """What came from a provider does not prove who somebody is; why is in the log."""

    code, title = "provider_refused", "Sign-in refused"

    def __init__(self) -> None:
        super().__init__("The provider's answer was refused; sign in again.")


class AccountExists(Conflict):
    code, title = "account_exists", "Account exists"

    def __init__(self) -> None:
        super().__init__("An account with this e-mail exists; sign in to it, then link the provider there.")


class IdentityTaken(Conflict):
    code, title = "identity_taken", "Linked to another account"

    def __init__(self) -> None:
        super().__init__("This account of the provider's is linked to another user here.")


class LastWayIn(Conflict):
    code, title = "last_way_in", "Last way in"

    def __init__(self) -> None:
        super().__init__(
            "Nobody could sign in to this account any more; set a password or link another provider first."
        )


class ProviderUnavailable(Unavailable):
    code, title = "provider_unavailable", "Provider unavailable"

    def __init__(self) -> None:
        super().__init__("The provider cannot be reached; try again shortly.", retry_after=10)
