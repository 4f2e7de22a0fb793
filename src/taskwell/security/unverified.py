"""A token as it says it is. Nothing here may be believed; it only picks who verifies."""

import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any

import orjson

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+", re.ASCII)
"""RFC 7515 section 7.1: base64url without padding. Lenient decoders take more, and so one token in many spellings."""

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


def read_unverified(text: str) -> UnverifiedToken | None:
    """The token's parts, or None where it has not even the form of a signed one (RFC 7515 section 7.1).

    Infinite numbers, lone surrogates, nesting beyond reason and dates that are no numbers (RFC 7519 section 2) end
    here, before any key is touched.
    """
    parts = _COMPACT.fullmatch(text)
    if parts is None:
        return None
    try:
        header, claims = (orjson.loads(urlsafe_b64decode(part + "==")) for part in parts.groups())
    except ValueError:
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    if not all(_is_number(claims[name]) for name in _DATES if name in claims):
        return None
    return UnverifiedToken(text, header, claims)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
