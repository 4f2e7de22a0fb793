"""Opaque cursors: the last row of a page, and the list to which the page belongs."""

import base64
import secrets
from dataclasses import dataclass
from hashlib import blake2b

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from taskwell.errors import InvalidCursor

Key = str | int | None
"""The last row's value in the sorted column. None sorts last."""

RowId = str | int
"""The second key of the sort order; it breaks ties."""


@dataclass
class _Seal:
    cipher: AESSIV


_SEAL = _Seal(AESSIV(secrets.token_bytes(32)))


def seal_with(secret: str) -> None:
    """Sets the secret that encrypts cursors, so that every process accepts them and a forged one is refused."""
    # A cursor's values go into a statement, so they must be ours. Proxies log URLs, so no title may be readable.
    # AES-SIV (RFC 5297) needs no nonce, so the same page has the same cursor.
    _SEAL.cipher = AESSIV(blake2b(secret.encode(), digest_size=32, person=b"cursors").digest())


def encode_cursor(listing: str, key: Key, row_id: RowId) -> str:
    """The cursor of the page that follows a row.

    Args:
        listing: The identity of the list: space, filter, sort and order. The cursor is valid only for this list.
        key: The row's value in the sorted column.
    """
    sealed = _SEAL.cipher.encrypt(orjson.dumps([key, row_id]), [listing.encode()])
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def decode_cursor(listing: str, cursor: str) -> tuple[Key, RowId]:
    """The last row's key and id.

    Raises:
        InvalidCursor: the cursor is forged, or belongs to another list.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        sealed = base64.b64decode(padded, altchars=b"-_", validate=True)
        key, row_id = orjson.loads(_SEAL.cipher.decrypt(sealed, [listing.encode()]))
    except (ValueError, InvalidTag):
        raise InvalidCursor from None
    return key, row_id
