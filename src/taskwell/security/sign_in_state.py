"""A sign-in on its way to a provider and back, and what binds its codes (RFC 7636, with S256 alone)."""

import base64
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

STATE_SECONDS = 600
CHALLENGE = r"^[A-Za-z0-9_-]{43}$"


@dataclass(frozen=True, slots=True)
class SignInState:
    """It travels by way of the provider, encrypted, so that no stranger fills a table with them.

    Attributes:
        redirect_to: Where the front end waits.
        challenge: What the front end's code is bound to.
        browser: The hash of the cookie's value.
        nonce: What the ID token must repeat.
        verifier: What the provider's code is bound to.
        user_id: Who links the provider; None for a sign-in.
    """

    provider: str
    redirect_to: str
    challenge: str
    browser: str
    nonce: str
    verifier: str
    user_id: str | None

    @classmethod
    def begin(cls, provider: str, *, redirect_to: str, challenge: str, user_id: str | None) -> tuple[Self, str]:
        """A new one, and the value of the cookie by which its browser is known again."""
        cookie, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(provider, redirect_to, challenge, hash_of(cookie), nonce, verifier, user_id), cookie

    def began_with(self, cookie: str) -> bool:
        return secrets.compare_digest(hash_of(cookie), self.browser)


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(sha256(verifier.encode("utf-8", "replace")).digest()).rstrip(b"=").decode()


def hash_of(cookie: str) -> str:
    return sha256(cookie.encode("utf-8", "replace")).hexdigest()
