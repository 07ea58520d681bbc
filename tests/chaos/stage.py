"""What a scenario is given: its size, its randomness, its folder, and where it writes down what it does."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.chaos.county import County
from tests.chaos.outcomes import Outcome

ROWS_A_SHEET_MAX = 20_000
"""Rows of one sheet: what a digitising firm delivers for a village."""

SHEETS_OF_A_SITE_MIN = 4
"""Sheets that a site's rows are divided over, so that faults also fall between two imports."""

ROWS_A_SECOND_MIN = 60
"""Rows that a machine under heavy load still takes from folder to hub each second; slower counts as stuck."""

PATIENCE_S = 240.0
"""Seconds that recovering may take whatever the size: two of the product's minute-long waits and some slack."""

SHORT_ROWS = 1_500
"""Rows of a scenario in the ordinary test run."""


class Stage(msgspec.Struct, kw_only=True):
    """One scenario's means."""

    folder: Path
    rows: int
    draw: random.Random
    outcome: Outcome
    say: Callable[[str], None]

    @property
    def is_short(self) -> bool:
        """Whether this is the form of the ordinary test run: few rows, few faults, no waits of minutes."""
        return self.rows <= SHORT_ROWS

    @property
    def patience_s(self) -> float:
        """Seconds that this many rows may take to arrive."""
        return PATIENCE_S + self.rows / ROWS_A_SECOND_MIN

    def note(self, what: str) -> None:
        """Write down a step."""
        self.outcome.schedule.append(what)
        self.say(f"{self.outcome.scenario}: {what}")

    def fault(self, kind: str, what: str = "") -> None:
        """Count a fault and write it down."""
        self.outcome.faults[kind] += 1
        self.note(f"{kind} {what}".strip())

    async def plant(self, county: County, rows: int) -> None:
        """Divide so many new rows over the sites, each in several sheets."""
        for number, site in enumerate(county.sites):
            of_site = rows // len(county.sites) + (number < rows % len(county.sites))
            sheets = max(SHEETS_OF_A_SITE_MIN, -(-of_site // ROWS_A_SHEET_MAX))
            for sheet in range(sheets):
                await asyncio.to_thread(site.sheets.add, of_site // sheets + (sheet < of_site % sheets))


def staged(scenario: str, seed: int, rows: int, folder: Path, say: Callable[[str], None]) -> Stage:
    """Return the stage of a scenario: its schedule depends on its name, the seed and the size alone."""
    outcome = Outcome(scenario=scenario, seed=seed, rows=rows)
    return Stage(folder=folder, rows=rows, draw=random.Random(f"{scenario} {seed}"), outcome=outcome, say=say)
