"""What is indexed is found: index and query agree through a real FTS5 table."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.analysis import index_terms
from tests.plain_queries import match_query

HAN = "安吉林地承包合同王伟李四婚縣張裏峯々〇㐀𠮷𡘙𫠠\ue000"
"""Common, traditional, rare and private-use characters; none of them folds to another one here."""

TITLES = st.text(HAN + "AZaz09〔〕（）-·《》“” 　，、12", min_size=1, max_size=30)


@pytest.fixture(scope="module")
def store() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.execute("create virtual table terms using fts5(title, tokenize='unicode61 remove_diacritics 0')")
        yield opened


def is_found(store: sqlite3.Connection, title: str, query: str) -> bool:
    store.execute("delete from terms")
    store.execute("insert into terms (title) values (?)", (index_terms(title),))
    found = store.execute("select count(*) from terms where terms match ?", (match_query(query),)).fetchone()
    return bool(found[0])


@given(data=st.data(), title=st.text(HAN, min_size=1, max_size=20))
@settings(deadline=None)
def test_every_part_of_a_han_title_is_found(store: sqlite3.Connection, data: st.DataObject, title: str) -> None:
    start = data.draw(st.integers(0, len(title) - 1))
    end = data.draw(st.integers(start + 1, len(title)))

    assert is_found(store, title, title[start:end])


@given(title=TITLES)
@settings(deadline=None)
def test_every_title_is_found_by_itself(store: sqlite3.Connection, title: str) -> None:
    assert match_query(title) is None or is_found(store, title, title)


@given(data=st.data(), title=st.text(HAN + "，。、（）-", min_size=1, max_size=20))
@settings(deadline=None)
def test_a_run_of_han_is_found_where_it_stands_and_nowhere_else(
    store: sqlite3.Connection, data: st.DataObject, title: str
) -> None:
    query = data.draw(st.text(HAN, min_size=1, max_size=4))

    assert is_found(store, title, query) == (query in title)


@given(
    before=st.text(HAN, min_size=1, max_size=6),
    after=st.text(HAN, min_size=1, max_size=6),
    mark=st.sampled_from("，；。〔-\n"),
)
@settings(deadline=None)
def test_nothing_is_found_across_a_boundary(store: sqlite3.Connection, before: str, after: str, mark: str) -> None:
    across = before[-1] + after[0]

    assert is_found(store, before + mark + after, across) == (across in before or across in after)
