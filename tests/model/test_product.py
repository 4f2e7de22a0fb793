"""People who do anything in any order have what a plain model says, the same on both databases, and nothing else."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.model.reading import Reading
from tests.model.worlds import Worlds

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))
"""So many lives instead of the few that fit into every run, with restarts and moves in the middle of them."""

SHORT: dict[str, Any] = {"max_examples": 8, "stateful_step_count": 25, "derandomize": True}
LONG: dict[str, Any] = {"max_examples": EXAMPLES, "stateful_step_count": 50, "derandomize": False, "print_blob": True}


@pytest.fixture
async def worlds(tmp_path: Path) -> AsyncIterator[Worlds]:
    worlds = await Worlds.begin(tmp_path)
    yield worlds
    await worlds.all("end")


async def test_people_who_do_anything_in_any_order_have_what_the_model_says(worlds: Worlds):
    upheavals = frozenset({1, 2, 3, 4}) if EXAMPLES else frozenset()
    shared = {"worlds": worlds, "loop": asyncio.get_running_loop(), "upheavals": upheavals}
    machine = type("Lives", (Reading,), shared)
    budget = hypothesis.settings(
        phases=[hypothesis.Phase.generate],  # a life that fails is told as it was: to shorten it takes minutes
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        **(LONG if EXAMPLES else SHORT),
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=budget)

    last: Reading = machine.last  # type: ignore[attr-defined]
    for upheaval in ("restart", "move"):
        before = await asyncio.to_thread(last.exports)
        await worlds.upheave(upheaval)
        assert await asyncio.to_thread(last.exports) == before
        for person in last.people:
            await asyncio.to_thread(last.has_everything, person)
