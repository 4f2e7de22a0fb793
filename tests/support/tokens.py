"""Access tokens that are almost right."""

import base64
import time
from typing import Any

import jwt
import orjson

from tests.support.people import Person


def claims_of(person: Person) -> dict[str, Any]:
    return dict(jwt.decode(person.token, options={"verify_signature": False}))


def signed(claims: dict[str, Any], key: str, **header: Any) -> str:
    return jwt.encode(claims, key, algorithm="HS256", headers=header or None)


def unsigned(claims: dict[str, Any], algorithm: str = "none") -> str:
    parts = ({"alg": algorithm, "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in parts) + "."


def seconds_from_now(seconds: float) -> int:
    return int(time.time() + seconds)
