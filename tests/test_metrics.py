"""What is counted, who may read it, and that the dashboard and the alerts speak of nothing else."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from taskwell import __version__
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database import Database
from taskwell.observability import metrics
from taskwell.settings import Settings, read_settings
from tests.conftest import SECRET, new_postgres_database, running
from tests.support.command import measured
from tests.support.load import Connection, signed_up
from tests.support.people import Person, client
from tests.support.server import Server

DEPLOY = Path(__file__).parents[1] / "deploy"
TOKEN = "for-tests-only-and-for-nothing-else"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
async def shared_app(settings: Settings) -> AsyncIterator[Gateway]:
    """The last to be started: gauges tell of that one, and a process that serves has no other."""
    async with running(create_app(settings)) as app:
        yield app


def read(text: str) -> Samples:
    """As Prometheus' own client reads it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)


def requests(samples: Samples, method: str, route: str, status: str) -> float:
    name = "taskwell_request_duration_seconds_count"
    return value(samples, name, method=method, route=route, status=status)


async def counted(nobody: httpx2.AsyncClient) -> Samples:
    return read((await nobody.get("/metrics")).text)


async def test_requests_are_counted_by_template_and_status(nobody, ada: Person):
    before = await counted(nobody)
    task = (await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})).json()
    await ada.http.get(f"/api/v1/tasks/{task['id']}")
    await ada.http.head(f"/api/v1/tasks/{task['id']}")
    await ada.http.get("/api/v1/tasks/01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f")
    await nobody.get("/api/v1/tasks/anything")
    await nobody.request("BREW", "/coffee/01938d1c")
    after = await counted(nobody)

    def more(*labels: str) -> float:
        return requests(after, *labels) - requests(before, *labels)

    template = "/api/v1/tasks/{task_id}"
    assert more("POST", "/api/v1/tasks", "201") == 1
    assert (more("GET", template, "200"), more("HEAD", template, "200")) == (1, 1)
    assert (more("GET", template, "404"), more("GET", template, "401")) == (1, 1)
    assert more("", "", "404") == 1, "what somebody makes up is no label"
    assert value(after, "taskwell_requests_in_flight") == 1, "this one"


async def test_durations_add_up(nobody, ada: Person):
    before = await counted(nobody)
    await ada.http.get("/api/v1/tasks")
    samples = await counted(nobody)
    name, labels = (
        "taskwell_request_duration_seconds_sum",
        {"method": "GET", "route": "/api/v1/tasks", "status": "200"},
    )
    buckets = [
        number
        for (kind, found), number in samples.items()
        if kind == "taskwell_request_duration_seconds_bucket" and labels.items() <= dict(found).items()
    ]

    assert buckets == sorted(buckets)
    assert buckets[-1] == value(samples, "taskwell_request_duration_seconds_count", **labels) >= 1
    assert 0 < value(samples, name, **labels) - value(before, name, **labels) < 10


async def test_statements_sign_ins_and_the_pool_are_counted(nobody, ada: Person, database: Database):
    before = await counted(nobody)
    await nobody.post("/api/v1/auth/login", json={"email": "ada@example.com", "password": "wrong 1843"})
    await ada.http.get("/api/v1/tasks")
    await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})
    after = await counted(nobody)

    for name, labels in (
        ("taskwell_query_duration_seconds_count", {"kind": "read"}),
        ("taskwell_query_duration_seconds_count", {"kind": "write"}),
        ("taskwell_security_events_total", {"kind": "sign_in_failed"}),
    ):
        assert value(after, name, **labels) > value(before, name, **labels)
    is_pooled = database.name == "postgresql"
    assert (value(after, "taskwell_database_pool_limit") > 0) == is_pooled
    assert (value(after, "taskwell_database_pool_connections", state="idle") > 0) == is_pooled
    assert value(after, "taskwell_process_resident_memory_bytes") > 10_000_000
    python = ".".join(map(str, sys.version_info[:3]))
    assert value(after, "taskwell_build_info", version=__version__, python=python, database=database.name) == 1


async def test_the_answer_is_prometheus_text_that_nobody_keeps(nobody):
    response = await nobody.get("/metrics")

    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert (await nobody.head("/metrics")).status_code == 200
    assert (await nobody.post("/metrics")).status_code == 405


async def test_the_system_is_told(nobody, database: Database):
    response = await nobody.get("/health/system")

    told = response.json()
    assert set(told) == {"process_id", "uptime_seconds", "cpu", "memory", "file_descriptors", "pool"}
    assert told["cpu"]["cores"] >= 1
    assert len(told["cpu"]["load_average"]) == 3
    assert told["memory"]["resident_bytes"] > 10_000_000
    assert 3 <= told["file_descriptors"]["open"] < told["file_descriptors"]["limit"]
    assert (told["pool"]["limit"] > 0) == (database.name == "postgresql")


async def in_production(tmp_path: Path, **changes: Any) -> Gateway:
    url = f"sqlite:///{tmp_path}/taskwell.db"
    given = {"environment": "production", "allowed_origins": ("https://app.example.com",), "secret_key": SECRET}
    return create_app(Settings(_env_file=None, database_url=url, **given | changes))


@pytest.mark.parametrize("path", ["/metrics", "/health/system"])
async def test_in_production_it_needs_a_token_and_is_not_there_without_that_setting(path: str, tmp_path: Path):
    migrated = read_settings(environment="test", database_url=f"sqlite:///{tmp_path}/taskwell.db", secret_key=SECRET)
    async with create_app(migrated).lifespan():
        pass
    closed = await in_production(tmp_path)
    async with closed.lifespan():
        assert (await client(closed).get(path)).status_code == 404
        assert (await client(closed).get(path, headers={"Authorization": "Bearer "})).status_code == 404
    app = await in_production(tmp_path, metrics_token=TOKEN)
    async with app.lifespan():
        nobody = client(app)
        missing = await nobody.get(path)
        wrong = await nobody.get(path, headers={"Authorization": f"Bearer {TOKEN}x"})
        right = await nobody.get(path, headers={"Authorization": f"Bearer {TOKEN}"})

    assert (missing.status_code, missing.headers["www-authenticate"]) == (401, "Bearer")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_token")
    assert right.status_code == 200


async def test_two_processes_count_together_also_when_one_has_died(tmp_path: Path):
    async with new_postgres_database("taskwell_metrics") as url:
        server = Server(tmp_path, url, workers=2)
        server.environment |= measured()
        await asyncio.to_thread(server.start, 60)
        try:
            token = await signed_up(server.port, "ada")
            for _ in range(30):
                connection = await Connection.open(server.port)
                await connection.ask("GET", "/api/v1/tasks", token, keep=False)
                connection.writer.close()
            assert await _asked(server.port, 30)
            assert await _seen(server.port, "taskwell_processes", 2)
            assert await _seen(server.port, "taskwell_build_info", 2)

            async with httpx2.AsyncClient(base_url=server.url, trust_env=False) as http:
                doomed = (await http.get("/health/system")).json()["process_id"]
            os.kill(doomed, signal.SIGKILL)
            await asyncio.sleep(0.5)
            assert await _asked(server.port, 30), "what it has counted stays"
            assert await _seen(server.port, "taskwell_processes", 1), "its gauges go, until another has begun"
        finally:
            await asyncio.to_thread(server.stop)


async def _samples(port: int) -> Samples:
    connection = await Connection.open(port)
    answer = await connection.ask("GET", "/metrics", keep=False)
    connection.writer.close()
    return read(answer.body.decode())


async def _asked(port: int, expected: int) -> bool:
    """A request is counted when its answer is on the way, so the other process may tell of it a moment later."""
    return await _come_true(port, lambda samples: requests(samples, "GET", "/api/v1/tasks", "200") == expected)


async def _seen(port: int, name: str, expected: float) -> bool:
    """Gauges of another process are as old as a second."""
    return await _come_true(port, lambda got: sum(n for (is_, _), n in got.items() if is_ == name) == expected)


async def _come_true(port: int, condition: Callable[[Samples], bool]) -> bool:
    for _ in range(50):
        if condition(await _samples(port)):
            return True
        await asyncio.sleep(0.1)
    return False


def test_a_folder_that_no_supervisor_made_is_ignored(tmp_path: Path):
    script = "from taskwell.observability import metrics; print(metrics.IS_SHARED, len(metrics.exposition()) > 0)"
    environment = {"PATH": os.environ["PATH"], "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True"]
    assert list(tmp_path.iterdir()) == []


def expressions() -> Iterator[str]:
    dashboard = json.loads((DEPLOY / "grafana" / "taskwell.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))
    yield from (each["query"] for each in dashboard["templating"]["list"])
    for rule in alerts():
        yield rule["expr"]


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "taskwell.rules.yml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


def test_the_dashboard_and_the_alerts_name_metrics_that_exist():
    named = {name for each in expressions() for name in re.findall(r"\btaskwell_[a-z_]+", each)}
    there = {f"{metric.name}{'_total' * (metric.type == 'counter')}" for metric in metrics.REGISTRY.collect()}

    used = {name.removesuffix("_bucket").removesuffix("_count") for name in named}
    assert used == there, "every metric is on the dashboard or in an alert"


def test_the_dashboard_and_the_alerts_name_labels_that_exist():
    metrics_there = [each for each in vars(metrics).values() if hasattr(each, "_labelnames")]
    known = {label for metric in metrics_there for label in metric._labelnames} | {"le", "job", "instance"}
    for each in expressions():
        grouped = [name for found in re.findall(r"by \(([^)]*)\)", each) for name in re.split(r",\s*", found)]
        matched = re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", each)
        assert set(grouped) | set(matched) <= known, each


def test_panels_do_not_overlap_and_have_ids_of_their_own():
    panels = json.loads((DEPLOY / "grafana" / "taskwell.json").read_text())["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_every_alert_says_what_it_means_and_what_to_do():
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Prometheus")
def test_prometheus_itself_accepts_the_alerts():
    subprocess.run(["promtool", "check", "rules", str(DEPLOY / "prometheus" / "taskwell.rules.yml")], check=True)
