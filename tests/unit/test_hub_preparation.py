"""What an event becomes before the transaction."""

import msgspec
import pytest

from hub.decisions.likeness import likeness_keys
from hub.preparation import Prepared, entry_row, entry_rows, preparing
from protocol.analysis import index_terms
from protocol.events import BaselinePhase, Described, Event
from protocol.index_rows import index_rows, year_of
from protocol.records import Alias, Record
from protocol.vocabularies import AccessStatus, Secrecy
from replication.acceptance import whole
from tests.catalogue import accepted, described, fictitious, marked, record_id, withdrawn

RECORDS = (
    fictitious(1),
    fictitious(2, date_raw="1986年3月", date_edtf="1986-03"),
    fictitious(3, scope="范围", note="附注", aliases=(Alias(code="旧-1"), Alias(code="旧-2"))),
    fictitious(4, responsible_parties=(), doc_no="", date_raw="", date_edtf="", date_earliest=None, date_latest=None),
)


SITE = "330523108204"


@pytest.mark.parametrize("record", RECORDS)
def test_both_ends_index_the_same_words(record: Record) -> None:
    """A query means the same at a site and at the hub; the hub has marks and likeness keys besides."""
    *words, marks = index_rows([record])[0]
    *mine, mine_too = entry_row(SITE, record)

    assert mine == words
    assert set(marks.split()) <= set(mine_too.split())
    assert set(likeness_keys(record, index_terms(record.title))) <= set(mine_too.split())


def test_hub_marks_what_its_filters_ask_for() -> None:
    record = fictitious(1, livelihood_kind="forest", access_status=AccessStatus.OPEN)

    assert entry_row(SITE, record)[4].split()[:5] == ["§330523108204", "¶Ｊ001", "¤forest", "¢open", "£item"]


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


def test_terms_do_not_depend_on_the_company_of_other_records() -> None:
    """What is deleted from the index is cut again alone, and must be the very terms that were put in."""
    awkward = fictitious(5, title="①《é》王　伟\n", note="a\nb", responsible_parties=("王", "伟"))

    assert entry_rows(SITE, [*RECORDS, awkward, *RECORDS]) == [
        entry_row(SITE, one) for one in (*RECORDS, awkward, *RECORDS)
    ]


def unreadable(seq: int) -> Described:
    return Described(seq=seq, previous=seq - 1, at_ms=seq, record=msgspec.Raw(b'{"title": 1}'))


@pytest.mark.parametrize(
    "other",
    [
        unreadable(3),
        described(3, fictitious(3, secrecy=Secrecy.SECRET)),
        withdrawn(3, record_id(3)),
        marked(3, BaselinePhase.BEGIN),
    ],
)
def test_descriptions_are_the_same_beside_whatever_else_a_frame_holds(other: Event) -> None:
    """A frame of good descriptions is read as a whole; one that needs a closer look, event by event."""
    events = [described(1, fictitious(1)), described(2, fictitious(2))]
    simple, mixed = (whole(preparing(accepted(some))) for some in (events, [*events, other]))

    assert list(simple.by_record or {}) == [record_id(1).bytes, record_id(2).bytes]
    assert mixed.by_record is None
    assert list(mixed.events[:2]) == list(simple.events)


def test_a_frame_that_describes_a_record_twice_is_no_simple_one() -> None:
    ready: Prepared = whole(
        preparing(accepted([described(1, fictitious(1)), described(2, fictitious(1, note="again"))]))
    )

    assert len(ready.events) == 2
    assert ready.by_record is None


def test_an_unreadable_record_is_set_aside_and_the_others_are_kept() -> None:
    frame = accepted([described(1, fictitious(1)), unreadable(2), described(3, fictitious(3))])
    ready = whole(preparing(frame))

    assert [event.seq for event in ready.events] == [1, 3]
    assert [(one.seq, one.fault) for one in frame.spoilt] == [(2, "unreadable_record")]
