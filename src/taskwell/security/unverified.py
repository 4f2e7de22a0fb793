"""A token as it says it is. Nothing here may be believed; it only picks who verifies."""

from dataclasses import dataclass
from typing import Any

import jwt
import orjson

_DATES = ("exp", "iat", "nbf")


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def algorithm(self) -> object:
        return self.header.get("alg")

    @property
    def issuer(self) -> object:
        return self.claims.get("iss")

    @property
    def signed_part(self) -> str:
        """What the signature is of. The signature itself can be spelled, and for some algorithms be, otherwise."""
        return self.text.rpartition(".")[0]


def read_unverified(text: str) -> UnverifiedToken:
    """The token's parts.

    Raises:
        jwt.DecodeError: it has not the form of a signed token, or what it says is no JSON as RFC 8259 has it.
    """
    parts = jwt.decode_complete(text, options={"verify_signature": False})
    claims = parts["payload"]
    try:
        orjson.dumps(claims)  # refuses lone surrogates and numbers of more than 64 bits; Python's own reader does not
    except TypeError as error:
        raise jwt.DecodeError(f"Invalid payload: {error}") from error
    for name in _DATES:
        if name in claims and (isinstance(claims[name], bool) or not isinstance(claims[name], int | float)):
            raise jwt.DecodeError(f"{name} is not a number")
    return UnverifiedToken(text, parts["header"], claims)
