"""The progress of a demonstration: bars on a terminal, now and then a line where the output goes elsewhere."""

import time
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


LINE_S = 10.0
"""Seconds between two lines where there are no bars."""


class Bars:
    """The bars; made by `shown`."""

    def __init__(self, progress: Progress, language: str, sites: int) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        for name, words in _STAGES.items():
            total = None if name in {"rows", "applied"} else sites
            self._tasks[name] = progress.add_task(words.in_language(language), total=total)
        self._told_s = time.monotonic()

    def prepared(self, written: int, enrolled: int) -> None:
        """Show how many sites have their catalogues, and how many are enrolled."""
        self._progress.update(self._tasks["written"], completed=written)
        self._progress.update(self._tasks["enrolled"], completed=enrolled)
        self._tell("written", "enrolled")

    def looked(self, look: Look, manifests: dict[str, SiteManifest], expected_rows: int | None) -> None:
        """Show how far the rows have come."""
        self._progress.update(self._tasks["rows"], completed=look.rows, total=expected_rows)
        self._progress.update(self._tasks["applied"], completed=look.applied, total=look.minted or None)
        self._progress.update(self._tasks["settled"], completed=look.come_through(manifests))
        self._tell("rows", "applied", "settled")

    def _tell(self, *names: str) -> None:
        """Say in a line how far it is, where no bar shows it."""
        console, now_s = self._progress.console, time.monotonic()
        if console.is_terminal or now_s - self._told_s < LINE_S:
            return
        self._told_s = now_s
        tasks = [self._progress.tasks[self._tasks[name]] for name in names]
        figures = (f"{task.description} {task.completed:.0f}/{task.total or 0:.0f}" for task in tasks)
        console.print("  ".join(figures), highlight=False, soft_wrap=True)


@contextmanager
def shown(console: Console, language: str, sites: int) -> Iterator[Bars]:
    """Show the bars for as long as the block lasts."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=False, disable=not console.is_terminal) as progress:
        yield Bars(progress, language, sites)
