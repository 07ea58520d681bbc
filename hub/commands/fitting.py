"""How rows are set on a terminal of any width: a table where it fits, else one short block a row."""

from collections.abc import Iterator, Sequence

import msgspec
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from protocol.wording import Text
from replication.command_line import language

WHOLE_CELLS_MAX = 22
"""Cells of a terminal up to which a column is never broken: codes, dates and figures are read at one glance."""

BROKEN_CELLS_MIN = 20
"""Cells that a column of longer words keeps at least; a Chinese character takes two."""

GAP_CELLS = 2
"""Cells between two columns."""

LEADING = 2
"""Columns that make the first line of a block."""

SAYS_NOTHING = frozenset({"", "0", "—"})

TIED = "\N{NO-BREAK SPACE}"
"""Between what must stand on one line as long as the line has room for it."""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows for a terminal; columns in which no row says anything are named below and not drawn."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Set the rows for the width at hand."""
        if self.title:
            yield Styled(self.title, style="bold")
        kept = [number for number in range(len(self.headers)) if not self.rows or self._says_something(number)]
        widths = [self._width(number) for number in kept]
        least = sum(width if width <= WHOLE_CELLS_MAX else BROKEN_CELLS_MIN for width in widths)
        if least + GAP_CELLS * (len(kept) - 1) <= options.max_width:
            yield self._table(kept, widths)
        else:
            yield from self._blocks(kept)
        if left_out := [header for number, header in enumerate(self.headers) if number not in kept]:
            yield Styled(_left_out(left_out), style="dim")

    def _says_something(self, number: int) -> bool:
        return any(row[number] not in SAYS_NOTHING for row in self.rows)

    def _width(self, number: int) -> int:
        return max(cell_len(line) for text in self._column(number) for line in text.splitlines() or [""])

    def _column(self, number: int) -> Iterator[str]:
        yield self.headers[number]
        yield from (row[number] for row in self.rows)

    def _table(self, kept: Sequence[int], widths: Sequence[int]) -> Table:
        made = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, GAP_CELLS - 1, 0, 0), show_edge=False)
        for number, width in zip(kept, widths, strict=True):
            is_whole = width <= WHOLE_CELLS_MAX
            made.add_column(
                self.headers[number],
                justify="right" if self._is_figures(number) else "left",
                overflow="fold",
                no_wrap=is_whole,
                min_width=width if is_whole else BROKEN_CELLS_MIN,
            )
        for row in self.rows:
            # Not as plain strings: titles hold square brackets, which would be taken for markup.
            made.add_row(*[Styled(row[number]) for number in kept])
        return made

    def _is_figures(self, number: int) -> bool:
        return bool(self.rows) and all(
            row[number].replace(",", "").isdecimal() or row[number] in SAYS_NOTHING for row in self.rows
        )

    def _blocks(self, kept: Sequence[int]) -> Iterator[Styled | Padding]:
        for row in self.rows:
            yield Styled((TIED * GAP_CELLS).join(row[number] for number in kept[:LEADING] if row[number]), style="bold")
            rest = Styled()
            for number in kept[LEADING:]:
                if row[number]:
                    rest.append("  " if rest else "")
                    rest.append(f"{self.headers[number]}{TIED}", style="dim").append(row[number].replace(" ", TIED))
            if rest:
                yield Padding(rest, (0, 0, 0, 4))


def _left_out(headers: Sequence[str]) -> str:
    zh, en = "、".join(headers), ", ".join(headers)
    return Text(zh=f"各行皆为零或空，未列出：{zh}", en=f"zero or empty in every row: {en}").in_language(language())
