"""The board of sites: one honest word each, and signs of life noted in batches."""

import datetime
from collections.abc import AsyncIterator
from functools import partial

import msgspec
import pytest
from sqlalchemy import Connection, insert, update

from hub.membership import keyring
from hub.membership.keyring_tables import enrolled_node
from hub.repair import comparisons
from hub.repair.comparisons import Comparison, Sameness
from hub.sites.board import Facts, Mark, NodeState, SiteState, Word, board, node_states, record_beats, state_of, word_of
from protocol.beats import Beat, Want
from protocol.limits import OFFLINE_AFTER_S, SEQ_MAX
from protocol.sites import Site, parse_site
from replication.tables import quarantine, watermark
from tests.catalogue import OTHER_VILLAGE, VILLAGE, described, fictitious
from tests.hubs import Hub
from tests.stores import Store

NOW_MS = 1_790_000_000_000
MONTH_MS = 30 * 24 * 3600 * 1000

NODE = NodeState(
    site=VILLAGE.code,
    node="U",
    epoch="e1",
    seq=10,
    published=10,
    outbox_frames=0,
    records=7,
    withheld=1,
    rejected=2,
    warned=3,
    files=1,
    brakes_held=0,
    importing=False,
    disk_free_bytes=10**9,
    software="0.1",
    started_at_ms=1,
    seen_at_ms=NOW_MS - 1000,
)
MARK = Mark(site=VILLAGE.code, epoch="e1", position=10, want=Want.NOTHING, moved_at_ms=NOW_MS)
EQUAL = Comparison(
    site=VILLAGE.code,
    state=Sameness.EQUAL,
    epoch="e1",
    seq=10,
    site_records=7,
    hub_records=7,
    compared_at_ms=NOW_MS,
)
HEALTHY = Facts(site=VILLAGE.code, expected=True, enrolled_nodes=1, node=NODE, mark=MARK, comparison=EQUAL)


def but(**changes: object) -> Facts:
    return msgspec.structs.replace(HEALTHY, **changes)


def node(**changes: object) -> NodeState:
    return msgspec.structs.replace(NODE, **changes)


def mark(**changes: object) -> Mark:
    return msgspec.structs.replace(MARK, **changes)


def compared(**changes: object) -> Comparison:
    return msgspec.structs.replace(EQUAL, **changes)


def by_courier(**changes: object) -> Facts:
    """A site of which the last that was heard came on a stick, a month ago."""
    then = NOW_MS - MONTH_MS
    given = {"node": node(seen_at_ms=then), "comes_by_courier": True, "courier_at_ms": then}
    return but(**(given | changes))


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (HEALTHY, Word.IN_SYNC),
        (but(enrolled_nodes=0), Word.NOT_ENROLLED),
        (but(enrolled_nodes=0, revoked_nodes=1), Word.NOT_ENROLLED),
        (but(node=None), Word.NEVER_SEEN),
        (but(node=node(seen_at_ms=NOW_MS - int(OFFLINE_AFTER_S * 1000) - 1)), Word.OFFLINE),
        (but(node=node(stopping=True)), Word.OFFLINE),
        (but(mark=mark(want=Want.NEW_EPOCH)), Word.FORKED),
        (but(mark=mark(want=Want.BASELINE)), Word.DIFFERS),
        (but(comparison=compared(state=Sameness.DIFFERENT)), Word.DIFFERS),
        (but(node=node(seq=11)), Word.BEHIND),
        (but(node=node(epoch="e2")), Word.BEHIND),
        (but(mark=None), Word.BEHIND),
        (but(node=node(brakes_held=1)), Word.HELD),
        (but(comparison=None), Word.NOT_COMPARED),
        (but(comparison=compared(seq=9)), Word.NOT_COMPARED),
        (but(comparison=compared(epoch="e0")), Word.NOT_COMPARED),
        (but(node=None, comes_by_courier=True), Word.BY_COURIER),
        (by_courier(), Word.BY_COURIER),
        (by_courier(comparison=None), Word.BY_COURIER),
        (by_courier(node=node(brakes_held=1, seen_at_ms=NOW_MS - MONTH_MS)), Word.BY_COURIER),
        (by_courier(node=node(seq=11, seen_at_ms=NOW_MS - MONTH_MS)), Word.BEHIND),
        (by_courier(mark=mark(want=Want.NEW_EPOCH)), Word.FORKED),
        (by_courier(mark=mark(want=Want.BASELINE)), Word.DIFFERS),
        (by_courier(enrolled_nodes=0), Word.NOT_ENROLLED),
        (but(comes_by_courier=True, courier_at_ms=NOW_MS - MONTH_MS), Word.IN_SYNC),
        (but(comes_by_courier=True, node=node(seen_at_ms=NOW_MS - MONTH_MS)), Word.OFFLINE),
        (but(comparison=compared(state=Sameness.NOT_COMPARABLE)), Word.NOT_COMPARED),
        (but(comparison=compared(state=Sameness.DIFFERENT, seq=9)), Word.NOT_COMPARED),
        (but(node=node(seq=0), mark=None, comparison=compared(seq=0)), Word.IN_SYNC),
        (but(node=node(seq=9)), Word.NOT_COMPARED),
    ],
)
def test_site_has_the_worst_word_that_holds(facts: Facts, word: Word) -> None:
    """In sync only if the digests were found equal where both ends stand now (promise 12)."""
    assert word_of(facts, NOW_MS) is word


def test_lag_counts_the_positions_that_are_not_applied() -> None:
    lags = [state_of(but(node=node(seq=14)), NOW_MS).lag, state_of(but(node=node(epoch="e2", seq=4)), NOW_MS).lag]

    assert lags == [4, 4]


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        yield Hub(database)


def beat(site: Site = VILLAGE, **changes: object) -> Beat:
    return msgspec.structs.replace(Beat(site=site.code, node="U", epoch="e1", seq=1, records=5), **changes)


async def lines(hub: Hub) -> dict[str, SiteState]:
    found = await hub.database.read(lambda connection: board(connection, NOW_MS))
    return {line.site: line for line in found}


async def test_beats_are_noted_in_one_batch_and_the_last_of_a_site_counts(hub: Hub) -> None:
    beats = [beat(), beat(OTHER_VILLAGE, importing=True), beat(seq=9)]
    await hub.database.write(lambda connection: record_beats(connection, beats, 100))
    await hub.database.write(lambda connection: record_beats(connection, [beat(seq=12)], 200))
    await hub.database.write(lambda connection: record_beats(connection, [], 300))
    states = await hub.database.read(node_states)

    assert {site: (one.seq, one.importing, one.seen_at_ms) for site, one in states.items()} == {
        VILLAGE.code: (12, False, 200),
        OTHER_VILLAGE.code: (1, True, 100),
    }


async def test_goodbye_holds_until_the_next_sign_of_life(hub: Hub) -> None:
    seen = []
    for said in (beat(), beat(stopping=True), beat()):
        await hub.database.write(partial(record_beats, beats=[said], now_ms=NOW_MS))
        states = await hub.database.read(node_states)
        seen.append((states[VILLAGE.code].stopping, (await lines(hub))[VILLAGE.code].stopping))

    assert seen == [(False, False), (True, True), (False, False)]


async def test_number_that_no_database_holds_does_not_spoil_the_other_beats(hub: Hub) -> None:
    beats = [beat(disk_free_bytes=2**90), beat(OTHER_VILLAGE)]
    await hub.database.write(lambda connection: record_beats(connection, beats, 100))
    states = await hub.database.read(node_states)

    assert (len(states), states[VILLAGE.code].disk_free_bytes) == (2, SEQ_MAX)


async def test_board_shows_expected_enrolled_seen_and_applied_sites(hub: Hub) -> None:
    """A site that nobody expects is shown as well: silence about it would be the wrong kind of order."""
    never, stranger = parse_site("330523108206"), parse_site("330523108299")

    def step(connection: Connection) -> None:
        for site, name in ((VILLAGE, "上石村"), (never, "双桥村")):
            keyring.expect(connection, site, name, datetime.date(2026, 1, 1))
        connection.execute(
            insert(enrolled_node).values(public_key="U1", site=VILLAGE.code, name="", software="", enrolled_at_ms=1)
        )
        record_beats(connection, [beat(seq=3), beat(stranger)], NOW_MS)
        connection.execute(
            insert(watermark).values(site=VILLAGE.code, node="U1", epoch="e1", position=3, chain="", moved_at_ms=NOW_MS)
        )
        comparisons.keep(connection, compared(seq=3))
        connection.execute(
            insert(quarantine).values(
                site=VILLAGE.code,
                epoch="e1",
                seq=2,
                fault="bad_event",
                reason_zh="",
                reason_en="",
                hint_zh="",
                hint_en="",
                content=b"",
                quarantined_at_ms=1,
            )
        )

    await hub.database.write(step)
    await hub.tell(described(1, fictitious(1)), described(2, fictitious(2)))
    found = await lines(hub)

    assert {site: (line.word, line.expected, line.name) for site, line in found.items()} == {
        VILLAGE.code: (Word.IN_SYNC, True, "上石村"),
        never.code: (Word.NOT_ENROLLED, True, "双桥村"),
        stranger.code: (Word.NOT_ENROLLED, False, ""),
    }
    assert (found[VILLAGE.code].hub_records, found[VILLAGE.code].quarantined) == (2, 1)


async def test_board_says_offline_since_the_last_sign_of_life(hub: Hub) -> None:
    def step(connection: Connection) -> None:
        keyring.expect(connection, VILLAGE, "", datetime.date(2026, 1, 1))
        connection.execute(
            insert(enrolled_node).values(public_key="U1", site=VILLAGE.code, name="", software="", enrolled_at_ms=1)
        )
        record_beats(connection, [beat()], 1000)

    await hub.database.write(step)
    line = (await lines(hub))[VILLAGE.code]

    assert (line.word, line.seen_at_ms) == (Word.OFFLINE, 1000)


async def test_revoked_node_does_not_count_as_enrolled(hub: Hub) -> None:
    def step(connection: Connection) -> None:
        connection.execute(
            insert(enrolled_node).values(public_key="U1", site=VILLAGE.code, name="", software="", enrolled_at_ms=1)
        )
        connection.execute(update(enrolled_node).values(revoked_at_ms=2, revoked_because="换机"))

    await hub.database.write(step)
    line = (await lines(hub))[VILLAGE.code]

    assert (line.word, line.enrolled_nodes, line.revoked_nodes) == (Word.NOT_ENROLLED, 0, 1)
