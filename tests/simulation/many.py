"""Running many schedules over several processes, and what must have happened in so many."""

import gc
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager

import msgspec

from tests.simulation.books import Books
from tests.simulation.breaks import planted, theme_for
from tests.simulation.running import Violation, run, simulated
from tests.simulation.schedule import drawn

AT_ONCE = 50
"""Schedules that a process is given at once."""

WASTE_OBJECTS = 10_000
"""Objects more than before after which Python looks for waste: less often than usual."""

EFFECTS = (
    # The network
    "message lost",
    "message repeated",
    "message late",
    "question lost",
    "answer lost",
    "publish blocked",
    "frame lost",
    "acknowledgement lost",
    "publish stored after its sender gave up",
    "reader's acknowledgement lost",
    "connection lost",
    # The broker
    "acknowledged frame forgotten by the broker before the hub had it",
    "acknowledged frame lost with the stream before the hub had it",
    "frame delivered again that the hub had acknowledged",
    "frame delivered twice",
    "frames delivered out of order",
    "publish refused by a full stream",
    "repeat dropped by the broker",
    "stream made again",
    # Machines
    "process died at an await",
    "copied disk ran beside the first",
    "clock set wrong by days",
    "clock set wrong by days (hub)",
    "write refused by a full disk",
    "write refused by a full disk (hub)",
    "slow write",
    "slow write (hub)",
    "history lost: put back",
    "history lost: put back whole",
    "history lost: disk lost",
    "history lost: put back (hub)",
    "history lost: disk lost (hub)",
    # What the product made of it
    "frame judged apply",
    "frame judged gap",
    "frame judged replay",
    "frame judged old_epoch",
    "frame judged new_epoch",
    "frame judged fork",
    "log: database_was_put_back",
    "log: gap_asked_for",
    "log: histories_diverged",
    "log: histories_keep_diverging",
    "log: hub_is_behind",
    "log: hub_is_too_far_behind",
    "log: baseline_paused",
    "log: receipt_put_off",
    "log: receipts_put_off",
    "log: storing_paused",
)
"""What faults do, counted where it takes effect and not where it is asked for: one that never bites tests nothing."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule that ended as none may."""

    seed: int
    why: str


class Outcome(msgspec.Struct, kw_only=True):
    """What became of some schedules."""

    ran: int = 0
    failures: list[Failure] = []
    met: Counter[str] = msgspec.field(default_factory=Counter)
    """What happened how often."""
    equal_after_s: list[float] = []
    """Simulated seconds from healing to equality, of each that came to it."""

    def add(self, other: "Outcome") -> None:
        """Take in what became of others."""
        self.ran += other.ran
        self.failures += other.failures
        self.met.update(other.met)
        self.equal_after_s += other.equal_after_s

    @property
    def missing(self) -> list[str]:
        """Effects that no schedule had."""
        return [effect for effect in EFFECTS if not self.met[effect]]

    def table(self) -> str:
        """Return the counts for people."""
        lines = [f"{count:9,} {what}" for what, count in sorted(self.met.items())]
        equal = sorted(self.equal_after_s)
        if equal:
            middle, worst = equal[len(equal) // 2], equal[-1]
            lines.append(f"equal after {middle:.0f} simulated seconds in the middle, {worst:.0f} at worst")
        lines.append(f"{self.ran:,} schedules, {len(self.failures)} failed")
        return "\n".join(lines)


def run_some(seeds: Iterable[int], books: Books, broken: str = "") -> Outcome:
    """Run some schedules, one after the other in this process, with a bug planted if one is named."""
    outcome = Outcome()
    theme = theme_for(broken)
    with planted(broken), simulated(on_event=lambda event: outcome.met.update([f"log: {event}"]), books=books):
        for seed in seeds:
            outcome.ran += 1
            try:
                world = run(drawn(seed, theme), None, books)
            except Violation as violation:
                outcome.failures.append(Failure(seed=seed, why=str(violation)))
            else:
                outcome.met.update(world.met)
                outcome.equal_after_s.append(world.equal_after_s)
    return outcome


def run_many(
    seeds: range, books: Books, processes: int, broken: str = "", on_part: Callable[[Outcome], None] | None = None
) -> Outcome:
    """Run many schedules over several processes; ``on_part`` hears of all that is done so far."""
    outcome = Outcome()
    with _pool(processes) as pool:
        parts = [
            pool.submit(run_some, seeds[start : start + AT_ONCE], books, broken)
            for start in range(0, len(seeds), AT_ONCE)
        ]
        for part in as_completed(parts):
            outcome.add(part.result())
            if on_part is not None:
                on_part(outcome)
    outcome.failures.sort(key=lambda failure: failure.seed)
    return outcome


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    # Not forked: the threads of other tests would not come along.
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    # What is imported stays, and a schedule leaves little in circles: to look for it as often as usual takes a seventh.
    gc.freeze()
    gc.set_threshold(WASTE_OBJECTS, 5, 50)


def replay(seed: int, books: Books, broken: str = "") -> str:
    """Return the command that runs a schedule again and tells what happens."""
    real = " --catalogue" if books.is_real else ""
    bug = f" --break {broken}" if broken else ""
    return f"python -m tests.simulation --seed {seed}{real}{bug} --verbose"
