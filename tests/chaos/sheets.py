"""The sheets of one site, and what they say: the truth that the hub's catalogue is compared with, row by row."""

import csv
import random
from pathlib import Path

from tests.bench.rows import HEADINGS, TITLE, Row, row

CODE = HEADINGS.index("档号")

Saying = tuple[str, str]
"""Reference code and title of a row; titles carry the row's number, so no two of a site say the same."""


class Sheets:
    """Sheets in one folder; each change writes the file anew, whole, as an office program does."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder
        self.fonds = f"X{101 + number}"
        self._seed = number + 1
        self.sent = 0
        self._rows: dict[int, Row] = {}
        self._of_sheet: dict[str, list[int]] = {}
        self._next = 1

    @property
    def says(self) -> list[Saying]:
        """What the sheets say now."""
        return [(str(cells[CODE]), str(cells[TITLE])) for cells in self._rows.values()]

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, count: int) -> None:
        """Write another sheet of new rows."""
        numbers = list(range(self._next, self._next + count))
        self._next += count
        self._rows.update((number, row(number, fonds=self.fonds, seed=self._seed)) for number in numbers)
        self.sent += count
        name = f"归档文件目录-{len(self._of_sheet) + 1:03d}.csv"
        self._of_sheet[name] = numbers
        self._write(name)

    def change(self, draw: random.Random, count: int) -> None:
        """Change the titles of some rows of one sheet."""
        name, numbers = self._some(draw, count)
        for number in numbers:
            cells = list(self._rows[number])
            cells[TITLE] = f"{cells[TITLE]}（修订 {draw.randrange(10**6):06d}）"
            self._rows[number] = tuple(cells)
        self.sent += len(numbers)
        self._write(name)

    def remove(self, draw: random.Random, count: int) -> None:
        """Take some rows out of one sheet: few enough for the brake to let them go."""
        name, numbers = self._some(draw, count)
        for number in numbers:
            del self._rows[number]
            self._of_sheet[name].remove(number)
        self.sent += len(numbers)
        self._write(name)

    def _some(self, draw: random.Random, count: int) -> tuple[str, list[int]]:
        name = draw.choice(sorted(self._of_sheet))
        numbers = self._of_sheet[name]
        return name, draw.sample(numbers, min(count, len(numbers) // 2))

    def _write(self, name: str) -> None:
        # Half a file under its final name would be an incident of its own, which tests of settling look at.
        hidden = self.folder / f".{name}.part"
        with hidden.open("w", encoding="utf-8-sig", newline="") as target:
            csv.writer(target).writerows([HEADINGS, *(self._rows[number] for number in self._of_sheet[name])])
        hidden.replace(self.folder / name)
