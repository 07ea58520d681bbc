"""The progress of a demonstration on the terminal: four bars, or nothing but the summary where nobody watches."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from deploy.demo.look import Look
from deploy.demo.manifest import SiteManifest
from protocol.wording import Text

_STAGES = {
    "written": Text(zh="写入目录文件", en="Catalogues written"),
    "enrolled": Text(zh="登记节点", en="Nodes enrolled"),
    "rows": Text(zh="节点读入条目", en="Rows read by nodes"),
    "applied": Text(zh="县级入库事件", en="Events applied at the hub"),
    "settled": Text(zh="全部到齐的站点", en="Sites come through"),
}


class Bars:
    """The bars; made by `shown`."""

    def __init__(self, progress: Progress, language: str, sites: int) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        for name, words in _STAGES.items():
            total = None if name in {"rows", "applied"} else sites
            self._tasks[name] = progress.add_task(words.in_language(language), total=total)

    def prepared(self, written: int, enrolled: int) -> None:
        """Show how many sites have their catalogues, and how many are enrolled."""
        self._progress.update(self._tasks["written"], completed=written)
        self._progress.update(self._tasks["enrolled"], completed=enrolled)

    def looked(self, look: Look, manifests: dict[str, SiteManifest], expected_rows: int | None) -> None:
        """Show how far the rows have come."""
        self._progress.update(self._tasks["rows"], completed=look.rows, total=expected_rows)
        self._progress.update(self._tasks["applied"], completed=look.applied, total=look.minted or None)
        self._progress.update(self._tasks["settled"], completed=look.come_through(manifests))


@contextmanager
def shown(console: Console, language: str, sites: int) -> Iterator[Bars]:
    """Show the bars for as long as the block lasts."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=False) as progress:
        yield Bars(progress, language, sites)
