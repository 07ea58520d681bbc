"""The scenarios by name, and the running of one of them."""

import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from tests.chaos import absences, full_disks, kills, partitions, restores, stops, wipes
from tests.chaos.outcomes import Outcome, Skipped
from tests.chaos.stage import Stage, staged

SCENARIOS: Mapping[str, Callable[[Stage], Awaitable[None]]] = {
    "kill": kills.run,
    "wipe": wipes.run,
    "restore": restores.run,
    "disk": full_disks.run,
    "line": partitions.run,
    "absence": absences.run,
    "stop": stops.run,
}


async def outcome_of(name: str, seed: int, rows: int, folder: Path, say: Callable[[str], None] = print) -> Outcome:
    """Run a scenario in a folder and return what came of it; a failure is part of that."""
    stage = staged(name, seed, rows, folder, say)
    began = time.monotonic()
    try:
        await SCENARIOS[name](stage)
    except Skipped as error:
        stage.outcome.skipped = str(error)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in one scenario, the report tells it and goes on
        stage.outcome.failure = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    stage.outcome.took_s = round(time.monotonic() - began, 1)
    return stage.outcome
