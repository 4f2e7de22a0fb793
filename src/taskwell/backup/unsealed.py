"""The first files: without a seal, with a digest of their lines as the last one, and with columns without kinds.

No version writes them any more, so what they may hold is written down here and does not follow the tables.
"""

import gzip
from hashlib import sha256
from pathlib import Path

import orjson

_NAMES = {
    "uuid": "id user_id list_id task_id reminder_id delivery_id",
    "instant": "at created_at updated_at deleted_at completed_at disabled_at expires_at revoked_at "
    "tokens_valid_after due_at due_key remind_at fire_at claimed_at tried_since settled_for sent_at changed_at "
    "tried_at next_try_at",
    "day": "due_date",
    "texts": "tags tag_keys",
    "bytes": "response",
    "integer": "revision position priority minutes_before_due attempts changes count idempotency_keys.status",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}


def kinds(table: str, columns: list[str]) -> dict[str, str]:
    """What each column holds: text, where nothing else is known."""
    return {name: _KINDS.get(f"{table}.{name}") or _KINDS.get(name, "text") for name in columns}


def counted(path: Path) -> dict[str, int]:
    """Looks through a whole file; gives how many rows each table has.

    Raises:
        ValueError: a line is not as it was written.
    """
    digest, last, table = sha256(), b"", ""
    rows: dict[str, int] = {}
    with gzip.open(path, "rb") as file:
        for line in file:
            digest.update(last)
            last = line
            if line.startswith(b'{"table"'):
                table = orjson.loads(line)["table"]
                rows[table] = 0
            elif line.startswith(b"["):
                rows[table] += 1
    if orjson.loads(last) != {"rows": sum(rows.values()), "sha256": digest.hexdigest()}:
        raise ValueError
    return rows
