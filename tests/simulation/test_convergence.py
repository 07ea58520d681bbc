"""Whatever happens on the way, afterwards both ends hold the same, and nothing that was stored is missing.

A schedule that fails prints its number; ``python -m tests.simulation --seed N --verbose`` replays it.
"""

import os

import pytest

from tests.simulation.schedule import drawn
from tests.simulation.world import Violation, run, simulated

SCHEDULES = int(os.environ.get("DANGLIAN_SCHEDULES", "2400"))
"""Schedules of one run of the tests: about half a minute."""

SHARE = 12
"""Parts into which they are divided, so that each stays under the time limit of a test."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(SHARE))
def test_both_ends_are_equal_after_any_schedule_of_faults(part: int) -> None:
    count = SCHEDULES // SHARE
    failed: list[str] = []
    with simulated():
        for seed in range(part * count + 1, (part + 1) * count + 1):
            try:
                world = run(drawn(seed))
            except Violation as violation:
                failed.append(f"python -m tests.simulation --seed {seed} --verbose: {violation}")
            else:
                assert world.equal_after_s >= 0
    assert failed == []
