"""What the tests of limits share: a clock, the ways in, and clients at every address."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx2

from taskwell.settings import Settings

WAYS_IN = (
    "/api/v1/auth/login",
    "/api/v1/auth/token",
    "/api/auth/login",
    "/api/auth/signin",
    "/auth/login",
    "/auth/signin",
    "/auth/token",
)
Limit = Callable[..., None]


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    at: float = 1_000_000.0

    def __call__(self) -> float:
        return self.at


async def sign_in(
    http: httpx2.AsyncClient, email: str, password: str = "wrong 12345", way: str = WAYS_IN[0], **headers: str
) -> httpx2.Response:
    if way.endswith("token"):
        return await http.post(way, data={"username": email, "password": password}, headers=headers)
    return await http.post(way, json={"email": email, "password": password}, headers=headers)


def via(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def networks(*networks: str) -> tuple[object, ...]:
    return Settings(_env_file=None, trusted_proxies=networks).trusted_proxies
