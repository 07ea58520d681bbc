"""A console with a catalogue for tests: the fictitious county of ``tests.consoles``, and entries in every state."""

import datetime
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from hub.application import Application
from protocol.events import Event
from protocol.records import Record
from protocol.sites import parse_site
from protocol.vocabularies import AccessStatus, Level
from replication.acceptance import whole
from tests.catalogue import accepted, described, fictitious, record_id
from tests.consoles import fill_county

VILLAGE = "330599001201"
TOWN = "330599001000"
OTHER_TOWN = "330599002000"
SEALED_TITLE = "关于某某甲离婚调解的笔录"

FOREST, SEALED, VOLUME, ITEM, COPY = 1, 2, 3, 4, 5
"""Numbers of the records that tests look at."""

_NOTICE = {
    "title": "关于开展山林承包合同清理工作的通知",
    "doc_no": "竹政〔1986〕12号",
    "responsible_parties": ("竹溪镇人民政府",),
    "date_raw": "1986年3月5日",
    "date_edtf": "1986-03-05",
    "date_earliest": datetime.date(1986, 3, 5),
    "date_latest": datetime.date(1986, 3, 5),
    "filing_year": 1986,
    "livelihood_kind": "forest_contracts",
    "access_status": AccessStatus.OPEN,
}


def record(number: int, site: str, **changes: object) -> Record:
    """A record of a site."""
    return fictitious(number, repository_id=site, **changes)


def tell(connection: Connection, site: str, events: Sequence[Event], now_ms: int) -> None:
    """Apply events as if the site had published them."""
    application, frame = Application(lambda: now_ms), accepted(events, parse_site(site))
    frame.prepared = whole(application.preparing(frame))
    application.apply(connection, [frame])


def fill_catalogue(connection: Connection, now_ms: int) -> None:
    """Fill a store with a county and its catalogue."""
    fill_county(connection, now_ms)
    volume = record(VOLUME, TOWN, title="竹溪镇1986年山林承包案卷", level=Level.VOLUME, ref_code="Z001-WS·1986·Y-0001")
    forest = record(FOREST, VILLAGE, **_NOTICE)
    known_ms = now_ms - 30 * 24 * 3600 * 1000
    tell(
        connection,
        VILLAGE,
        [
            described(1, forest, known_ms),
            described(
                2,
                record(SEALED, VILLAGE, title=SEALED_TITLE, access_status=AccessStatus.RESTRICTED, livelihood_kind=""),
                known_ms,
            ),
            described(3, msgspec.structs.replace(forest, note="附图一张", page_count=12), now_ms - 3600 * 1000),
            *(described(number, record(100 + number, VILLAGE), known_ms) for number in range(4, 44)),
        ],
        now_ms,
    )
    tell(
        connection,
        TOWN,
        [
            described(1, volume, known_ms),
            described(
                2,
                record(ITEM, TOWN, title="上石村山林承包合同", parent_id=volume.record_id, level=Level.ITEM),
                known_ms,
            ),
            *(described(number, record(200 + number, TOWN), known_ms) for number in range(3, 20)),
        ],
        now_ms,
    )
    tell(connection, OTHER_TOWN, [described(1, record(COPY, OTHER_TOWN, **_NOTICE), known_ms)], now_ms)


def path_of(number: int, site: str = VILLAGE) -> str:
    """Address of an entry."""
    return f"/catalogue/{site}/{record_id(number)}"
