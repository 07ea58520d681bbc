"""Whatever happens on the way, afterwards both ends hold the same, and nothing that was stored is missing (promise 4).

A schedule that fails prints its number and the command that replays it.
"""

import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.simulation.books import Books
from tests.simulation.disk import Drive
from tests.simulation.running import Violation, run, simulated
from tests.simulation.schedule import Kind, drawn

SCHEDULES = int(os.environ.get("DANGLIAN_SCHEDULES", "10000"))
"""Schedules of one run of the tests, from seed 1 on: a minute and a half on two cores."""

CATALOGUE_SCHEDULES = SCHEDULES // 25
"""Schedules with the hub's real catalogue, which takes several times as long."""

PROCESSES = 2
AT_ONCE = 50
"""Schedules that a process is given at once."""


def _some(first: int, count: int, *, is_real: bool) -> tuple[list[str], Counter[str]]:
    """Run some schedules; return what failed, each with the command that replays it, and what was met."""
    failed: list[str] = []
    met: Counter[str] = Counter()
    real = " --catalogue" if is_real else ""
    with simulated():
        for seed in range(first, first + count):
            try:
                met.update(run(drawn(seed), books=Books(is_real=is_real)).met)
            except Violation as violation:
                failed.append(f"python -m tests.simulation --seed {seed}{real} --verbose   # {violation}")
    return failed, met


def _all(first: int, count: int, *, is_real: bool) -> tuple[list[str], Counter[str]]:
    failed: list[str] = []
    met: Counter[str] = Counter()
    # Not forked: the threads of other tests would not come along.
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = [
            pool.submit(_some, start, min(AT_ONCE, first + count - start), is_real=is_real)
            for start in range(first, first + count, AT_ONCE)
        ]
        for part in parts:
            some_failed, some_met = part.result()
            failed += some_failed
            met += some_met
    return failed, met


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_both_ends_are_equal_after_any_schedule_of_faults() -> None:
    failed, met = _all(1, SCHEDULES, is_real=False)
    assert failed == []
    # A simulation in which nothing goes wrong proves nothing.
    assert {kind for kind in Kind if not any(what.startswith(kind) for what in met)} == set()
    assert met["message lost"] > 0
    assert met["frame lost"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_unified_catalogue_is_equal_as_well() -> None:
    """The hub's own sink, with floors, tombstones and provenance, comes to what the ledger comes to."""
    failed, _ = _all(1_000_001, CATALOGUE_SCHEDULES, is_real=True)
    assert failed == []


def _log_of(seed: int) -> list[str]:
    lines: list[str] = []
    with simulated(lines.append):
        run(drawn(seed), lines.append)
    return lines


def test_a_schedule_runs_the_same_way_again() -> None:
    """Also in another process, where sets of texts are in another order."""
    script = "from tests.simulation.test_convergence import _log_of; print('\\n'.join(_log_of(8)))"
    told = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout.splitlines()
        for hash_seed in ("1", "2")
    ]
    assert told[0] == told[1] == _log_of(8)


@pytest.mark.parametrize("seed", [3, 8, 24, 40, 57])
def test_the_direct_connection_changes_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy's own connection takes the same steps, only more slowly."""
    straight = _log_of(seed)
    monkeypatch.setattr(Drive, "builds", True)
    assert _log_of(seed) == straight
