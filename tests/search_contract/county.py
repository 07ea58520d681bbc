"""The test county: twelve sites that read the catalogue's sheets, and a hub that merges what they tell, as in life."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec

from hub.storage.tidying import merge
from protocol.limits import FRAME_EVENTS_MAX
from protocol.sites import parse_site
from replication.database import Database, opened
from tests.catalogue import accepted
from tests.hubs import MIGRATIONS, Hub
from tests.node_site import NodeSite, node_site
from tests.search_contract.catalogue import SITES, Line, whole_catalogue, write_sheet

SHEET = "catalogue.csv"


class County(msgspec.Struct, frozen=True, kw_only=True):
    """Sites and hub with the whole catalogue in them, and what the questions call each record."""

    sites: Mapping[str, NodeSite]
    """By site code."""
    hub: Hub
    names: Mapping[tuple[str, UUID], str]
    """By site code and id."""
    lines: Mapping[str, Line]
    """By name."""


@asynccontextmanager
async def county(
    root: Path,
    database: AbstractAsyncContextManager[Database] | None = None,
    sheets: Mapping[str, Sequence[Line]] | None = None,
) -> AsyncIterator[County]:
    """Open the county under ``root`` and fill it.

    Args:
        root: an empty folder.
        database: the hub's store, empty; a file under ``root`` unless another is given.
        sheets: records by site; the whole catalogue unless others are given.

    """
    if sheets is None:
        sheets = whole_catalogue()
    async with AsyncExitStack() as stack:
        hub = Hub(await stack.enter_async_context(database or opened(root / "hub.db", MIGRATIONS)))
        sites: dict[str, NodeSite] = {}
        names: dict[tuple[str, UUID], str] = {}
        for key, lines in sheets.items():
            code = SITES[key]
            site = await stack.enter_async_context(node_site(root / key, code=code))
            sites[code] = site
            names |= {(code, record): line.name for record, line in await _taken(site, lines)}
            await _told(hub, code, site)
        # What was loaded is put in order before anybody asks, as in a hub that is quiet for some seconds.
        while await hub.database.write(merge):
            pass
        by_name = {line.name: line for lines in sheets.values() for line in lines}
        yield County(sites=sites, hub=hub, names=names, lines=by_name)


async def _taken(site: NodeSite, lines: Sequence[Line]) -> list[tuple[UUID, Line]]:
    """Have a site read its sheet, and read it again without the rows that are withdrawn."""
    sheet = site.folder / SHEET
    write_sheet(sheet, lines)
    await site.settle()
    rows = await site.database.fetch("SELECT record_id FROM record ORDER BY line")
    ids = [UUID(bytes=record) for (record,) in rows if isinstance(record, bytes)]
    if len(ids) != len(lines):
        report = await site.database.fetch("SELECT report FROM file")
        message = f"{site.folder}: {len(ids)} of {len(lines)} rows were taken: {report}"
        raise ValueError(message)
    if any(line.is_withdrawn for line in lines):
        write_sheet(sheet, [line for line in lines if not line.is_withdrawn])
        await site.settle()
    return list(zip(ids, lines, strict=True))


async def _told(hub: Hub, code: str, site: NodeSite) -> None:
    events, place = await site.events(), parse_site(code)
    for first in range(0, len(events), FRAME_EVENTS_MAX):
        await hub.apply(accepted(events[first : first + FRAME_EVENTS_MAX], place))
