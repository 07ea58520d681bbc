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
from hub.searching.search import Query, search
from hub.searching.sought import ABOVE_ALL, Sought, Span
from hub.searching.time_budgets import Cut, TimeBudget
from hub.searching.walks import docids
from hub.storage.postgres_parts import first_year_of, narrowed, partitions
from hub.storage.postgres_terms import TERM_CHARS_MAX, TERMS_MAX, tsquery, vector
from hub.storage.reindexing import INDEX_VERSION, index_state
from hub.storage.selections import Selection
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


@pytest.mark.parametrize("year", [0, 1, 1911, 1912, 1954, 1979, 1980, 2029, 2030, 9999])
def test_a_docid_lies_in_the_part_that_is_named(year: int) -> None:
    docids = (year * SERIALS_A_YEAR, (year + 1) * SERIALS_A_YEAR - 1)

    assert {first_year_of(docid) for docid in docids} == {
        first for first, begin, end in partitions() if begin <= docids[0] < end
    }


def parts(connection: Connection) -> list[tuple[str, str]]:
    sql = (
        "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_partition_tree('search')"
        " JOIN pg_class ON oid = relid WHERE isleaf ORDER BY 1"
    )
    return [(name, bounds) for name, bounds in connection.exec_driver_sql(sql)]


def asked_newest(connection: Connection, expression: Expression, limit: int) -> tuple[str, dict[str, object]]:
    selection = Selection(expression=expression, docids=range(ABOVE_ALL), limit=limit)
    return index_of(connection).statement(connection, selection)


@ONLY_POSTGRES
async def test_what_is_older_than_a_full_page_is_not_read(hub: Hub) -> None:
    years = [1950 + number % 80 for number in range(160)]
    await hub.tell(*[described(number, of_year(number, year)) for number, year in enumerate(years, 1)])

    def parts_read(connection: Connection) -> tuple[int, int]:
        said, values = asked_newest(connection, run("林地"), 5)
        with index_of(connection).bounded(connection, 5.0, run("林地")):
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN (ANALYZE) {said}", values).scalars())
        scans = [line for line in plan.splitlines() if "Heap Scan" in line and " on search_" in line]
        return len(scans), len([line for line in scans if "never executed" not in line])

    there, read = await hub.database.read(parts_read)
    assert there == len(list(partitions()))
    assert read <= 4


@ONLY_POSTGRES
async def test_what_most_rows_hold_is_read_along_the_rows_and_the_rest_looked_up(hub: Hub) -> None:
    records = [
        fictitious(number, title=f"关于{'茶园' if number % 50 == 0 else '林地'}的通知") for number in range(1, 401)
    ]
    await hub.tell(*[described(number, record) for number, record in enumerate(records, 1)])
    await hub.database.write(lambda connection: connection.exec_driver_sql("ANALYZE search"))

    def scans(connection: Connection, *asked: Expression) -> list[str]:
        found = []
        for expression in asked:
            said, values = asked_newest(connection, expression, 5)
            with index_of(connection).bounded(connection, 5.0, expression):
                plan = list(connection.exec_driver_sql(f"EXPLAIN {said}", values).scalars())
            found.append("bitmap" if any("Bitmap" in line for line in plan) else "along")
        return found

    both = AllOf(parts=(run("林地"), run("茶园")))
    neither = Without(wanted=run("林地"), unwanted=run("关于"))
    asked = (run("林地"), run("茶园"), run("火星"), both, neither)
    assert await hub.database.read(lambda c: scans(c, *asked)) == ["along", "bitmap", "bitmap", "bitmap", "bitmap"]


@ONLY_POSTGRES
async def test_a_long_phrase_is_asked_by_its_rare_terms_and_compared_as_a_whole(hub: Hub) -> None:
    titles = ["关于林地承包合同的通知"] * 30 + ["关于陈敏竹换届选举的通知", "选举换届竹陈敏竹陈的通知"]
    records = [fictitious(number, title=title) for number, title in enumerate(titles, 1)]
    await hub.tell(*[described(number, record) for number, record in enumerate(records, 1)])
    await hub.database.write(lambda connection: connection.exec_driver_sql("ANALYZE search"))
    asked = run("关于 于陈 陈敏 敏竹 竹换 换届 届选 选举 举的 的通 通知")

    def found(connection: Connection) -> tuple[object, int]:
        said, values = asked_newest(connection, asked, 5)
        return values, len(connection.exec_driver_sql(said, values).all())

    values, number = await hub.database.read(found)
    assert number == 1
    assert "通知" not in str(values).split("<->")[0]


def widened(connection: Connection) -> None:
    for first, end in ((1980, 1985), (1985, 1990), (2000, 2005)):
        begin, until = first * SERIALS_A_YEAR, end * SERIALS_A_YEAR
        within = f"rowid >= {begin} AND rowid < {until}"
        connection.exec_driver_sql(f"CREATE TABLE wide AS SELECT * FROM search WHERE {within}")
        for year in range(first, end):
            connection.exec_driver_sql(f"DROP TABLE search_{year}")
        bounds = f"FROM ({begin}) TO ({until})"
        connection.exec_driver_sql(f"CREATE TABLE search_{first} PARTITION OF search FOR VALUES {bounds}")
        connection.exec_driver_sql("INSERT INTO search SELECT * FROM wide")
        connection.exec_driver_sql("DROP TABLE wide")


@ONLY_POSTGRES
async def test_wide_parts_of_an_earlier_version_become_narrow_one_after_the_other(hub: Hub) -> None:
    years = [1949, 1979, 1980, 1984, 1985, 2004, 2029, 2031]
    await hub.tell(*[described(number, of_year(number, year)) for number, year in enumerate(years, 1)])

    before = (await hub.database.read(parts), await hub.titles("林地"))
    await hub.database.write(widened)
    # Killed behind the first: what was done stays, what was not is done by whoever opens the store next.
    done = [await hub.database.write(narrowed)]
    assert len(await hub.database.read(parts)) == len(before[0]) - 8
    done += [await hub.database.write(narrowed) for _ in range(3)]

    assert done == [True, True, True, False]
    assert (await hub.database.read(parts), await hub.titles("林地")) == before


@ONLY_POSTGRES
async def test_whoever_opens_a_store_of_before_narrows_its_parts(store: Store) -> None:
    async with store.opened() as database:
        hub = Hub(database)
        await hub.tell(*[described(number, of_year(number, 1978 + number)) for number in range(1, 13)])
        before = (await database.read(parts), await hub.titles("林地"))
        await database.write(widened)
    async with store.opened() as database:
        assert (await database.read(parts), await Hub(database).titles("林地")) == before


def put_back(connection: Connection) -> None:
    """Make the store one of before faces stood beside the terms, with a successor of its index half built."""
    for sql in (
        "DROP TRIGGER entry_face_beside_terms ON entry",
        "DROP FUNCTION face_beside_terms",
        "ALTER TABLE search DROP COLUMN face",
        "CREATE TABLE search_next (rowid BIGINT PRIMARY KEY, terms TSVECTOR NOT NULL)",
        "INSERT INTO search_next SELECT rowid, terms FROM search LIMIT 5",
        f"UPDATE catalogue_state SET index_version = 1, building_version = {INDEX_VERSION}, built_to = 5",
        "DELETE FROM migration WHERE package = 'hub' AND number >= 104",
    ):
        connection.exec_driver_sql(sql)


@ONLY_POSTGRES
async def test_an_index_that_an_earlier_version_was_building_is_built_from_its_beginning(store: Store) -> None:
    async with store.opened() as database:
        hub = Hub(database)
        await hub.tell(*[described(number, fictitious(number, title="林地")) for number in range(1, 13)])
        await database.write(put_back)
    async with store.opened() as database:
        hub = Hub(database)
        assert not (await database.read(index_state)).is_building
        await hub.tell(described(13, fictitious(13, title="林地")))
        assert (await database.read(index_state)).index_version == INDEX_VERSION
        assert len(await hub.titles("林地")) == 13


@ONLY_POSTGRES
async def test_an_index_made_anew_has_the_parts_of_the_first(hub: Hub) -> None:
    """The first is made by a migration, the others by the program."""

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


@ONLY_POSTGRES
async def test_faces_stand_beside_the_terms_and_follow_whatever_changes_an_entry(hub: Hub) -> None:
    await hub.tell(*[described(number, fictitious(number, title="林地")) for number in (1, 2, 3)])

    def faces(connection: Connection) -> list[tuple[str | None, str]]:
        sql = "SELECT search.face, entry.face FROM search JOIN entry ON docid = rowid ORDER BY docid"
        return [(beside, own) for beside, own in connection.exec_driver_sql(sql)]

    def changed(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE entry SET access_status = 'closed', fonds_no = 'X' || chr(10) || '9'")

    assert all(beside == own for beside, own in await hub.database.read(faces))
    await hub.database.write(changed)
    found = await hub.database.read(faces)
    assert len(found) == 3
    assert all(beside == own.replace("\n", " ") and "closed" in own for beside, own in found)


@ONLY_POSTGRES
async def test_an_entry_of_before_is_asked_for_its_face(hub: Hub) -> None:
    await hub.tell(*[described(number, fictitious(number, title="林地")) for number in (1, 2, 3)])
    query = Query(words="林地", with_facets=True)

    before = await hub.database.read(lambda c: search(c, query))
    await hub.database.write(lambda c: c.exec_driver_sql("UPDATE search SET face = NULL WHERE rowid % 2 = 1"))

    assert (await hub.database.read(lambda c: search(c, query))).facets == before.facets
    assert before.facets is not None
    assert sum(one.count for one in before.facets.site.values) == 3
