"""``python -m tests.simulation --seed N [--verbose]``: one schedule again, with its log."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.schedule import Schedule, drawn
from tests.simulation.world import Violation, World, run, simulated


def main() -> int:
    """Run one schedule, or many, and tell what became of them; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first schedule")
    parser.add_argument("--count", type=int, default=1, help="how many schedules, from --seed on")
    parser.add_argument("--verbose", action="store_true", help="print what happens")
    parser.add_argument("--reduce", action="store_true", help="take away every step that is not needed to fail")
    options = parser.parse_args()
    log = print if options.verbose else None
    if options.reduce:
        with simulated():
            schedule = reduced(drawn(options.seed))
        with simulated(log):
            return _replay(schedule, log)
    if options.count == 1:
        with simulated(log):
            return _replay(drawn(options.seed), log)
    with simulated():
        return _many(range(options.seed, options.seed + options.count))


def _replay(schedule: Schedule, log: object) -> int:
    for step in schedule.steps:
        print(step)
    print(f"{schedule.sites} sites, {schedule.weather}")
    try:
        world = run(schedule, print if log else None)
    except Violation as violation:
        print(f"seed {schedule.seed}: {violation}")
        return 1
    print(f"seed {schedule.seed}: equal after {world.equal_after_s:.0f} s; met {dict(world.met)}")
    return 0


def _many(seeds: range) -> int:
    met: Counter[str] = Counter()
    equal_after: list[float] = []
    failed: list[int] = []
    began = time.perf_counter()
    for seed in seeds:
        try:
            world = run(drawn(seed))
        except Violation as violation:
            failed.append(seed)
            print(f"seed {seed}: {violation}")
        else:
            met.update(world.met)
            equal_after.append(world.equal_after_s)
    took_s = time.perf_counter() - began
    for what, count in sorted(met.items()):
        print(f"{count:8} {what}")
    equal_after.sort()
    print(f"equal after: median {equal_after[len(equal_after) // 2]:.0f} s, slowest {equal_after[-5:]}")
    print(f"{len(seeds)} schedules, {len(failed)} failed, {len(seeds) / took_s:.0f} schedules/s")
    return 1 if failed else 0


def reduced(schedule: Schedule) -> Schedule:
    """Return a failing schedule without the steps that it does not need to fail."""
    steps = list(schedule.steps)
    index = 0
    while index < len(steps):
        fewer = Schedule(
            seed=schedule.seed,
            sites=schedule.sites,
            lasts_s=schedule.lasts_s,
            weather=schedule.weather,
            steps=tuple(steps[:index] + steps[index + 1 :]),
        )
        if _fails(fewer):
            del steps[index]
        else:
            index += 1
    return Schedule(
        seed=schedule.seed,
        sites=schedule.sites,
        lasts_s=schedule.lasts_s,
        weather=schedule.weather,
        steps=tuple(steps),
    )


def _fails(schedule: Schedule) -> bool:
    try:
        World(schedule).run()
    except Violation:
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
