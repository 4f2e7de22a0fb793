"""Failures of signing in with a second factor."""

from taskwell.errors import Conflict, Forbidden, Unauthorized


class TotpRequired(Unauthorized):
    """The password is right; a code is still to come.

    Attributes:
        challenge: What stands for the password when the code is sent.
    """

    code, title = "totp_required", "Code required"

    def __init__(self, challenge: str) -> None:
        super().__init__(
            "Send a code too: with the challenge to /api/v1/auth/login/totp, or after password and space."
        )
        self.challenge = challenge


class ChallengeOver(Unauthorized):
    code, title = "challenge_over", "Challenge over"

    def __init__(self) -> None:
        super().__init__("This challenge was used, has ended, or never was one; sign in again.")


class WrongCode(Forbidden):
    code, title = "wrong_code", "Wrong code"

    def __init__(self) -> None:
        super().__init__("The code is wrong, or was used before; wait for the next one.")


class AlreadyOn(Conflict):
    code, title = "already_on", "Already on"

    def __init__(self) -> None:
        super().__init__("Codes are asked for already; turn that off first to begin with another app.")
