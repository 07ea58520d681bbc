"""Bars that show how far a course of long work has come; nothing where nobody watches."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from hub.keeping.course import Course, Stage
from protocol.wording import Text
from replication.command_line import worded

_WORDS = {
    Stage.COPY: Text(zh="复制数据库", en="copying the database"),
    Stage.SUM: Text(zh="计算摘要", en="taking digests"),
    Stage.READ_BACK: Text(zh="回读核对", en="reading back"),
    Stage.EXAMINE: Text(zh="检查数据库", en="examining the database"),
    Stage.PUT_BACK: Text(zh="放回文件", en="putting files back"),
}


@contextmanager
def shown(what: str) -> Iterator[Course]:
    """Give a course whose stages are shown on the terminal, on standard error, for as long as the block lasts."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield Course()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        tasks: dict[Stage, TaskID] = {}

        def tell(stage: Stage, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(f"{what}  {worded(_WORDS[stage])}", total=total or None)
            progress.update(tasks[stage], completed=done, total=total or None)

        yield Course(tell)
