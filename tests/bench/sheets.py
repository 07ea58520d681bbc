"""Sheets that a benchmark puts into a node's folder."""

import asyncio
import csv

from node.home import NodeHome
from tests.bench.county import head_of
from tests.bench.rows import HEADINGS, TITLE, rows

ROWS_FACTOR = 5
"""Rows of a large sheet, for each row of the scale."""

SETTLE_S = 0.2
"""Seconds that a file settles here: a setting, and no part of what is measured."""

IMPORTED_S = 1_200.0
"""Seconds that an import, or the applying of a backlog, may take."""


def write_sheet(home: NodeHome, name: str, count: int, seed: int, *, without: str = "") -> None:
    """Put a catalogue, without rows about a topic, into the node's folder; it is whole when it has its name."""
    arriving = home.catalogues / f"{name}.part"
    with arriving.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for row in rows(count, fonds=f"X{seed:03d}", seed=seed):
            title = str(row[TITLE])
            writer.writerow((*row[:TITLE], title.replace(without, "林地确权") if without else title, *row[TITLE + 1 :]))
    arriving.replace(home.catalogues / f"{name}.csv")


async def until_minted(home: NodeHome, position: int) -> None:
    """Wait until a node's history has reached a position."""
    async with asyncio.timeout(IMPORTED_S):
        while head_of(home) < position:
            await asyncio.sleep(0.2)
