"""A long phrase is asked for by its rarest terms where the index would walk along every list."""

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest
from sqlalchemy import Connection

from hub.searching.rarity import Rarity
from hub.searching.thinning import NUMBERED_MIN, TERMS_KEPT, TERMS_MAX, thinned
from hub.storage.commonness import RARE, CommonTerms
from hub.storage.text_index import index_of
from protocol.expressions import AllOf, AnyOf, Column, Expression, Run, Without
from replication.dialects import is_postgres
from tests.catalogue import described, fictitious
from tests.hubs import Hub
from tests.stores import Store

PHRASE = Run(
    terms=("关于", "于做", "做好", "好防", "防汛", "汛工", "工作", "作的", "的通", "通知"), columns=(Column.TITLE,)
)

RARE_HERE = {"防汛", "汛工"}
KNOWN = CommonTerms(
    shares={term: 0.9 if term == "关于" else 0.5 for term in PHRASE.terms if term not in RARE_HERE}, read_at_s=0.0
)


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        made = Hub(database)
        await made.tell(described(1, fictitious(1, title="关于做好防汛工作的通知")))
        yield made


async def asked(hub: Hub, expression: Expression) -> tuple[Expression, bool]:
    """What is asked for an expression, and whether PostgreSQL is."""
    return await hub.database.read(
        lambda connection: (thinned(Rarity(connection), expression), is_postgres(connection))
    )


async def test_a_long_phrase_stays_whole_where_the_index_skips_by_itself(hub: Hub) -> None:
    found, is_at_postgres = await asked(hub, PHRASE)

    if is_at_postgres:
        assert found == PHRASE
        return
    assert isinstance(found, AllOf)
    terms = [part.terms[0] for part in found.parts if isinstance(part, Run)]
    places = sorted(PHRASE.terms.index(term) for term in terms)
    assert len(terms) == TERMS_KEPT
    assert all(later - before > 1 for before, later in pairwise(places))


async def test_a_short_phrase_stays_whole(hub: Hub) -> None:
    short = Run(terms=PHRASE.terms[:TERMS_MAX], columns=(Column.TITLE,))

    assert (await asked(hub, short))[0] == short


async def test_the_last_character_of_a_number_is_not_asked_for(hub: Hub) -> None:
    """A prefix makes either index put together every term that begins so; PostgreSQL's compares it with the row."""
    number = Run(terms=("1986", "12", "号")[:NUMBERED_MIN], columns=(Column.CODES,), is_prefix=True)
    without = Run(terms=("1986", "12"), columns=(Column.CODES,))

    found, is_at_postgres = await asked(hub, number)
    assert found == (number if is_at_postgres else without)
    assert KNOWN.thinned(number) == without


def test_of_a_long_phrase_the_rarest_terms_are_asked_that_stand_apart() -> None:
    assert KNOWN.thinned(PHRASE) == AllOf(parts=(Run(terms=("防汛",), columns=PHRASE.columns),))
    shares = {**dict.fromkeys(PHRASE.terms, 0.1), "做好": 0.01, "通知": 0.02}
    found = CommonTerms(shares=shares, read_at_s=0.0).thinned(PHRASE)
    assert isinstance(found, AllOf)
    assert [part.terms for part in found.parts if isinstance(part, Run)] == [("关于",), ("做好",), ("防汛",), ("通知",)]
    code = Run(terms=("关于", "防汛", "通知", "工作", "1986"), is_prefix=True)
    assert KNOWN.thinned(code) == AllOf(parts=(Run(terms=("防汛",)), Run(terms=("1986",), is_prefix=True)))


def test_a_phrase_of_common_terms_alone_and_one_of_an_index_nobody_counted_stay_whole() -> None:
    common = Run(terms=("关于", "通知") * TERMS_MAX, columns=(Column.TITLE,))

    assert KNOWN.thinned(common) == common
    assert CommonTerms(shares={}, read_at_s=0.0).thinned(PHRASE) == PHRASE


def test_shares_are_those_of_the_rarest_term_and_multiply() -> None:
    about, notice, flood = (Run(terms=(term,)) for term in ("关于", "通知", "防汛"))

    assert KNOWN.share(Run(terms=("关于", "通知", "防汛"))) == RARE
    assert KNOWN.share(AllOf(parts=(about, notice))) == 0.45
    assert KNOWN.share(Without(wanted=about, unwanted=notice)) == 0.45
    assert KNOWN.share(AnyOf(parts=(notice, notice))) == 0.75
    assert KNOWN.share(Run(terms=("关",), is_prefix=True)) == RARE
    assert KNOWN.share(flood) == RARE


async def test_rarer_terms_reach_further_back(hub: Hub) -> None:
    """One statement for all terms of a phrase, in their order."""
    await hub.tell(*(described(seq, fictitious(seq, title="防汛通知")) for seq in range(2, 300)))

    def reach(connection: Connection) -> Sequence[int] | None:
        return index_of(connection).reach(connection, ("做好", "通知", "没有"), 200)

    found = await hub.database.read(reach)

    if found is not None:
        assert found[0] == found[2] == 0
        assert found[1] > 0
