"""What is rare is looked for before what is common, and finds the same."""

import datetime
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection

from hub.catalogue import SERIALS_A_YEAR
from hub.searching import ordering, rarity, walks
from hub.searching.ordering import ordered, shared_terms, wider
from hub.searching.rarity import Rarity
from hub.searching.sought import ABOVE_ALL, Sought, Span
from hub.searching.time_budgets import TimeBudget
from hub.searching.walks import Faces, docids, faces_of
from hub.storage.text_index import index_of
from protocol.expressions import AllOf, AnyOf, Column, Expression, Run, Without
from protocol.marks import NOWHERE, SITE, mark
from replication.dialects import is_postgres
from tests.catalogue import VILLAGE as HERE
from tests.catalogue import described, fictitious
from tests.hubs import Hub
from tests.stores import Store

COMMON = Run(terms=("通知",))
RARE = Run(terms=("防汛",))
HERE_ALONE = Run(terms=(mark(SITE, HERE.code),), columns=(Column.MARKS,))
PHRASE = Run(terms=("防汛", "汛工", "工作"))
EVERYWHERE = 300
NOTHING = Run(terms=(NOWHERE,), columns=(Column.MARKS,))


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        made = Hub(database)
        await made.tell(
            *(described(seq, fictitious(seq, title="关于村务公开的通知")) for seq in range(1, EVERYWHERE)),
            *(described(seq, fictitious(seq, title="防汛工作的通知")) for seq in range(EVERYWHERE, EVERYWHERE + 5)),
        )
        yield made


async def in_order(hub: Hub, expression: Expression) -> tuple[Expression, bool]:
    """The expression in its order, and whether PostgreSQL is asked, which orders by itself."""
    return await hub.database.read(
        lambda connection: (ordered(Rarity(connection), expression), is_postgres(connection))
    )


async def found(hub: Hub, expression: Expression) -> tuple[list[int], list[int]]:
    """What an expression finds, as it is and in order."""

    def both(connection: Connection) -> tuple[list[int], list[int]]:
        asked = (expression, ordered(Rarity(connection), expression))
        one, other = (
            docids(connection, Sought(expression=one), Span(below=ABOVE_ALL), 1_000, TimeBudget(10.0)) for one in asked
        )
        return one, other

    return await hub.database.read(both)


async def test_the_common_part_is_looked_for_where_the_rare_ones_meet(hub: Hub) -> None:
    got, is_at_postgres = await in_order(hub, AllOf(parts=(COMMON, HERE_ALONE, RARE)))

    if is_at_postgres:
        assert got == AllOf(parts=(COMMON, HERE_ALONE, RARE))
        return
    assert isinstance(got, AllOf)
    together, last = got.parts
    assert last in {COMMON, HERE_ALONE}
    assert isinstance(together, Without)
    assert together.unwanted == NOTHING
    assert isinstance(together.wanted, AllOf)
    assert RARE in together.wanted.parts


async def test_a_phrase_comes_behind_its_rarest_terms(hub: Hub) -> None:
    got, is_at_postgres = await in_order(hub, AllOf(parts=(PHRASE, COMMON)))

    if not is_at_postgres:
        assert isinstance(got, AllOf)
        assert got.parts[-1] == PHRASE
        assert isinstance(got.parts[0], Without)


@pytest.mark.parametrize(
    "expression",
    [
        AllOf(parts=(COMMON, HERE_ALONE, RARE)),
        AllOf(parts=(PHRASE, COMMON)),
        AllOf(parts=(AllOf(parts=(COMMON, RARE)), AnyOf(parts=(HERE_ALONE, RARE)), PHRASE)),
        AllOf(parts=(COMMON, Without(wanted=HERE_ALONE, unwanted=RARE), Run(terms=("关于", "于村", "村务")))),
        Without(wanted=AllOf(parts=(COMMON, HERE_ALONE, Run(terms=("通",), is_prefix=True))), unwanted=RARE),
        AnyOf(parts=(AllOf(parts=(COMMON, HERE_ALONE, RARE)), AllOf(parts=(COMMON, PHRASE)))),
        AllOf(parts=(COMMON, Run(terms=("没有", "有的", "的词")), HERE_ALONE)),
    ],
)
async def test_the_order_changes_nothing_of_what_is_found(hub: Hub, expression: Expression) -> None:
    as_it_is, in_its_order = await found(hub, expression)

    assert in_its_order == as_it_is


async def test_two_parts_stay_as_they_are(hub: Hub) -> None:
    assert (await in_order(hub, AllOf(parts=(COMMON, RARE))))[0] == AllOf(parts=(COMMON, RARE))


@pytest.mark.parametrize(("torn", "near"), [(1, 2), (40, 2), (40, 7), (1, 1_000)])
async def test_what_is_counted_by_way_of_more_is_counted_right(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, torn: int, near: int
) -> None:
    """A phrase with a very common term is compared only where the other parts meet, which may be elsewhere as well."""
    monkeypatch.setattr(rarity, "REACH_ENTRIES", 2)
    monkeypatch.setattr(ordering, "COMMONER", 2)
    monkeypatch.setattr(walks, "COUNTED_AT_ONCE", near)
    phrase = Run(terms=("防汛", "汛工", "工作", "作的", "的通", "通知"))
    first = EVERYWHERE + 5
    titles = ["防汛工作的通知（续）"] * 20 + ["续办防汛工工作的通知"] * torn
    await hub.tell(*(described(seq, fictitious(seq, title=title)) for seq, title in enumerate(titles, first)))

    def counted(connection: Connection) -> tuple[Expression | None, Faces, list[int]]:
        asked = ordered(Rarity(connection), AllOf(parts=(Run(terms=("续",), is_prefix=True), phrase)))
        sought = Sought(expression=asked)
        every = docids(connection, sought, Span(below=ABOVE_ALL), 1_000, TimeBudget(10.0))
        return wider(Rarity(connection), asked), faces_of(connection, sought, TimeBudget(10.0), 15), every

    wide, some, every = await hub.database.read(counted)

    assert len(every) == 20
    assert (some.total, some.is_whole, some.lowest) == (16, False, every[15])
    assert sum(some.years.values()) == len(some.faces) == 16
    assert some.years == Counter(docid // SERIALS_A_YEAR for docid in every[:16])
    if wide is not None:
        finds = await hub.database.read(
            lambda connection: docids(
                connection, Sought(expression=wide), Span(below=ABOVE_ALL), 1_000, TimeBudget(10.0)
            )
        )
        assert set(finds) > set(every)
    assert (wide is None) == await hub.database.read(is_postgres)


@pytest.mark.parametrize(("entries", "is_few"), [(4, False), (5, True), (300, True)])
async def test_how_much_two_parts_find_is_bounded_by_the_rarer(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, entries: int, is_few: bool
) -> None:
    monkeypatch.setattr(rarity, "REACH_ENTRIES", 3)
    monkeypatch.setattr(rarity, "SERIALS_A_YEAR", 1)
    terms = shared_terms(AllOf(parts=(COMMON, RARE)))

    told = await hub.database.read(lambda connection: Rarity(connection).is_few(terms, entries))

    assert told == (is_few and not await hub.database.read(is_postgres))


async def test_a_list_whose_newest_entries_are_of_the_newest_year_is_not_looked_along(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So early they all are of one year where a term is common: its end is far."""
    monkeypatch.setattr(rarity, "REACH_ENTRIES", 3)
    newest = {"date_earliest": datetime.date(2024, 12, 1), "date_latest": datetime.date(2024, 12, 1)}
    titles = ("防汛通知", "通知")
    told = [fictitious(seq, title=titles[seq % 2], **newest) for seq in range(400, 410)]
    await hub.tell(*(described(seq, one) for seq, one in enumerate(told, EVERYWHERE + 5)))

    assert not await hub.database.read(lambda connection: Rarity(connection).is_few(("通知", "防汛"), 300))


@pytest.mark.parametrize(
    ("expression", "terms"),
    [
        (AllOf(parts=(COMMON, PHRASE)), ("通知", "防汛", "汛工", "工作")),
        (Without(wanted=AllOf(parts=(COMMON, HERE_ALONE)), unwanted=RARE), ("通知", *HERE_ALONE.terms)),
        (AllOf(parts=(COMMON, AnyOf(parts=(RARE, HERE_ALONE)))), ("通知",)),
        (AllOf(parts=(COMMON, Run(terms=("续",), is_prefix=True))), ("通知",)),
        (None, ()),
    ],
)
def test_only_what_every_hit_has_bounds_how_many_there_are(
    expression: Expression | None, terms: tuple[str, ...]
) -> None:
    assert shared_terms(expression) == terms


async def test_no_entry_has_the_mark_of_nowhere(hub: Hub) -> None:
    """What is taken away from a group that must stay together is nothing at all, whatever titles hold."""
    await hub.tell(described(EVERYWHERE + 5, fictitious(EVERYWHERE + 5, title=f"题名{NOWHERE}有此符号 {NOWHERE}")))

    standing = await hub.database.read(lambda connection: index_of(connection).standing(connection, [NOTHING]))

    assert standing == [False]
