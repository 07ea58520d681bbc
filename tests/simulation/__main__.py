"""A county in one thread, by seed: what happened, again; or many schedules, and what became of them.

python -m tests.simulation --seed 4711                 one schedule: its steps and its end
python -m tests.simulation --seed 4711 --verbose       ... with everything that happens
python -m tests.simulation --seed 4711 --reduce        ... without the steps that it does not need to fail
python -m tests.simulation --count 10000               many, from --seed on, and what happened how often
python -m tests.simulation --count 500 --break NAME    with a known bug planted, which must be caught
"""

import argparse
import os
import sys
import time
from collections.abc import Callable

import msgspec

from tests.simulation.books import Books
from tests.simulation.breaks import BREAKS, planted, theme_for
from tests.simulation.many import Outcome, replay, run_many
from tests.simulation.running import Violation, run, simulated
from tests.simulation.schedule import Schedule, drawn


def main() -> int:
    """Run one schedule, or many, and tell what became of them; 1 if one failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    bugs = "".join(f"\n  {name:26} {one.about}" for name, one in BREAKS.items())
    parser.epilog = f"bugs that --break plants:{bugs}"
    parser.add_argument("--seed", type=int, default=1, help="the first schedule")
    parser.add_argument("--count", type=int, default=1, help="how many schedules, from --seed on")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that share them")
    parser.add_argument("--catalogue", action="store_true", help="with the hub's real catalogue instead of a ledger")
    parser.add_argument("--break", dest="broken", default="", metavar="NAME", choices=sorted(BREAKS))
    parser.add_argument("--verbose", action="store_true", help="print what happens")
    parser.add_argument("--reduce", action="store_true", help="take away every step that is not needed to fail")
    options = parser.parse_args()
    books = Books(is_real=options.catalogue)
    if options.count > 1:
        return _many(range(options.seed, options.seed + options.count), books, options.jobs, options.broken)
    log = print if options.verbose else None
    with planted(options.broken):
        schedule = drawn(options.seed, theme_for(options.broken))
        if options.reduce:
            with simulated(books=books):
                schedule = reduced(schedule, books)
        with simulated(log, books=books):
            return _replay(schedule, books, log)


def _replay(schedule: Schedule, books: Books, log: Callable[[str], None] | None) -> int:
    for step in schedule.steps:
        print(step)
    print(f"{schedule.sites} sites, {schedule.workers} consumers at the hub, {schedule.weather}")
    try:
        world = run(schedule, log, books)
    except Violation as violation:
        print(f"seed {schedule.seed}: {violation}")
        return 1
    print(f"seed {schedule.seed}: equal after {world.equal_after_s:.0f} s; met {dict(world.met)}")
    return 0


def _many(seeds: range, books: Books, jobs: int, broken: str) -> int:
    began = time.perf_counter()
    is_watched = sys.stderr.isatty()

    def tell(so_far: Outcome) -> None:
        if is_watched:
            print(f"\r{so_far.ran:,} of {len(seeds):,}, {len(so_far.failures)} failed", end="", file=sys.stderr)

    outcome = run_many(seeds, books, jobs, broken, tell)
    if is_watched:
        print(file=sys.stderr)
    print(outcome.table())
    for failure in outcome.failures:
        print(f"{replay(failure.seed, books, broken)}   # {failure.why}")
    for effect in outcome.missing:
        print(f"never happened: {effect}")
    print(f"{len(seeds) / (time.perf_counter() - began):.0f} schedules/s")
    return 1 if outcome.failures else 0


def reduced(schedule: Schedule, books: Books) -> Schedule:
    """Return a failing schedule without the steps that it does not need to fail."""
    index = 0
    while index < len(schedule.steps):
        fewer = msgspec.structs.replace(schedule, steps=schedule.steps[:index] + schedule.steps[index + 1 :])
        if _fails(fewer, books):
            schedule = fewer
        else:
            index += 1
    return schedule


def _fails(schedule: Schedule, books: Books) -> bool:
    try:
        run(schedule, None, books)
    except Violation:
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
