"""The short form of ``make chaos``: every scenario with few rows. Leave it out with ``-m "not chaos"``.

All scenarios run at the same time, each in a county of its own: most of their time is waiting for a heartbeat.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.chaos.outcomes import Outcome
from tests.chaos.scenarios import SCENARIOS, outcome_of
from tests.chaos.stage import SHORT_ROWS

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]

SEED = int(os.environ.get("DANGLIAN_CHAOS_SEED", "1"))
"""The faults of the ordinary run are the same every time; ``make chaos`` draws others."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, asyncio.Task[Outcome]]]:
    folder: Path = tmp_path_factory.mktemp("chaos")
    tasks = {name: asyncio.create_task(outcome_of(name, SEED, SHORT_ROWS, folder / name)) for name in SCENARIOS}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.wait(tasks.values())


async def good(running: dict[str, asyncio.Task[Outcome]], name: str) -> Outcome:
    outcome = await running[name]
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert outcome.is_good, outcome.failure
    return outcome


async def test_kills_of_node_hub_and_broker_lose_nothing_and_double_nothing(
    running: dict[str, asyncio.Task[Outcome]],
) -> None:
    outcome = await good(running, "kill")

    assert {"kill -9 node", "kill -9 hub", "kill -9 broker"} <= outcome.faults.keys()


async def test_a_wiped_store_is_filled_again_from_the_outboxes(running: dict[str, asyncio.Task[Outcome]]) -> None:
    outcome = await good(running, "wipe")

    assert outcome.faults["store wiped"] == 3


async def test_a_hub_put_back_to_yesterday_is_caught_up_by_its_sites(
    running: dict[str, asyncio.Task[Outcome]],
) -> None:
    """What the sites had long been told to be confirmed, changed or withdrawn is there again."""
    outcome = await good(running, "restore")

    assert outcome.repaired > 0


async def test_a_node_with_a_full_disk_waits_and_goes_on(running: dict[str, asyncio.Task[Outcome]]) -> None:
    outcome = await good(running, "disk")

    assert outcome.faults["disk full"] == 3


async def test_a_village_behind_a_line_that_swallows_everything_catches_up(
    running: dict[str, asyncio.Task[Outcome]],
) -> None:
    outcome = await good(running, "line")

    assert outcome.faults["black hole"] == 1


async def test_a_site_that_was_away_for_thirty_days_catches_up_though_the_stream_has_discarded(
    running: dict[str, asyncio.Task[Outcome]],
) -> None:
    outcome = await good(running, "absence")

    assert (outcome.faults["site away"], outcome.faults["stream discarded"]) == (1, 1)


async def test_sigterm_in_every_phase_ends_with_0_in_time(running: dict[str, asyncio.Task[Outcome]]) -> None:
    outcome = await good(running, "stop")

    assert {"SIGTERM hub", "SIGTERM node"} <= outcome.faults.keys()
