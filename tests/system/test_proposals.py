"""A proposal of change with real programs: the keeper accepts it while cut off, and it comes back as their change."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import pytest

from hub.decisions import proposals
from hub.decisions.proposals import ProposalState, Wish
from hub.home import home_at
from hub.staff.administration import Actor
from hub.storage import store
from tests.system.counties import County, rows, write_csv
from tests.system.programs import Program, until

pytestmark = pytest.mark.timeout(180)

VILLAGE = "330523108204"
WRONG, RIGHT = "关于第2号林地承包合同的批复", "关于第2号山林承包合同的批复"
NOW_MS = 1_790_000_000_000


@pytest.fixture
async def county(tmp_path: Path, free_port: Callable[[], int], store_of_homes: str) -> AsyncIterator[County]:
    async with AsyncExitStack() as stack:
        made = County(tmp_path, free_port, stack)
        await made.open()
        yield made


async def propose(county: County) -> None:
    """Do what the entry's page does."""
    record_id = UUID(county.held(VILLAGE)[WRONG])
    wish = Wish(site=VILLAGE, record_id=record_id, wanted={"title": RIGHT}, reason="原件题名如此", called="林敏")
    async with store.opened(home_at(county.hub.home), readers=1) as database:
        await database.write(lambda connection: proposals.propose(connection, Actor(who="lin.min"), wish, NOW_MS))


async def state(county: County) -> ProposalState:
    async with store.opened(home_at(county.hub.home), readers=1) as database:
        found = await database.read(lambda connection: proposals.numbered(connection, 1))
    assert found is not None
    return found.state


async def _waits(node: Program) -> bool:
    return bool(await node.json("proposals", "list"))


async def test_a_proposal_finds_its_keeper_and_survives_a_kill_and_the_next_sheet(county: County) -> None:
    village = await county.join(VILLAGE)
    sheet = village.home / "catalogues" / "目录.csv"
    write_csv(sheet, rows(4))
    await county.settled(VILLAGE, holding=4)

    await propose(county)
    await until("the letter to come", lambda: _waits(village), 60)

    await village.kill()
    await village.json("proposals", "accept", "1", "--by", "王守仁")
    await village.start()

    async def is_held() -> bool:
        return RIGHT in county.held(VILLAGE) and await state(county) is ProposalState.ACCEPTED

    await until("the change to come back", is_held, 60)

    write_csv(sheet, [*rows(4), *rows(2, 20)])
    await county.settled(VILLAGE, holding=6)
    held = county.held(VILLAGE)
    assert (RIGHT in held, WRONG in held, len(held)) == (True, False, 6)
