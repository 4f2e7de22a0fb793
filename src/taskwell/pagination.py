"""Opaque keyset cursors: where a page ended, and which list it was a page of."""

import base64
import secrets
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest

import orjson

from taskwell.errors import InvalidCursor

Key = str | int | None
"""The last row's value in the sorted column; None where it has none and so sorts last."""


@dataclass
class _Seal:
    key: bytes


_SEAL = _Seal(secrets.token_bytes(32))


def seal_with(secret: str) -> None:
    """Makes the cursors of every process with this secret good in all of them, and those that callers make nowhere.

    What a cursor holds goes into a statement as it is, so it has to be what we put there.
    """
    _SEAL.key = blake2b(secret.encode(), digest_size=32, person=b"cursors").digest()


def encode_cursor(listing: str, key: Key, row_id: str) -> str:
    """A cursor after a row.

    Args:
        listing: Everything that makes the list what it is (whose, filter, sort, order); the cursor is good
            for exactly this list.
        key: The row's value in the sorted column.
        row_id: What breaks ties.
    """
    payload = orjson.dumps([_mark(listing, key, row_id), key, row_id])
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def decode_cursor(listing: str, cursor: str) -> tuple[Key, str]:
    """The last row's key and id.

    Raises:
        InvalidCursor: it is not ours, or of another list.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        mark, key, row_id = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        is_ours = compare_digest(mark, _mark(listing, key, row_id))
    except (ValueError, TypeError):
        is_ours = False
    if not is_ours:
        raise InvalidCursor("The cursor does not belong to this list; start again without it.")
    return key, row_id


def _mark(listing: str, key: Key, row_id: str) -> str:
    return blake2b(orjson.dumps([listing, key, row_id]), key=_SEAL.key, digest_size=16).hexdigest()
