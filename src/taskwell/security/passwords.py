"""Hashing passwords: bcrypt at cost 12, off the event loop, never more at once than there are threads for."""

import asyncio
import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

T = TypeVar("T")

COST = 12
MAX_PASSWORD = 128
"""In characters."""

_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="bcrypt")
_PREHASH_KEY = b"taskwell/password/v1"
"""A constant on purpose: if it were SECRET_KEY, rotating that would lock everybody out."""

_NOBODY = b"$2b$12$CeWVTNxqShI9KuJjxDXY6.knDSe51mWwjv/ffGlMROoccZ0OoCRW2"
"""What a password is compared with where there is no account, so that both take the same time."""


async def hash_password(password: str) -> str:
    return (await _in_thread(bcrypt.hashpw, _prehashed(password), bcrypt.gensalt(COST))).decode()


async def is_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is the hashed one; as slow for no hash at all as for a wrong password.

    One that is too long to be anybody's is not looked at: composing it takes time by the square of its accents.
    """
    is_possible = len(password) <= MAX_PASSWORD
    attempt = _prehashed(password if is_possible else "")
    matches = await _in_thread(bcrypt.checkpw, attempt, (password_hash or "").encode() or _NOBODY)
    return matches and is_possible and password_hash is not None


def _prehashed(password: str) -> bytes:
    """64 bytes without NUL from a password of any length, since bcrypt looks at 72 bytes and no more.

    The same text typed on another keyboard may be composed otherwise, hence NFC.
    """
    text = unicodedata.normalize("NFC", password).encode()
    return base64.b64encode(hmac.new(_PREHASH_KEY, text, hashlib.sha384).digest())


async def _in_thread(function: Callable[[bytes, bytes], T], password: bytes, salt_or_hash: bytes) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, function, password, salt_or_hash)
