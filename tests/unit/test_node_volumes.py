"""Which volume a record names, and which volume has a code: nothing is guessed."""

from uuid import UUID

import pytest

from node.volumes import Volumes, named_volume, volume_key
from protocol.records import Record
from protocol.reference_codes import parse_code
from protocol.vocabularies import Level

ONE, OTHER = UUID(int=1), UUID(int=2)
KEY = ("001", "001-2-15")


def record(code: str = "", level: Level = Level.ITEM, **columns: str) -> Record:
    """Return a record as its code describes it; columns fill what the code leaves open."""
    parsed = parse_code(code) if code else None
    parts = {
        name: getattr(parsed, name) or columns.get(name, "") if parsed else columns.get(name, "")
        for name in ("fonds_no", "catalogue_no", "volume_no", "item_no", "page_no")
    }
    return Record(
        record_id=ONE,
        repository_id="330523108204",
        title="山林承包合同",
        level=level,
        ref_code=parsed.folded if parsed else "",
        **parts,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("code", "volume"),
    [
        ("001-2-15-003", "001-2-15"),
        ("C038-001-002-003", "C038-001-002"),
        ("J019-ZY·JC·CC·2019·D30-001-001", "J019-ZY·JC·CC·2019·D30-001"),
        ("J019-KU·01·2017-001-001", "J019-KU·01·2017-001"),
        ("A002-RS-001-002", "A002-RS-001"),
        ("X032-KJ·JJ·02-005-054", "X032-KJ·JJ·02-005"),
        ("001—2—15—003", "001-2-15"),
        ("001-2-15-15", "001-2-15"),
    ],
)
def test_code_of_an_item_names_its_volume(code: str, volume: str) -> None:
    assert named_volume(record(code)) == volume


@pytest.mark.parametrize(
    "code",
    [
        "Z109-WS·2011·Y-BGS-0001",
        "A439-WS·2015-D30-003-0005",
        "A439-WS·2015·D30·003-005",
        "K021-ZP·2019·D30-025-005",
        "001-2-15",
        "",
    ],
)
def test_nothing_is_named_where_the_numbers_may_mean_something_else(code: str) -> None:
    """003 may be an organ, 025 is a group of photographs, and 001-2-15 is a volume whatever its sheet calls it."""
    assert named_volume(record(code)) == ""


def test_column_tells_a_volume_from_an_organ() -> None:
    assert named_volume(record("A439-WS·2015-D30-003-0005", volume_no="003")) == "A439-WS·2015-D30-003"


def test_columns_alone_name_a_volume_of_the_oldest_dialect() -> None:
    assert named_volume(record(fonds_no="001", catalogue_no="2", volume_no="15")) == "001-2-15"
    assert named_volume(record(fonds_no="001", volume_no="15")) == ""
    assert named_volume(record(catalogue_no="2", volume_no="15")) == ""


def test_page_behind_the_number_is_no_number() -> None:
    """A profile may let a code end in the page."""
    paged = record("001-2-15", item_no="003", page_no="12")
    ends_in_page = Record(
        record_id=ONE,
        repository_id="330523108204",
        title="批复",
        ref_code="X013-7-003-012",
        fonds_no="X013",
        volume_no="7",
        item_no="003",
        page_no="012",
    )
    assert named_volume(ends_in_page) == "X013-7"
    assert named_volume(paged) == ""


def test_row_of_an_index_of_persons_names_the_volume_whose_code_it_carries() -> None:
    assert named_volume(record("J019-KU·01·2017-001", Level.PERSON_INDEX_ROW)) == "J019-KU·01·2017-001"
    assert named_volume(record("001-2-15", Level.PERSON_INDEX_ROW)) == "001-2-15"
    assert named_volume(record("001-2-15-003", Level.PERSON_INDEX_ROW)) == "001-2-15"


@pytest.mark.parametrize("level", [Level.VOLUME, Level.SERIES, Level.FONDS])
def test_volumes_and_what_is_above_them_lie_in_none(level: Level) -> None:
    assert named_volume(record("001-2-15-003", level)) == ""


def test_only_a_listed_volume_with_fonds_and_code_can_be_pointed_to() -> None:
    assert volume_key("001", "001-2-15", "volume", is_listed=True) == KEY
    assert volume_key("001", "001-2-15", "volume", is_listed=False) is None
    assert volume_key("001", "001-2-15", "item", is_listed=True) is None
    assert volume_key("", "2-15", "volume", is_listed=True) is None
    assert volume_key("001", "", "volume", is_listed=True) is None


def test_two_volumes_of_one_code_are_none() -> None:
    volumes = Volumes([(KEY, ONE)])
    assert volumes.one(KEY) == ONE
    volumes.learn([(KEY, ONE)])
    assert volumes.one(KEY) == ONE
    volumes.learn([(KEY, OTHER)])
    assert volumes.one(KEY) is None
    volumes.move(OTHER, KEY, ("001", "001-2-16"))
    assert (volumes.one(KEY), volumes.one(("001", "001-2-16"))) == (ONE, OTHER)
    volumes.move(ONE, KEY, None)
    assert volumes.one(KEY) is None
