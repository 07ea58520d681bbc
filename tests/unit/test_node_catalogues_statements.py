"""What single cells say, how long that is remembered, and which of them are kept beside the record."""

import pytest

from node.catalogues import statements
from node.catalogues.fields import Field
from node.catalogues.particulars import PARTICULAR_FIELDS
from node.catalogues.statements import CELL_CHARS_KEPT, READERS, ColumnReading
from protocol.vocabularies import AccessStatus


def column(field: Field | None, *, is_kept: bool = False) -> ColumnReading:
    return ColumnReading(field, "某列", is_kept=is_kept)


def test_every_field_is_read_somewhere() -> None:
    """A field without a reader would be dropped in silence; running numbers are dropped on purpose."""
    assert set(Field) - set(READERS) - PARTICULAR_FIELDS == {Field.SEQUENCE}
    assert PARTICULAR_FIELDS.isdisjoint(READERS)


def test_cell_says_the_fields_of_the_record() -> None:
    assert column(Field.ACCESS_STATUS).read("开放").said == {"access_status": AccessStatus.OPEN}
    assert column(Field.PAGE_COUNT).read("23-31").said == {"page_count": 9, "page_no": "23-31"}
    assert column(Field.FILING_YEAR).read("1986年度").said == {"filing_year": 1986}
    assert column(Field.FILING_YEAR).read("不详").said == {}


def test_cell_that_is_not_held_word_for_word_is_kept() -> None:
    reading = column(Field.PAGE_COUNT)
    assert reading.read("12").raw == ()
    assert reading.read("12页").raw == (("某列", "12页"),)
    assert column(Field.RESPONSIBLE).read("甲局;乙局").raw == (("某列", "甲局;乙局"),)


def test_cell_of_an_unknown_column_is_kept_and_says_nothing() -> None:
    reading = column(None, is_kept=True).read("3-2-1")
    assert (reading.said, reading.raw) == ({}, (("某列", "3-2-1"),))


def test_missing_maker_is_noticed_only_in_its_own_column() -> None:
    assert [found.code for found in column(Field.RESPONSIBLE).read("").findings] == ["responsible_missing"]
    assert column(Field.RETENTION).read("").findings == ()


def test_what_cells_say_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "CELLS_KEPT", 3)
    reading = column(Field.NOTE)
    for number in range(10):
        reading.read(f"备注{number}")
        assert len(reading.known) <= 3
    assert reading.known["备注9"].said == {"note": "备注9"}


def test_long_text_is_not_remembered() -> None:
    reading = column(Field.NOTE)
    assert reading.read("长" * (CELL_CHARS_KEPT + 1)).said == {"note": "长" * (CELL_CHARS_KEPT + 1)}
    assert reading.known == {}
