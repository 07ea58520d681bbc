"""``python -m tests.simulation --seed N [--verbose]``: one schedule again, with its log."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable

import msgspec

from tests.simulation.books import Books
from tests.simulation.running import Violation, run, simulated
from tests.simulation.schedule import Schedule, drawn


def main() -> int:
    """Run one schedule, or many, and tell what became of them; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first schedule")
    parser.add_argument("--count", type=int, default=1, help="how many schedules, from --seed on")
    parser.add_argument("--catalogue", action="store_true", help="with the hub's real catalogue instead of a ledger")
    parser.add_argument("--verbose", action="store_true", help="print what happens")
    parser.add_argument("--reduce", action="store_true", help="take away every step that is not needed to fail")
    options = parser.parse_args()
    books = Books(is_real=options.catalogue)
    log = print if options.verbose else None
    if options.reduce:
        with simulated():
            schedule = reduced(drawn(options.seed), books)
        with simulated(log):
            return _replay(schedule, books, log)
    if options.count == 1:
        with simulated(log):
            return _replay(drawn(options.seed), books, log)
    with simulated():
        return _many(range(options.seed, options.seed + options.count), books)


def _replay(schedule: Schedule, books: Books, log: Callable[[str], None] | None) -> int:
    for step in schedule.steps:
        print(step)
    print(f"{schedule.sites} sites, {schedule.weather}")
    try:
        world = run(schedule, log, books)
    except Violation as violation:
        print(f"seed {schedule.seed}: {violation}")
        return 1
    print(f"seed {schedule.seed}: equal after {world.equal_after_s:.0f} s; met {dict(world.met)}")
    return 0


def _many(seeds: range, books: Books) -> int:
    met: Counter[str] = Counter()
    equal_after: list[float] = []
    failed = 0
    began = time.perf_counter()
    for seed in seeds:
        try:
            world = run(drawn(seed), None, books)
        except Violation as violation:
            failed += 1
            print(f"seed {seed}: {violation}")
        else:
            met.update(world.met)
            equal_after.append(world.equal_after_s)
    took_s = time.perf_counter() - began
    for what, count in sorted(met.items()):
        print(f"{count:8} {what}")
    equal_after.sort()
    if equal_after:
        median, worst = equal_after[len(equal_after) // 2], equal_after[-1]
        print(f"equal after {median:.0f} simulated seconds in the middle, {worst:.0f} at worst")
    print(f"{len(seeds)} schedules, {failed} failed, {len(seeds) / took_s:.0f} schedules/s")
    return 1 if failed else 0


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
