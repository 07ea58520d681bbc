"""The receiving plan: what is due by the catalogue, by statute or by agreement, what came, what is overdue."""

import datetime
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection

from hub.staff.administration import Actor
from hub.transfers import planning
from hub.transfers.planning import Agreement, DueLine
from node.transfers import planned
from protocol.errors import BadValue
from protocol.receiving_plans import COUNTY_YEARS, Basis, due_in, is_bound, years_before_transfer
from protocol.records import Record
from protocol.sites import parse_site
from replication import letters, transfer_items
from replication.transfer_items import ItemState, TransferItem
from tests.catalogue import VILLAGE, described, fictitious, record_id
from tests.hubs import Hub
from tests.stores import Store
from tests.transfer_ends import NODE, fresh

ARCHIVE = parse_site("330523000000")
TOWN = parse_site("330523108000")
ACTOR = Actor(who="档案员")
NOW_MS = 1_800_000_000_000
YEAR = 2026


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        yield Hub(database)


def dated(number: int, year: int, kind: str = "") -> Record:
    """A record whose year stands where the catalogue's numbers take it from."""
    day = datetime.date(year, 5, 1)
    return fictitious(
        number,
        filing_year=year,
        livelihood_kind=kind,
        date_raw=str(year),
        date_edtf=str(year),
        date_earliest=day,
        date_latest=day,
    )


async def tell(hub: Hub, *records: Record, site: object = TOWN) -> None:
    await hub.tell(*(described(seq, one) for seq, one in enumerate(records, 1)), site=site)  # type: ignore[arg-type]


async def due(hub: Hub) -> list[DueLine]:
    return await hub.database.read(lambda c: planning.due_lines(c, ARCHIVE, YEAR))


def test_a_county_takes_records_in_after_ten_years_a_city_after_twenty() -> None:
    assert years_before_transfer(ARCHIVE) == COUNTY_YEARS
    assert years_before_transfer(parse_site("330500000000")) == 20
    assert due_in(2015, 10) == 2026
    assert [is_bound(site) for site in (TOWN, VILLAGE, parse_site("330523000000-E0007"))] == [True, False, False]


async def test_a_town_owes_what_is_ten_years_old_and_a_village_nothing(hub: Hub) -> None:
    await tell(hub, dated(1, 2014), dated(2, 2015), dated(3, 2016))
    await tell(hub, dated(4, 2000), site=VILLAGE)

    assert await due(hub) == [
        DueLine(
            site=TOWN.code,
            kind="",
            after_years=10,
            basis=Basis.STATUTORY,
            due=2,
            overdue=1,
            year_first=2014,
            year_last=2015,
        )
    ]


async def test_what_was_agreed_comes_early_or_late_and_says_who_agreed(hub: Hub) -> None:
    await tell(hub, dated(1, 2024, "marriage"), dated(2, 2010))
    await tell(hub, dated(4, 2000), site=VILLAGE)
    early = agreement(TOWN.code, "marriage", 1)
    village = agreement(VILLAGE.code, "", 5)

    def both(connection: Connection) -> None:
        for one in (early, village):
            planning.agree(connection, ACTOR, one, NOW_MS)

    await hub.database.write(both)

    lines = {(line.site, line.kind): line for line in await due(hub)}
    marriage = lines[(TOWN.code, "marriage")]
    assert (marriage.due, marriage.basis, marriage.agreed_by) == (1, Basis.AGREED, "县档案局")
    assert lines[(VILLAGE.code, "")].due == 1
    assert lines[(TOWN.code, "")].basis is Basis.STATUTORY


def agreement(site: str, kind: str, years: int, by: str = "县档案局") -> Agreement:
    return Agreement(site=site, kind=kind, after_years=years, agreed_by=by, reason="利用多", agreed_at_ms=NOW_MS)


async def test_an_agreement_names_who_agreed(hub: Hub) -> None:
    with pytest.raises(BadValue):
        await hub.database.write(lambda c: planning.agree(c, ACTOR, agreement(TOWN.code, "", 1, by=" "), NOW_MS))


async def test_the_plan_keeps_what_was_planned_and_shows_what_came(hub: Hub) -> None:
    await tell(hub, dated(1, 2014), dated(2, 2015))
    made = await hub.database.write(lambda c: planning.make(c, ACTOR, ARCHIVE, YEAR, NOW_MS))
    assert [(line.planned, line.now.due, line.share) for line in made] == [(2, 2, 0.0)]

    await hub.database.write(moved)
    again = await hub.database.write(lambda c: planning.make(c, ACTOR, ARCHIVE, YEAR, NOW_MS))
    assert [(line.planned, line.now.received, line.now.due, line.share) for line in again] == [(2, 1, 1, 0.5)]
    assert again[0].plan_id == made[0].plan_id


def moved(connection: Connection) -> None:
    item = TransferItem(record_id=record_id(1), sequence=0, ref_code="1", title="", state=ItemState.MOVED)
    transfer_items.put(connection, record_id(99), [item])


async def test_a_site_is_told_its_lines_and_keeps_the_latest(hub: Hub) -> None:
    await tell(hub, dated(1, 2014), dated(2, 2015))
    await hub.database.write(lambda c: planning.make(c, ACTOR, ARCHIVE, YEAR, NOW_MS))
    told, _ = await hub.database.read(lambda c: letters.due(c, TOWN.code, NOW_MS))
    engine = fresh(NODE)
    with engine.begin() as connection:
        letters.take(connection, letters.HUB_PEER, [*told, *told], planned.handlers(), NOW_MS)
        (line,) = planned.lines(connection)
        assert planned.line_named(connection, str(line.plan)[:8]) == line
    engine.dispose()

    assert (line.records, line.year_first, line.year_last) == (2, 2014, 2015)
