"""What people do with a task list, for locust: they look far more often than they write, and think in between."""

import itertools
import os
import random
import time
from http import HTTPStatus
from pathlib import Path

import gevent
from locust import FastHttpUser, between, events, task
from locust.env import Environment

from benchmarks.scenario import ACCOUNTS

TITLES = ("Buy milk", "Call the dentist", "Water the plants", "Return the library books", "Plan the holiday")
WORDS = ("milk", "dentist", "plants", "report", "holiday")
TASKS = "/api/v1/tasks"
PATIENCE = 60

_numbers = itertools.count(1)
_accounts: list[tuple[str, str]] = []


@events.test_start.add_listener
def _read_accounts(environment: Environment, **_: object) -> None:
    if path := os.environ.get(ACCOUNTS):
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        _accounts.extend((email, password) for email, _, password in (line.partition("\t") for line in lines))


class Somebody(FastHttpUser):
    """Signs in once, has a client that keeps ETags, and knows the ids that the last list showed."""

    abstract = True
    token = ""
    etag = ""
    shown: tuple[str, ...] = ()

    def on_start(self) -> None:
        number = next(_numbers)
        if _accounts:
            email, password = _accounts[number % len(_accounts)]
            self.sign("login", {"email": email, "password": password})
        else:
            email = f"load-{os.getpid()}-{number}-{random.randrange(10**9)}@example.com"
            self.sign("signup", {"email": email, "password": "engine 1843", "name": "Ada"})
        self.look()

    def sign(self, way: str, body: dict[str, str]) -> None:
        """As a person does, who waits where too many try at once, a minute at most."""
        end = time.monotonic() + PATIENCE
        while not self.token:
            with self.client.post(f"/api/v1/auth/{way}", json=body, catch_response=True) as answer:
                pause = float(answer.headers.get("retry-after", 0))
                if answer.status_code in (200, 201):
                    self.token = answer.json()["access_token"]
                elif answer.status_code == HTTPStatus.TOO_MANY_REQUESTS and time.monotonic() + pause < end:
                    answer.success()
                else:
                    answer.failure(f"{answer.status_code}: {answer.text}")
                    return
            if not self.token:
                gevent.sleep(pause)

    def ask(self, method: str, path: str, name: str | None = None, **options: object):
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "gzip"} | options.pop("headers", {})
        return self.client.request(method, path, name=name or path, headers=headers, **options)

    def look(self) -> None:
        answer = self.ask("GET", f"{TASKS}?status=pending", TASKS)
        if answer.status_code == 200:
            self.etag = answer.headers.get("etag", "")
            self.shown = tuple(each["id"] for each in answer.json()["items"])

    def one(self) -> str:
        """The path of a task that the list showed; of a new one where it showed none."""
        if not self.shown:
            self.add()
        return f"{TASKS}/{random.choice(self.shown)}"

    def add(self) -> None:
        body = {
            "title": random.choice(TITLES),
            "priority": random.choice(("low", "medium", "high")),
            "tags": ["home"],
        }
        key = {"Idempotency-Key": f"{random.getrandbits(64):x}"}
        answer = self.ask("POST", TASKS, json=body, headers=key)
        if answer.status_code == 201:
            self.shown = (*self.shown[-49:], answer.json()["id"])


class Person(Somebody):
    """Works through the day's list."""

    weight = 9
    wait_time = between(0.5, 2)

    @task(12)
    def look_at_the_list(self) -> None:
        self.look()

    @task(8)
    def look_whether_anything_is_new(self) -> None:
        self.ask("GET", f"{TASKS}?status=pending", f"{TASKS} If-None-Match", headers={"If-None-Match": self.etag})

    @task(6)
    def open_one(self) -> None:
        self.ask("GET", self.one(), f"{TASKS}/{{task_id}}")

    @task(4)
    def write_one_down(self) -> None:
        self.add()

    @task(4)
    def tick_one_off(self) -> None:
        self.ask("PATCH", f"{self.one()}/complete", f"{TASKS}/{{task_id}}/complete", json={"completed": True})

    @task(3)
    def change_one(self) -> None:
        self.ask("PATCH", self.one(), f"{TASKS}/{{task_id}}", json={"priority": random.choice(("low", "urgent"))})

    @task(3)
    def search(self) -> None:
        self.ask("GET", f"{TASKS}?q={random.choice(WORDS)}", f"{TASKS}?q=")

    @task(2)
    def look_at_the_lists_and_tags(self) -> None:
        self.ask("GET", "/api/v1/lists")
        self.ask("GET", "/api/v1/tags")

    @task(2)
    def look_at_the_numbers(self) -> None:
        self.ask("GET", f"{TASKS}/stats")

    @task(1)
    def delete_one_and_take_it_back(self) -> None:
        path = self.one()
        self.ask("DELETE", path, f"{TASKS}/{{task_id}}")
        self.ask("POST", f"{path}/restore", f"{TASKS}/{{task_id}}/restore")


class Script(Somebody):
    """An integrator's program: brings twenty tasks at once, and fetches all of them."""

    weight = 1
    wait_time = between(2, 5)

    @task
    def bring_many_and_fetch_all(self) -> None:
        create = [{"op": "create", "data": {"title": f"{random.choice(TITLES)} {number}"}} for number in range(20)]
        self.ask("POST", f"{TASKS}/bulk", json={"operations": create})
        self.ask("GET", f"{TASKS}?limit=200", f"{TASKS}?limit=200")
