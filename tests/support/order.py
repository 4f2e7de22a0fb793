"""The order of the tests: what takes long comes first, shared out evenly, and a run ends with what takes no time."""

from collections.abc import Sequence
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

SECONDS = {
    "test_staying_up.py": 40,
    "security/test_hostile_input.py": 25,
    "test_worker_processes.py": 30,
    "cli/test_serve.py": 12,
    "interop/test_better_auth.py": 15,
    "interop/test_generators.py": 25,
    "security/test_isolation_walk.py": 14,
    "interop/test_browser.py": 14,
    "test_metrics.py": 12,
    "tasks/test_query_plans.py": 12,
    "chaos/test_crash.py": 10,
    "test_migrations.py": 8,
    "interop/test_tutorial.py": 8,
    "interop/test_oidc_provider.py": 15,
    "api/test_provider": 15,
    "interop/test_redis.py": 8,
    "test_backup.py": 8,
    "database/test_connections.py": 8,
    "api/test_external_users.py": 8,
    "api/test_v1_auth.py": 8,
    "api/test_streaming.py": 25,
    "api/test_limits_of_accounts.py": 6,
    "chaos/test_races": 15,
    "interop/test_pgbouncer.py": 6,
    "interop/test_postman.py": 6,
    "chaos/test_faults.py": 6,
    "chaos/test_disk_and_clock.py": 6,
    "test_examples.py": 5,
    "test_cost.py": 5,
    "delivery/test_confirmation.py": 6,
    "delivery/test_subjects.py": 6,
    "tasks/test_search.py": 4,
    "model/test_product.py": 4,
}
"""What the longest files take, roughly, by how their paths begin; all others are quick."""


ON_SQLITE_ALONE = {
    f"api/test_{name}.py"
    for name in [
        "admission",
        "bounds",
        "compression",
        "cors",
        "edges",
        "frontend_sign_in",
        "gateway",
        "pages",
        "provider_refusals",
        "routing",
        "todos_refusals",
        "v1_bodies",
        "v1_import_calendars",
        "v1_import_formats",
        "v1_import_programs",
        "v1_token_form",
    ]
}
"""What is about HTTP, values or files: the database cannot matter to it."""


def needs_to_run(item: pytest.Item) -> bool:
    """Whether it is not the second run, on PostgreSQL, of what the database cannot matter to."""
    on_postgresql = "[postgresql" in item.name
    return not (on_postgresql and item.path.relative_to(TESTS).as_posix() in ON_SQLITE_ALONE)


def long_first(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Each worker's share begins with long files; the shares are as large as xdist's, which takes from their ends.

    Those of one name stay together, since they may share what takes long to start.
    """
    long: dict[str, list[pytest.Item]] = {name: [] for name in SECONDS}
    quick: list[pytest.Item] = []
    for item in items:
        path = item.path.relative_to(TESTS).as_posix()
        next((long[name] for name in SECONDS if path.startswith(name)), quick).append(item)
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    loads = [0] * workers
    for name in sorted((name for name in long if long[name]), key=lambda name: -SECONDS[name]):
        least = loads.index(min(loads))
        shares[least] += long[name]
        loads[least] += SECONDS[name]
    ordered: list[pytest.Item] = []
    for number, share in enumerate(shares):
        size = (len(items) - len(ordered)) // (workers - number)
        room = max(0, size - len(share))
        ordered += share + quick[:room]
        del quick[:room]
    return ordered + quick
