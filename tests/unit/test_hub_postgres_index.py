"""The full-text index on PostgreSQL finds what FTS5 finds, and takes terms that a vector would refuse."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from hub.postgres_index import TERM_CHARS_MAX, TERMS_MAX, tsquery, vector
from hub.preparation import entry_row
from hub.text_index import index_of
from hub.tidying import Tidier
from protocol.expressions import TEXT_COLUMNS, AllOf, AnyOf, Column, Expression, Run, Without
from protocol.row_matching import holds
from tests.catalogue import VILLAGE, described, fictitious
from tests.hubs import Hub
from tests.stores import ONLY_POSTGRES, Store

TITLES = (
    "关于上石村林地承包合同的批复",
    "林地 承包 Contract No. 12/A 'quoted' \\ back",
    "𠮷野村𡈽地證明 𠀀",
    "傅某某山林權屬糾紛調解協議書（一九八六年）",
    "J001-WS·2015·Y-0004",
)


def run(text: str, *columns: Column, prefix: bool = False) -> Run:
    return Run(terms=tuple(text.split()), columns=columns or TEXT_COLUMNS, is_prefix=prefix)


EXPRESSIONS = (
    run("林地"),
    run("林地 地承 承包"),
    run("林地 承包"),
    run("土地 地证 证明"),
    run("\U00020bb7 野", prefix=True),
    run("contract"),
    run("12 a"),
    run("林", prefix=True),
    run("不在"),
    run("quoted", Column.TITLE),
    run("quoted", Column.PARTIES),
    run("村民 民委 委员 员会", Column.PARTIES),
    run("\\"),
    run("'"),
    run("¥1986", Column.MARKS),
    run("¥19", Column.MARKS, prefix=True),
    AllOf(parts=(run("林地"), run("承包"))),
    AnyOf(parts=(run("林地"), run("纠纷"))),
    Without(wanted=run("林地"), unwanted=AnyOf(parts=(run("关于"), run("不在")))),
    AllOf(parts=(run("山林"), Without(wanted=run("纠纷", Column.TITLE), unwanted=run("批复")))),
)


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        yield Hub(database)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
async def test_each_store_finds_the_rows_that_hold_the_expression(hub: Hub, expression: Expression) -> None:
    records = [fictitious(number, title=title) for number, title in enumerate(TITLES, 1)]
    await hub.tell(*[described(number, record) for number, record in enumerate(records, 1)])

    def found(connection: Connection) -> set[str]:
        index = index_of(connection)
        sql = f"SELECT entry.record_id FROM {index.joined} WHERE {index.matching}"
        rows = connection.exec_driver_sql(sql, (index.question(connection, expression),))
        return {str(UUID(bytes=bytes(record_id))) for (record_id,) in rows}

    held = {str(one.record_id) for one in records if holds(expression, entry_row(VILLAGE.code, one))}
    assert await hub.database.read(found) == held


@ONLY_POSTGRES
async def test_long_and_many_terms_are_taken(hub: Hub) -> None:
    """A vector refuses a word of 2 KB; an entry that cannot be indexed must not stop its site."""
    long = "x" * (TERM_CHARS_MAX + 300)
    many = " ".join(f"词{number}" for number in range(TERMS_MAX + 10))

    await hub.tell(described(1, fictitious(1, title=f"{'长' * 40} {long} 批复")))
    await hub.database.write(lambda c: index_of(c).write(c, "search", (), [(7, (many, "", "", long * 5, ""))]))

    assert len(await hub.titles("长长长")) == 1


@given(text=st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_whatever_the_terms_are_the_server_reads_them(text: str) -> None:
    """Nothing in a vector or a question is ever syntax: both are quoted runs of letters and digits."""
    said = vector((text, text, "", text, text)) + tsquery(Run(terms=(text or "x",), is_prefix=True))

    assert "'" not in "".join(part for part in said.split("'")[1::2])
    assert said.count("'") % 2 == 0


@ONLY_POSTGRES
async def test_a_quiet_hub_merges_what_waits_in_the_index(hub: Hub) -> None:
    await hub.tell(*[described(number, fictitious(number)) for number in range(1, 40)])

    def waiting(connection: Connection) -> int:
        pages = "SELECT sum(gin_clean_pending_list(relid)) FROM pg_partition_tree('search_terms') WHERE isleaf"
        return int(connection.exec_driver_sql(pages).scalar_one())

    before = await hub.titles("关于")
    assert await Tidier(hub.database).look() == 0
    assert await hub.database.write(waiting) == 0
    assert await hub.titles("关于") == before


@ONLY_POSTGRES
async def test_a_row_written_again_stands_once(hub: Hub) -> None:
    def twice(connection: Connection) -> int:
        for title in ("甲 乙", "丙"):
            index_of(connection).write(connection, "search", (), [(7, (title, "", "", "", "¥1986"))])
        return int(connection.exec_driver_sql("SELECT count(*) FROM search WHERE rowid = 7").scalar_one())

    assert await hub.database.write(twice) == 1
