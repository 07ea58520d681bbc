"""The full-text index on PostgreSQL finds what FTS5 finds, and takes terms that a vector would refuse."""

import datetime
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from hub.catalogue import SERIALS_A_YEAR
from hub.preparation import entry_row
from hub.searching.sought import ABOVE_ALL, Sought, Span
from hub.searching.time_budgets import Cut, TimeBudget
from hub.searching.walks import docids
from hub.storage.postgres_index import TERM_CHARS_MAX, TERMS_MAX, alternatives, partitions, tsquery, vector
from hub.storage.text_index import index_of
from hub.storage.tidying import Tidier
from protocol.expressions import TEXT_COLUMNS, AllOf, AnyOf, Column, Expression, Run, Without
from protocol.records import Record
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
        sql = f"SELECT record_id FROM {index.source} JOIN entry ON docid = search.rowid WHERE {index.matching}"
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


def of_year(number: int, year: int) -> Record:
    day = datetime.date(year, 1, 1)
    return fictitious(number, title="关于林地的通知", date_earliest=day, date_latest=day)


@pytest.mark.parametrize("limit", [1, 3, 4, 9, 40])
async def test_the_newest_come_first_whatever_part_they_lie_in(hub: Hub, limit: int) -> None:
    years = [1801, 1911, 1912, 1948, 1949, 1954, 1955, 1987, 1989, 1990, 2004, 2005, 2029, 2030, 2044, 9998]
    await hub.tell(*[described(number, of_year(number, year)) for number, year in enumerate(reversed(years), 1)])
    sought = Sought(expression=AllOf(parts=(run("林地"), run("通知"))))

    def newest(connection: Connection, below: int) -> list[int]:
        found = docids(connection, sought, Span(below=below), limit, TimeBudget())
        return [docid // SERIALS_A_YEAR for docid in found]

    assert await hub.database.read(lambda c: newest(c, ABOVE_ALL)) == sorted(years, reverse=True)[:limit]
    assert (
        await hub.database.read(lambda c: newest(c, 1990 * SERIALS_A_YEAR))
        == [1989, 1987, 1955, 1954, 1949, 1948, 1912, 1911, 1801][:limit]
    )


@ONLY_POSTGRES
async def test_what_is_older_than_a_full_page_is_not_read(hub: Hub) -> None:
    years = [1950 + number % 80 for number in range(160)]
    await hub.tell(*[described(number, of_year(number, year)) for number, year in enumerate(years, 1)])

    def parts_read(connection: Connection) -> tuple[int, int]:
        index, expression = index_of(connection), run("林地")
        sql = f"SELECT search.rowid AS docid FROM search WHERE {index.matching} ORDER BY search.rowid DESC LIMIT ?"
        said, values = index.newest_first(sql, (index.question(connection, expression), 5), range(ABOVE_ALL))
        with index.bounded(connection, 5.0, expression):
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN (ANALYZE) {said}", values).scalars())
        scans = [line for line in plan.splitlines() if "Scan" in line and " on search_" in line]
        return len(scans), len([line for line in scans if "never executed" not in line])

    there, read = await hub.database.read(parts_read)
    assert there >= len(list(partitions()))
    assert read <= 4


@ONLY_POSTGRES
@pytest.mark.parametrize(
    ("terms", "by_index"),
    [(("≈1a", "№2b"), "off"), (("¬x013－1",), "off"), (("£item",), "on"), (("≈1a", "¥1986"), "on")],
)
async def test_keys_that_few_share_are_looked_for_in_the_index_alone(
    hub: Hub, terms: tuple[str, ...], by_index: str
) -> None:
    asked = AnyOf(parts=tuple(Run(terms=(term,), columns=(Column.MARKS,)) for term in terms))

    def allowed(connection: Connection) -> object:
        with index_of(connection).bounded(connection, 5.0, asked):
            return connection.exec_driver_sql("SHOW enable_indexscan").scalar_one()

    assert await hub.database.read(allowed) == by_index


@ONLY_POSTGRES
async def test_a_page_is_planned_for_more_than_it_shows(hub: Hub) -> None:
    """Of a rare term the server expects hundreds of rows: for a page alone it would look along the primary key."""
    await hub.tell(*[described(number, of_year(number, 1990)) for number in range(1, 31)])

    def planned(connection: Connection) -> tuple[str, int]:
        index, expression = index_of(connection), run("林地")
        sql = f"SELECT search.rowid AS docid FROM search WHERE {index.matching} ORDER BY search.rowid DESC LIMIT ?"
        said, values = index.newest_first(sql, (index.question(connection, expression), 5), range(ABOVE_ALL))
        plan = list(connection.exec_driver_sql(f"EXPLAIN {said}", values).scalars())
        found = connection.exec_driver_sql(said, values).all()
        return next(line for line in plan if "Append" in line), len(found)

    append, found = await hub.database.read(planned)
    assert found == 5
    assert int(append.split("rows=")[1].split()[0]) > 5


@ONLY_POSTGRES
async def test_an_index_made_anew_has_the_parts_of_the_first(hub: Hub) -> None:
    """The first is made by a migration, the others by the program."""

    def parts(connection: Connection) -> list[tuple[str, str]]:
        sql = (
            "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_partition_tree('search')"
            " JOIN pg_class ON oid = relid WHERE isleaf ORDER BY 1"
        )
        return [(name, bounds) for name, bounds in connection.exec_driver_sql(sql)]

    def anew(connection: Connection) -> None:
        index = index_of(connection)
        index.make_next(connection)
        index.put_next_in_place(connection)

    first = await hub.database.read(parts)
    for _ in range(2):
        await hub.database.write(anew)
        assert await hub.database.read(parts) == first
    assert len(first) == len(list(partitions()))


@pytest.mark.parametrize("chunk", [1, 7])
async def test_many_runs_are_asked_at_once(hub: Hub, chunk: int) -> None:
    await hub.tell(described(1, fictitious(1, title="王伟与欧阳春的协议")))
    runs = [
        run("王伟"),
        run("汪伟"),
        run("欧阳 阳春"),
        run("阳欧"),
        run("'"),
        run("协议", Column.PARTIES),
        run("协议", Column.TITLE),
    ]
    asked = [runs[first : first + chunk] for first in range(0, len(runs), chunk)]

    def standing(connection: Connection) -> list[bool]:
        return [one for some in asked for one in index_of(connection).standing(connection, some)]

    assert await hub.database.read(standing) == [True, False, True, False, False, False, True]


async def test_a_statement_beyond_its_budget_is_cut_and_the_next_one_runs(hub: Hub) -> None:
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000000) SELECT count(*) FROM n"

    def cut(connection: Connection) -> int:
        with pytest.raises(Cut), index_of(connection).bounded(connection, 0.05):
            connection.exec_driver_sql(slow).scalar_one()
        return int(connection.exec_driver_sql("SELECT 1").scalar_one())

    assert await hub.database.read(cut) == 1


def test_the_most_alternatives_of_an_expression_count() -> None:
    either = AnyOf(parts=(run("一"), run("二"), AnyOf(parts=(run("三"), run("四")))))

    assert alternatives(AllOf(parts=(run("五"), either))) == 4
    assert alternatives(Without(wanted=run("五"), unwanted=either)) == 1
