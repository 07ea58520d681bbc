"""The simulation can fail: each of the known bugs, once planted, is caught by few schedules."""

import subprocess
import sys

import pytest

from tests.simulation.books import Books
from tests.simulation.breaks import BREAKS
from tests.simulation.many import EFFECTS, Outcome, replay, run_some

SCHEDULES_MAX = 300
"""Schedules among which one must fail: most bugs need a tenth of that, and the run ends with the first."""

CAUGHT = sorted(name for name, bug in BREAKS.items() if bug.is_caught)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", CAUGHT)
def test_a_planted_bug_is_caught(name: str) -> None:
    seeds = range(1, 1 + SCHEDULES_MAX)
    caught = next((seed for seed in seeds if run_some([seed], Books(), name).failures), None)
    assert caught is not None


@pytest.mark.timeout(120)
def test_judging_too_early_is_made_good_by_compare_and_set() -> None:
    """Without it the same is a bug (``no-compare-and-set``): it is the comparison that counts."""
    assert run_some(range(1, 101), Books(), "judged-beforehand").failures == []


def test_a_failing_schedule_names_the_command_that_replays_it() -> None:
    (failure,) = run_some([1], Books(), "no-gap-check").failures
    _, *words = replay(failure.seed, Books(), "no-gap-check").split()
    replayed = subprocess.run([sys.executable, *words], capture_output=True, encoding="utf-8", check=False)
    assert (replayed.returncode, failure.why in replayed.stdout) == (1, True)


def test_a_fault_that_never_bites_is_named() -> None:
    outcome = Outcome()
    outcome.met.update(effect for effect in EFFECTS if effect != "message lost")
    assert outcome.missing == ["message lost"]
