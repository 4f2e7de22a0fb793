"""Where the worker's metrics are, and where they cannot be."""

import socket
from pathlib import Path

import httpx2
import pytest

from taskwell import telemetry
from taskwell.settings import InvalidSettings, Settings
from taskwell.worker_metrics import answering
from tests.conftest import SECRET
from tests.support.postgres import free_port

TOKEN = "for-prometheus-only-0123456789"


def settings(port: int) -> Settings:
    return Settings(_env_file=None, environment="test", worker_metrics_port=port)


async def test_a_worker_tells_its_own(tmp_path: Path):
    port = free_port()
    settings = Settings(
        _env_file=None,
        environment="production",
        secret_key=SECRET,
        metrics_token=TOKEN,
        worker_metrics_port=port,
        database_url=f"sqlite:///{tmp_path}/taskwell.db",
    )
    telemetry.REMINDERS.add("email", "sent")
    with answering(settings):
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            answer = await http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
            assert 'taskwell_reminders_total{channel="email",outcome="sent"} ' in answer.text
            assert (await http.get("/metrics")).status_code == 401
            assert (await http.get("/")).status_code == 404


def test_in_development_nobody_needs_a_token():
    port = free_port()

    with answering(settings(port)):
        answer = httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)

    assert (answer.status_code, "taskwell_processes" in answer.text) == (200, True)


def test_a_port_that_is_taken_is_told():
    told = pytest.raises(InvalidSettings, match="WORKER_METRICS_PORT cannot be used: Address already in use")

    with socket.create_server(("127.0.0.1", 0)) as taken, told, answering(settings(taken.getsockname()[1])):
        pytest.fail("it has answered")
