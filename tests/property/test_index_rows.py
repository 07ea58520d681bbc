"""The terms of a record are those of its fields: what is kept ready to save time changes nothing."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from node.explaining import Explainer
from protocol.analysis import index_terms
from protocol.calls import Search
from protocol.codec import encode_record
from protocol.index_rows import index_rows
from protocol.matching import Matcher
from protocol.record_facts import subject_of
from protocol.records import Alias, Record
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
