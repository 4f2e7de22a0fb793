"""What the soak takes for growth."""

import os

import pytest

from tests.support.sampling import Course, percentile, use_of


@pytest.mark.parametrize(
    "values",
    [[100.0] * 60, [50.0, 80.0] * 5 + [100.0] * 50, [100.0 + n % 7 for n in range(60)]],
    ids=["flat", "warming up", "to and fro"],
)
def test_what_stays_within_its_bounds_does_not_grow(values: list[float]):
    assert not Course(values).grows(factor=1.1, allowance=5)


@pytest.mark.parametrize(
    "values", [[100.0 + n for n in range(60)], [100.0] * 40 + [130.0] * 20], ids=["a leak", "a step"]
)
def test_what_is_more_at_the_end_has_grown(values: list[float]):
    assert Course(values).grows(factor=1.1, allowance=5)


def test_what_a_process_uses_is_seen():
    use = use_of(os.getpgid(0))

    assert use.megabytes > 10
    assert use.open_files > 3


def test_percentiles():
    assert percentile([float(n) for n in range(1, 102)], 95) == 96
    assert percentile([3.0], 99) == 3
