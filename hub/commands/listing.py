"""How the reporting commands look: tables on a terminal, tabs between columns when the output goes elsewhere."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from hub.home import HubHome
from hub.storage import store
from protocol.county_time import second
from protocol.errors import BadSetting
from protocol.wording import Text
from replication.command_line import language


def worded(text: Text) -> str:
    """Return a text in the reader's language."""
    return text.in_language(language())


def on_terminal() -> bool:
    """Tell whether a person watches."""
    return sys.stdout.isatty()


def table(headers: Sequence[Text], rows: Sequence[Sequence[str]], title: str = "") -> Table:
    """Return a table for a terminal."""
    made = Table(title=title or None, title_justify="left", header_style="bold", show_lines=False)
    for header in headers:
        made.add_column(worded(header), overflow="fold")
    for row in rows:
        # Not as plain strings: titles hold square brackets, which would be taken for markup.
        made.add_row(*[Styled(cell) for cell in row])
    return made


def show_table(headers: Sequence[Text], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print rows as a table on a terminal, else as lines with tabs, which other programs read."""
    if on_terminal():
        Console().print(table(headers, rows, title))
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
