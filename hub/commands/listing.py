"""How the reporting commands look: set for a person on a terminal, with tabs between columns for other programs."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console

from hub.commands.fitting import Rows
from hub.home import HubHome
from hub.storage import store
from protocol.county_time import second
from protocol.errors import BadSetting
from protocol.wording import Text
from replication.command_line import worded


def joined(words: Iterable[str]) -> str:
    """Return words one behind the other, as the reader's language parts them."""
    return worded(_BETWEEN).join(words)


def on_terminal() -> bool:
    """Tell whether a person watches."""
    return sys.stdout.isatty()


_BETWEEN = Text(zh="、", en=", ")


def table(headers: Sequence[Text], rows: Sequence[Sequence[str]], title: str = "") -> Rows:
    """Return rows for a terminal, of whatever width it is."""
    return Rows(headers=tuple(map(worded, headers)), rows=tuple(map(tuple, rows)), title=title)


def show_table(headers: Sequence[Text], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print rows for a person on a terminal, else as lines with tabs, which other programs read."""
    if on_terminal():
        Console(highlight=False).print(table(headers, rows, title))
        return
    for row in ([worded(header) for header in headers], *rows):
        sys.stdout.write("\t".join(" ".join(cell.split()) for cell in row) + "\n")


def moment(at_ms: int | None) -> str:
    """Return a moment in the county's time, to the second; a dash where there is none."""
    return second(at_ms) if at_ms else "—"


def check_database(home: HubHome) -> None:
    """Refuse to look into a hub that has never run.

    Raises:
        BadSetting: there is no database in the home.

    """
    if not store.is_there(home):
        raise BadSetting(
            Text(zh=f"找不到数据库 {home.database}", en=f"no database at {home.database}"),
            Text(zh="请先运行 danglian-hub run。", en="Run danglian-hub run first."),
        )
