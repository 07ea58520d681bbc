"""Whatever happens on the way, afterwards both ends hold the same, and nothing that was stored is missing (promise 4).

A schedule that fails prints its number and the command that replays it.
"""

import os
import subprocess
import sys

import pytest

from tests.simulation.books import Books
from tests.simulation.disk import Drive
from tests.simulation.many import Outcome, replay, run_many
from tests.simulation.running import run, simulated
from tests.simulation.schedule import Kind, drawn

SCHEDULES = int(os.environ.get("DANGLIAN_SCHEDULES", "10000"))
"""Schedules of one run of the tests, from seed 1 on: a minute and a half on two cores of their own."""

JUDGED_SCHEDULES = 500
"""Schedules among which everything that can happen must have happened: in fewer the rarest may be missing."""

CATALOGUE_SCHEDULES = SCHEDULES // 25
"""Schedules with the hub's real catalogue, which takes several times as long."""

CATALOGUE_SEED = 1_000_001
"""The first of them: other schedules than the ledger's."""

PROCESSES = os.cpu_count() or 1


def _told(outcome: Outcome, books: Books, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Print what happened, also where all is well, and return the failures, each with the command that replays it."""
    failed = [f"{replay(failure.seed, books)}   # {failure.why}" for failure in outcome.failures]
    with capsys.disabled():
        sys.stdout.write("\n".join(["", outcome.table(), *failed, ""]))
    return failed


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_both_ends_are_equal_after_any_schedule_of_faults(capsys: pytest.CaptureFixture[str]) -> None:
    books = Books()
    outcome = run_many(range(1, 1 + SCHEDULES), books, PROCESSES)
    assert _told(outcome, books, capsys) == []
    # A simulation in which nothing goes wrong proves nothing.
    assert outcome.missing == [] or outcome.ran < JUDGED_SCHEDULES
    assert {kind for kind in Kind if not any(what.startswith(kind) for what in outcome.met)} == set()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_unified_catalogue_is_equal_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    """The hub's own sink, with floors, tombstones and provenance, comes to what the ledger comes to."""
    books = Books(is_real=True)
    outcome = run_many(range(CATALOGUE_SEED, CATALOGUE_SEED + CATALOGUE_SCHEDULES), books, PROCESSES)
    assert _told(outcome, books, capsys) == []


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
