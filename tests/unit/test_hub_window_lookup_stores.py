"""Lookups, coverage, heads and statements on each store that a hub may have."""

import datetime
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import Connection

from hub import audit
from hub.membership import keyring
from hub.searching.search import Query
from hub.sites.board import record_beats
from hub.window import audit_heads, coverage, lookup_ledger, lookup_reading, statements
from hub.window.audit_heads import HeadExchange
from hub.window.coverage import Counter, Coverage, Holding
from hub.window.late_answers import LookupClock, answer_handler
from hub.window.lookups import LookupDesk
from hub.window.statements import Maker
from protocol.audit_chain import AuditHead
from protocol.beats import Beat
from protocol.calls import LookedUp, LookedUpHit, Outcome
from protocol.codec import encode_record
from protocol.completeness import verified_statement
from protocol.letters import Letter
from protocol.lookups import LOOKUP_ANSWERED, LookupAnswered, LookupState, SiteOutcome
from replication import letters
from replication.keys import Identity, new_seed, verified
from replication.tables import watermark
from tests.catalogue import OTHER_VILLAGE, VILLAGE, described, fictitious
from tests.hubs import Hub
from tests.stores import Store
from tests.window_county import DAY_MS, NOW_MS, REQUEST, order

LOOKUP = UUID(int=1001)
MAKER = Maker(county="330523000000", county_name="某县档案馆", identity=Identity(new_seed(b"h" * 32)))
DAY = datetime.date(1986, 12, 3)
CONTRACT = fictitious(
    1, title="大溪村山林承包合同", livelihood_kind="forest_contracts", date_earliest=DAY, date_latest=DAY
)


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    """A hub with the copy of one village, and another of which it has nothing; both are away."""
    async with store.opened(readers=2) as database:
        made = Hub(database)
        await made.tell(described(1, CONTRACT))

        def step(connection: Connection) -> None:
            for site in (VILLAGE, OTHER_VILLAGE):
                keyring.expect(connection, site, f"档案室{site.village}", datetime.date(2026, 1, 1))
                beat = Beat(site=site.code, node="U", epoch="e1", seq=1)
                record_beats(connection, [beat], NOW_MS - DAY_MS)

            values = {"node": "U", "epoch": "e1", "position": 1, "chain": "", "moved_at_ms": NOW_MS}
            connection.execute(watermark.insert().values(site=VILLAGE.code, **values))

        await database.write(step)
        yield made


async def asked(hub: Hub) -> None:
    await Counter(hub.database, lambda: NOW_MS).look()
    async with LookupDesk(hub.database, None, lambda: NOW_MS).opened() as desk:
        query = Query(words="山林", livelihood_kind="forest_contracts")
        views = [view async for view in desk.start(order(1, "", query=query))]
    assert views[-1].finished


def answer(digest: str, title: str) -> Letter:
    record = msgspec.structs.replace(CONTRACT, title=title)
    body = LookedUp(
        total=1,
        hits=(LookedUpHit(record=msgspec.Raw(encode_record(record)), seq=9),),
        head=AuditHead(seq=4, digest="ab" * 32),
    )
    told = LookupAnswered(lookup_id=LOOKUP, question_digest=digest, outcome=Outcome.ANSWERED, body=body, seq=9)
    raw = msgspec.Raw(msgspec.json.encode(told))
    return Letter(letter_id=UUID(int=3), topic=LOOKUP, kind=LOOKUP_ANSWERED, body=raw, written_at_ms=NOW_MS)


async def test_a_copy_is_counted_once_until_it_moves(hub: Hub) -> None:
    counter = Counter(hub.database, lambda: NOW_MS)
    looks = [await counter.look(), await counter.look()]
    found = await hub.database.read(coverage.coverages)
    held = Holding(
        fonds_no="J001",
        livelihood_kind="forest_contracts",
        level="item",
        entries=1,
        undated=0,
        year_from=1986,
        year_to=1986,
    )

    assert looks == [1, 0]
    assert found == {VILLAGE.code: Coverage(site=VILLAGE.code, counted_at_ms=NOW_MS, holdings=(held,))}


async def test_the_index_answers_and_a_letter_waits_for_the_holder(hub: Hub) -> None:
    await asked(hub)
    view = await hub.database.read(lambda connection: lookup_reading.view_of(connection, LOOKUP))
    due = await hub.database.read(lambda connection: letters.peers_due(connection, NOW_MS))

    assert view is not None
    assert (view.state, [hit.record.title for hit in view.hits]) == (LookupState.PARTIAL, [CONTRACT.title])
    assert {one.site: one.outcome for one in view.sites} == {
        VILLAGE.code: SiteOutcome.PENDING,
        OTHER_VILLAGE.code: SiteOutcome.NOT_ASKED,
    }
    assert due == [VILLAGE.code]


async def test_a_late_answer_takes_the_place_of_the_copy_and_its_head_is_kept(hub: Hub) -> None:
    await asked(hub)
    stored = await hub.database.read(lambda connection: lookup_ledger.found(connection, LOOKUP))
    assert stored is not None
    handle = answer_handler(lambda: NOW_MS + 5)
    letter = answer(stored.digest, "大溪村山林承包合同（正本）")
    await hub.database.write(lambda connection: handle(connection, VILLAGE.code, letter))
    await hub.database.write(lambda connection: handle(connection, VILLAGE.code, letter))
    view = await hub.database.read(lambda connection: lookup_reading.view_of(connection, LOOKUP))
    (head,) = await hub.database.read(audit_heads.kept_heads)
    strays = await hub.database.read(lambda connection: lookup_reading.stray_answers(connection, 10))
    lines = await hub.database.read(
        lambda connection: audit.listed(connection, about=(str(REQUEST),), origin=VILLAGE.code, limit=9)
    )

    assert view is not None
    assert (view.state, view.news_at_ms) == (LookupState.FOUND, NOW_MS + 5)
    assert [(hit.record.title, hit.is_late) for hit in view.hits] == [("大溪村山林承包合同（正本）", True)]
    assert (head.site, head.seq) == (VILLAGE.code, 4)
    assert [(stray.fault, stray.times) for stray in strays] == [("repeated", 1)]
    assert [line.action for line in lines] == ["lookup_answered"]


async def test_a_question_expires_and_its_statement_says_so(hub: Hub) -> None:
    await asked(hub)
    over = await LookupClock(hub.database, lambda: NOW_MS + 16 * DAY_MS).look()
    raw = await hub.database.write(
        lambda connection: statements.make(connection, MAKER, REQUEST, UUID(int=5), by="lin.min", now_ms=NOW_MS)
    )
    statement, _ = verified_statement(raw, verified, (MAKER.identity.public_key,))

    assert over == 1
    assert (statement.questions[0].is_expired, statement.questions[0].state) == (True, LookupState.FOUND)


async def test_heads_are_told_to_every_site_that_is_expected(hub: Hub) -> None:
    told = await HeadExchange(hub.database, lambda: NOW_MS).look()
    due = await hub.database.read(lambda connection: letters.peers_due(connection, NOW_MS))

    assert (told, due) == (2, sorted((VILLAGE.code, OTHER_VILLAGE.code)))
