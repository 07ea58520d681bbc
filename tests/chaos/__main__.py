"""``make chaos``: real faults on real parts, and a report of what came of them.

The same seed and size inject the same faults at the same points of the load; what the machine does meanwhile differs.
"""

import argparse
import asyncio
import datetime
import secrets
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from replication.logs import configure_logs
from tests.chaos.outcomes import Outcome
from tests.chaos.report import page, report, written
from tests.chaos.scenarios import SCENARIOS, outcome_of
from tests.chaos.stage import SHORT_ROWS

ROWS = 250_000
"""Rows of a scenario: a county's first load."""

_EPILOG = f"""examples:
  python -m tests.chaos                                  everything, {ROWS:,} rows a scenario
  python -m tests.chaos --only kill --seed 7             one scenario, with the faults of seed 7
  python -m tests.chaos --rows {SHORT_ROWS}                      the short form of the ordinary test run
"""


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, help="draw the faults of this run again (default: a new one, printed)")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows of each scenario (default: {ROWS:,})")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="run this scenario; may be repeated")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write FILE.json and FILE.md")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--folder", type=Path, help="work in this folder and leave everything there")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Run what was asked for; 1 if a scenario failed. What failed keeps its folder."""
    arguments = _arguments(given)
    configure_logs(level="warning")
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    began = datetime.datetime.now(datetime.UTC)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="danglian-chaos-"))
    _say(f"seed {seed}, {arguments.rows:,} rows a scenario, in {folder}")
    outcomes = asyncio.run(_run(arguments.only or list(SCENARIOS), seed, arguments.rows, folder, keep=arguments.folder))
    found = report(seed, arguments.rows, began, outcomes)
    if arguments.report is not None:
        for path in written(found, arguments.report):
            _say(f"written: {path}")
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() if arguments.json else page(found))
    if found.good and arguments.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if found.good else 1


async def _run(names: Sequence[str], seed: int, rows: int, folder: Path, *, keep: Path | None) -> list[Outcome]:
    outcomes = []
    for name in names:
        outcome = await outcome_of(name, seed, rows, folder / name, _say)
        word = f"skipped: {outcome.skipped}" if outcome.skipped else "good" if outcome.is_good else outcome.failure
        _say(f"{name}: {word} ({outcome.took_s:.0f} s; again: python -m tests.chaos --seed {seed} --only {name})")
        if outcome.is_good and keep is None:
            shutil.rmtree(folder / name, ignore_errors=True)
        outcomes.append(outcome)
    return outcomes


def _say(words: str) -> None:
    sys.stderr.write(f"{datetime.datetime.now(datetime.UTC):%H:%M:%S} {words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
