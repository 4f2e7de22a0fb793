"""Opaque keyset cursors: where a page ended, and which list it was a page of."""

import base64
import secrets
from dataclasses import dataclass
from hashlib import blake2b

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from taskwell.errors import InvalidCursor

Key = str | int | None
"""The last row's value in the sorted column; None where it has none and so sorts last."""

RowId = str | int
"""What breaks ties."""


@dataclass
class _Seal:
    cipher: AESSIV


_SEAL = _Seal(AESSIV(secrets.token_bytes(32)))


def seal_with(secret: str) -> None:
    """Encrypts cursors with this secret: one process's cursor is good in every other, and one that a caller made up
    is refused.

    What a cursor holds goes into a statement as it is, so it has to be what we put there. And it stands in addresses,
    which others log: nobody else can read a title in it, or how many tasks there are. AES-SIV (RFC 5297) needs no
    nonce, so a page that is the same has the same cursor.
    """
    _SEAL.cipher = AESSIV(blake2b(secret.encode(), digest_size=32, person=b"cursors").digest())


def encode_cursor(listing: str, key: Key, row_id: RowId) -> str:
    """A cursor after a row.

    Args:
        listing: Everything that makes the list what it is (whose, filter, sort, order); the cursor is good
            for exactly this list.
        key: The row's value in the sorted column.
        row_id: What breaks ties.
    """
    sealed = _SEAL.cipher.encrypt(orjson.dumps([key, row_id]), [listing.encode()])
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def decode_cursor(listing: str, cursor: str) -> tuple[Key, RowId]:
    """The last row's key and id.

    Raises:
        InvalidCursor: it is not ours, or of another list.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        sealed = base64.b64decode(padded, altchars=b"-_", validate=True)
        key, row_id = orjson.loads(_SEAL.cipher.decrypt(sealed, [listing.encode()]))
    except (ValueError, InvalidTag):
        raise InvalidCursor from None
    return key, row_id
