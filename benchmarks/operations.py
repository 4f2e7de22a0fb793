"""What is asked of each peer: the same things, in each one's own words."""

import json
import random
from dataclasses import dataclass
from typing import Protocol

from benchmarks.load import NUMBER, Request

DRAFT = {"title": "Buy milk for Grandma", "description": "Before the weekend.", "priority": "high"}
WORDS = ("milk", "dentist", "holiday", "report", "plants", "kitchen")
VARIANTS = 2_000
"""Different requests of one operation; no cache of a few answers can serve them."""


@dataclass(frozen=True)
class Account:
    """A user as a peer knows it."""

    id: str
    token: str
    task_ids: list[str]


class Dialect(Protocol):
    def request(self, operation: str, account: Account, dice: random.Random) -> Request: ...


class Taskwell:
    """v1; the floor and the usual build have the same paths."""

    def request(self, operation: str, account: Account, dice: random.Random) -> Request:
        task = dice.choice(account.task_ids)
        method, path, body = {
            "list": ("GET", "/api/v1/tasks?limit=50", None),
            "get": ("GET", f"/api/v1/tasks/{task}", None),
            "create": ("POST", "/api/v1/tasks", DRAFT),
            "update": ("PATCH", f"/api/v1/tasks/{task}", {"title": f"Buy milk {NUMBER}"}),
            "complete": ("PATCH", f"/api/v1/tasks/{task}/complete", None),
            "search": ("GET", f"/api/v1/tasks?limit=50&q={dice.choice(WORDS)}", None),
            "stats": ("GET", "/api/v1/tasks/stats", None),
            "bulk": ("POST", "/api/v1/tasks/bulk", {"operations": [{"op": "create", "data": DRAFT}] * 100}),
        }[operation]
        return Request(method, path, f"Bearer {account.token}", json.dumps(body) if body else "")


class PocketBaseDialect:
    """Records; it counts no total, so that it does what the others do."""

    def request(self, operation: str, account: Account, dice: random.Random) -> Request:
        records, task = "/api/collections/tasks/records", dice.choice(account.task_ids)
        listing = f"{records}?perPage=50&sort=-created&skipTotal=1"
        draft = DRAFT | {"owner": account.id, "completed": False, "tags": []}
        create = {"method": "POST", "url": records, "body": draft}
        method, path, body = {
            "list": ("GET", listing, None),
            "get": ("GET", f"{records}/{task}", None),
            "create": ("POST", records, draft),
            "update": ("PATCH", f"{records}/{task}", {"title": f"Buy milk {NUMBER}"}),
            "complete": ("PATCH", f"{records}/{task}", {"completed": dice.random() < 0.5}),
            "search": ("GET", f"{listing}&filter=(title~'{dice.choice(WORDS)}')", None),
            "bulk": ("POST", "/api/batch", {"requests": [create] * 100}),
        }[operation]
        return Request(method, path, account.token, json.dumps(body) if body else "")


MIXED = ("list",) * 5 + ("get",) * 3 + ("create",) + ("complete",)
"""What a front end does: mostly look, sometimes write."""


def requests_for(operation: str, dialect: Dialect, accounts: list[Account]) -> list[Request]:
    """The same dice for every peer."""
    dice = random.Random(operation)
    names = MIXED if operation == "mixed" else (operation,)
    return [dialect.request(dice.choice(names), dice.choice(accounts), dice) for _ in range(VARIANTS)]
