"""A token as it says it is. Nothing here may be believed; it only picks who verifies."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any

import orjson


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


def read_unverified(text: str) -> UnverifiedToken | None:
    """The token's parts, or None where it has not even the form of a signed one (RFC 7515 section 7.1).

    Infinite numbers, lone surrogates and nesting beyond reason end here, before any key is touched.
    """
    parts = text.split(".")
    if len(parts) != 3 or not text.isascii():
        return None
    try:
        header, claims = (orjson.loads(urlsafe_b64decode(part + "==")) for part in parts[:2])
    except ValueError:
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    return UnverifiedToken(text, header, claims)
