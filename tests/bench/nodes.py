"""Several nodes in one process: the daemon of ``danglian-node run``, once for each home.

Worker: ``python -m tests.bench.nodes HOME...``; says ``ready`` when all are.
"""

import asyncio
import sys
from pathlib import Path

from node.daemon import serve
from node.hints import HintSource
from node.home import home_at
from replication.lifetime import run_until_stopped
from replication.logs import configure_logs
from tests.bench.programs import say


async def serve_all(homes: list[Path]) -> None:
    """Run the nodes until cancelled."""
    waiting = len(homes)

    def ready() -> None:
        nonlocal waiting
        waiting -= 1
        if not waiting:
            say("ready")

    # As in the demonstration, one watcher serves all nodes of a process.
    hints = HintSource()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hints.run(), name="hints")
        for home in homes:
            tasks.create_task(serve(home_at(home), ready, hints), name=home.name)


if __name__ == "__main__":
    configure_logs(level="warning", pretty=False)
    sys.exit(run_until_stopped(serve_all([Path(home) for home in sys.argv[1:]])))
