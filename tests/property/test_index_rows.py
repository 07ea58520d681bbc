"""The terms of a record are those of its fields: what is kept ready to save time changes nothing."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.explaining import Explainer
from protocol.analysis import index_terms, phrases
from protocol.calls import Search
from protocol.codec import encode_record
from protocol.expressions import Column, Run
from protocol.index_rows import index_rows
from protocol.matching import Matcher
from protocol.record_facts import subject_of
from protocol.records import Alias, Record
from protocol.row_matching import holds, written
from protocol.search_calls import query_of

texts = st.text("安吉縣档·-〔〕()号 0aBé〇，", max_size=12)


def record(title: str = "", doc_no: str = "", ref_code: str = "", date: str = "", note: str = "") -> Record:
    return Record(
        record_id=UUID(int=1),
        repository_id="330523108204",
        title=title,
        doc_no=doc_no,
        ref_code=ref_code,
        responsible_parties=("县政府",),
        date_raw=date,
        date_edtf=date,
        note=note,
        aliases=(Alias(code="A-1"),) if note else (),
    )


@given(texts, texts, texts, texts, texts)
def test_terms_are_those_of_the_fields_in_their_order(
    title: str, doc_no: str, ref_code: str, date: str, note: str
) -> None:
    row = index_rows([record(title, doc_no, ref_code, date, note)])[0]
    columns = [[title], ["县政府"], [ref_code, doc_no, "A-1" if note else ""], [date, note]]
    expected = [[term for field in fields for term in index_terms(field).split()] for fields in columns]
    assert [terms.split() for terms in row[:4]] == expected


WITH_KANA = st.text("安吉縣县档丶 王伟·か\u3099\u3000\ufe00-，", min_size=2, max_size=12)
"""A kana joins what stands behind it, blanks close up, variants fold."""


@given(WITH_KANA, st.data())
def test_what_stands_in_a_title_as_it_is_written_is_found_in_it(title: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(title) - 2))
    part = title[start : data.draw(st.integers(start + 2, len(title)))]
    row = index_rows([record(title)])[0]

    for run in (Run(terms=one.terms, is_prefix=one.is_prefix) for one in phrases(part)):
        text = written(run)
        if text is not None and text in title:
            assert holds(run, row)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (Run(terms=("安吉", "吉县")), "安吉县"),
        (Run(terms=("安吉", "县档")), None),
        (Run(terms=("安吉", "吉县"), is_prefix=True), None),
        (Run(terms=("安吉", "吉县"), columns=(Column.PARTIES,)), None),
        (Run(terms=("か安",)), None),
        (Run(terms=("2003", "12")), None),
    ],
)
def test_only_pairs_of_one_text_are_looked_for_as_it_is_written(run: Run, expected: str | None) -> None:
    assert written(run) == expected


@given(
    st.lists(st.text("安吉縣县档 王伟, A·1", min_size=1, max_size=6), min_size=5, max_size=5),
    st.text("安吉縣县档 王伟A1,", min_size=1, max_size=5),
)
def test_a_node_explains_from_the_bytes_what_anybody_explains_from_the_record(texts_of: list[str], query: str) -> None:
    title, doc_no, ref_code, date, note = texts_of
    found = record(title, doc_no, ref_code, date, note)
    question = Search(asker="a", question="q", query=query)

    expected = Matcher(query_of(question)).why(subject_of(found))

    assert Explainer(question).matches(encode_record(found)) == expected
