"""What an event becomes before the transaction."""

import pytest

from hub.likeness import likeness_keys
from hub.preparation import entry_terms, indexed_fields, year_of
from node import search_terms
from protocol.analysis import index_terms
from protocol.records import Alias, Record
from tests.catalogue import fictitious

RECORDS = (
    fictitious(1),
    fictitious(2, date_raw="1986年3月", date_edtf="1986-03"),
    fictitious(3, scope="范围", note="附注", aliases=(Alias(code="旧-1"), Alias(code="旧-2"))),
    fictitious(4, responsible_parties=(), doc_no="", date_raw="", date_edtf="", date_earliest=None, date_latest=None),
)


@pytest.mark.parametrize("record", RECORDS)
def test_both_ends_index_the_same_words(record: Record) -> None:
    """A query means the same at a site and at the hub; the hub's likeness keys come after the words."""
    keys = likeness_keys(record, index_terms(record.title))

    assert entry_terms(record).split() == [*search_terms.record_terms([record])[0].split(), *keys]


@pytest.mark.parametrize("record", RECORDS)
def test_both_ends_explain_by_the_same_fields(record: Record) -> None:
    mine = {field: text for field, text in indexed_fields(record).items() if text}

    assert mine == {field: text for field, text in search_terms.indexed_fields(record).items() if text}


@pytest.mark.parametrize(
    ("record", "year"),
    [
        (fictitious(1, filing_year=1900), int(fictitious(1).date_edtf[:4])),
        (fictitious(1, date_earliest=None, date_latest=None, filing_year=1986), 1986),
        (fictitious(1, date_earliest=None, date_latest=None, filing_year=None), 0),
        (fictitious(1, date_earliest=None, date_latest=None, filing_year=-5), 0),
        (fictitious(1, date_earliest=None, date_latest=None, filing_year=10**12), 0),
    ],
)
def test_year_that_sorts_a_record_is_that_of_its_latest_date(record: Record, year: int) -> None:
    assert year_of(record) == year
