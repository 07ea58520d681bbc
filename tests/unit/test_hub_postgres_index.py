"""The full-text index on PostgreSQL finds what FTS5 finds, and takes terms that a vector would refuse."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from hub.postgres_index import TERM_CHARS_MAX, TERMS_MAX, PostgresIndex, vector
from hub.text_index import index_of
from hub.tidying import Tidier
from protocol.analysis import index_terms, match_query
from tests.catalogue import described, fictitious
from tests.hubs import Hub
from tests.stores import ONLY_POSTGRES, Store

TITLES = (
    "关于上石村林地承包合同的批复",
    "林地 承包 Contract No. 12/A 'quoted' \\ back",
    "𠮷野村𡈽地證明 𠀀",
    "傅某某山林權屬糾紛調解協議書（一九八六年）",
    "J001-WS·2015·Y-0004",
)
QUERIES = (
    "林地",
    "林地承包",
    "承包 林地",
    "contract 12",
    "𠮷野",
    "土地证明",
    "1986",
    "林",
    "山林权属",
    "No.",
    "'quoted'",
    "不在",
    "\\",
)


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        yield Hub(database)


@pytest.mark.parametrize("query", QUERIES)
async def test_each_store_finds_the_titles_that_hold_the_terms(hub: Hub, query: str) -> None:
    await hub.tell(*[described(number, fictitious(number, title=title)) for number, title in enumerate(TITLES, 1)])
    question = match_query(query)
    phrases = [] if question is None else [part.strip('"').rstrip('"*') for part in question.split(" AND ")]
    holding = {
        title for title in TITLES if phrases and all(f" {phrase}" in f" {index_terms(title)} " for phrase in phrases)
    }

    assert {title for title in await hub.titles(query) if title in TITLES} == holding


@ONLY_POSTGRES
async def test_long_and_many_terms_are_taken(hub: Hub) -> None:
    """A vector refuses a word of 2 KB; an entry that cannot be indexed must not stop its site."""
    long = "x" * (TERM_CHARS_MAX + 300)
    many = " ".join(f"词{number}" for number in range(TERMS_MAX + 10))

    await hub.tell(described(1, fictitious(1, title=f"{'长' * 40} {long} 批复")))
    await hub.database.write(lambda c: index_of(c).write(c, "search", (), [(7, f"{many} {long * 5}")]))

    assert len(await hub.titles("长长长")) == 1


@given(text=st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_whatever_the_terms_are_the_server_reads_them(text: str) -> None:
    """Nothing in a vector or a question is ever syntax: both are quoted runs of letters and digits."""
    index = PostgresIndex()
    said = vector(text) + index.question(f'"{text.replace(chr(34), " ")}"')

    assert "'" not in "".join(part for part in said.split("'")[1::2])
    assert said.count("'") % 2 == 0


@ONLY_POSTGRES
async def test_a_quiet_hub_merges_what_waits_in_the_index(hub: Hub) -> None:
    await hub.tell(*[described(number, fictitious(number)) for number in range(1, 40)])

    def waiting(connection: Connection) -> int:
        return int(connection.exec_driver_sql("SELECT gin_clean_pending_list('search_terms')").scalar_one())

    before = await hub.titles("关于")
    assert await Tidier(hub.database).look() == 0
    assert await hub.database.write(waiting) == 0
    assert await hub.titles("关于") == before


@ONLY_POSTGRES
async def test_a_row_written_again_stands_once(hub: Hub) -> None:
    def twice(connection: Connection) -> int:
        for terms in ("甲 乙", "丙"):
            index_of(connection).write(connection, "search", (), [(7, terms)])
        return int(connection.exec_driver_sql("SELECT count(*) FROM search WHERE rowid = 7").scalar_one())

    assert await hub.database.write(twice) == 1
