"""The text of a personal access token: ``tw_``, 30 letters and digits, and six more that are their checksum.

The checksum tells a token that was cut or mistyped from one that ended, and lets scanners find leaked ones.
"""

import secrets
import string
from hashlib import sha256
from zlib import crc32

PREFIX = "tw_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_LENGTH = 30
CHECKSUM_LENGTH = 6


def new_text() -> str:
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return f"{PREFIX}{secret}{_checksum(secret)}"


def is_intact(text: str) -> bool:
    """Whether the text has the form of a personal token, and its own checksum."""
    secret, checksum = text[len(PREFIX) : -CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    is_formed = text.startswith(PREFIX) and len(secret) == SECRET_LENGTH and set(secret) <= set(ALPHABET)
    return is_formed and checksum == _checksum(secret)


def hash_of(text: str) -> str:
    """What is stored of it; a secret of 178 bits needs no slow hash."""
    return sha256(text.encode()).hexdigest()


def _checksum(secret: str) -> str:
    rest, digits = crc32(secret.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
