"""What versions 1.5 and 1.6 add to the restoration of a node is frozen; a node of before reads past it."""

from pathlib import Path
from uuid import UUID

import msgspec

from protocol.holdings import HeldCorrection, HeldPage, HeldRecord, HeldStone
from protocol.vocabularies import Level
from tests.golden.messages import SITE

FROZEN = Path(__file__).with_name("v1.5") / "held-page-withdrawn.json"

PAGE = HeldPage(
    site=SITE,
    question="5f3a9c01d2e4b687",
    after="WyIiLCIiLHRydWVd",
    epoch="e1",
    position=12,
    total=4,
    digest="0000000000000001",
    withdrawn=(
        HeldStone(
            record_id=UUID(int=7),
            cause="row_vanished",
            content_key=-4_611_686_018_427_387_904,
            version=3,
            fonds_no="X013",
            ref_code="X013-WS·1986·Y-0007",
            level=Level.VOLUME,
        ),
        HeldStone(record_id=UUID(int=8), cause="secrecy_raised", content_key=5),
    ),
)


class PageOfBefore(msgspec.Struct, frozen=True, kw_only=True):
    """What version 1.4 reads of a page."""

    site: str
    cursor: str = ""
    records: tuple[msgspec.Raw, ...] = ()
    total: int = 0


def test_a_page_of_withdrawn_records_is_written_and_read_the_same_for_ever() -> None:
    frozen = FROZEN.read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(frozen, type=HeldPage)

    assert (msgspec.json.encode(PAGE), msgspec.json.encode(read), read) == (frozen, frozen, PAGE)


def test_a_node_of_before_takes_it_for_a_page_without_records() -> None:
    read = msgspec.json.decode(FROZEN.read_bytes(), type=PageOfBefore)

    assert (read.site, read.records, read.cursor, read.total) == (SITE, (), "", 4)


CORRECTED = Path(__file__).with_name("v1.6") / "held-page-corrected.json"
CORRECTED_PAGE = HeldPage(
    site=SITE,
    question="5f3a9c01d2e4b687",
    records=(
        HeldRecord(
            record=msgspec.Raw(b'{"title":"t"}'),
            corrected=(HeldCorrection(field="page_count", proposal_id=UUID(int=9), made_at_ms=1_700_000_000_000),),
        ),
    ),
    epoch="e1",
    position=12,
    total=1,
    digest="0000000000000001",
)


def test_a_corrected_record_is_written_and_read_the_same_for_ever() -> None:
    frozen = CORRECTED.read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(frozen, type=HeldPage)

    assert (msgspec.json.encode(CORRECTED_PAGE), msgspec.json.encode(read)) == (frozen, frozen)
