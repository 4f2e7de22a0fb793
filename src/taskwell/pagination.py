"""Opaque keyset cursors: where a page ended, and which list it was a page of."""

import base64
import binascii
from hashlib import blake2b

import orjson

from taskwell.errors import InvalidCursor

Key = str | int | None
"""The last row's value in the sorted column; None where it has none and so sorts last."""


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
    except (ValueError, TypeError, binascii.Error):
        raise _refused() from None
    if not isinstance(row_id, str) or not isinstance(key, str | int | None) or mark != _mark(listing, key, row_id):
        raise _refused()
    return key, row_id


def _mark(listing: str, key: Key, row_id: str) -> str:
    return blake2b(orjson.dumps([listing, key, row_id]), digest_size=8).hexdigest()


def _refused() -> InvalidCursor:
    return InvalidCursor("The cursor does not belong to this list; start again without it.")
