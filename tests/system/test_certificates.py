"""A certified copy with real programs: ordered at the hub, approved by command at the site, drawn, sealed, verified."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection

from hub.home import home_at
from hub.storage import store
from hub.window import copies, sheets
from hub.window.copy_orders import CopyOrder, CopyRoutes, CopyState, CopyWish
from protocol.copies import Product
from tests.certifying import scan
from tests.system.counties import County, rows, write_csv
from tests.system.programs import until

pytestmark = pytest.mark.timeout(180)

VILLAGE = "330523108204"
COUNTY = "330523000000"


async def test_a_copy_is_ordered_approved_drawn_sealed_printed_and_verified(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    async with AsyncExitStack() as stack:
        county = County(tmp_path, free_port, stack)
        await county.open()
        node = await county.join(VILLAGE)
        (row,) = rows(1)
        write_csv(node.home / "catalogues" / "目录.csv", [row])
        folder = node.home / "scans" / row[0]
        folder.mkdir(parents=True)
        for number in range(1, int(row[6]) + 1):
            (folder / f"{number:04}.jpg").write_bytes(scan(f"page {number}"))
        await county.settled(VILLAGE)
        wish = CopyWish(
            request_id=UUID(int=7),
            record_id=UUID(county.held(VILLAGE)[row[1]]),
            product=Product.CERTIFIED_COPY,
            purpose="山林权属调解",
            case_no="安矛调〔2026〕17号",
            requester="organ",
        )
        home = home_at(county.hub.home)
        async with store.opened(home) as database:

            def ask(connection: Connection) -> CopyOrder:
                return copies.ask(connection, wish, CopyRoutes(county=COUNTY), "cli:test", 1_790_000_000_000)

            serial = (await database.write(ask)).asked.serial

            async def is_in(state: CopyState) -> bool:
                return (await database.read(lambda c: copies.found(c, wish.copy_id))).state is state

            async def waiting() -> str:
                found = await node.json("requests")
                return found[0]["asked"]["copy_id"] if found else ""

            name = await until("the order to reach the site", waiting)
            assert name == str(wish.copy_id)
            await node.run("requests", "approve", name[:8])
            await until("the sealed certificate", lambda: is_in(CopyState.SIGNED))
            await database.write(lambda c: sheets.receive(c, "A000001", "A000050", "cli:test", 1_790_000_000_000))

        out = tmp_path / "print.pdf"
        await county.hub.run("certificate", "issue", serial, "--sheet", "A000001", "--out", str(out))
        told = await county.hub.json("certificate", "verify", str(out))
        assert told["finding"] == "valid"
