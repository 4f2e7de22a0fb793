"""Secret keys: which are too easy to guess, and the one that development makes for itself."""

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

MIN_SECRET_BYTES = 32
"""RFC 7518 section 3.2: an HS256 key has at least as many bits as the hash."""

PLACEHOLDERS = (
    "change-me",
    "changeme",
    "change-this",
    "your-secret",
    "replace-me",
    "do-not-use",
    "better-auth-secret",
)
GUESSES = ("secret-key", "secretkey", "secret", "password", "super", "example", "taskwell")
"""What makes a key no harder to guess: the rest of it has to be long enough by itself."""


def weakness_of(key: SecretStr) -> str | None:
    if len(key.get_secret_value().encode()) < MIN_SECRET_BYTES:
        return f"needs at least {MIN_SECRET_BYTES} bytes"
    return "is a known default" if _is_known(key) else None


def _is_known(secret: SecretStr) -> bool:
    text = secret.get_secret_value()
    if len(set(text)) < 8:
        return True
    text = text.lower().replace("_", "-")
    if any(placeholder in text for placeholder in PLACEHOLDERS):
        return True
    for guess in GUESSES:
        text = text.replace(guess, "")
    return len(text.encode()) < MIN_SECRET_BYTES


def kept_key(path: Path) -> str:
    """Makes the key once, readable by its owner only; of two processes starting at once, the first wins.

    Raises:
        ValueError: the file is there, and no key is in it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_hex(32))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    key = path.read_text().strip()
    if len(key.encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"{path} is damaged; remove it and a new key is made, or set SECRET_KEY")
    return key
