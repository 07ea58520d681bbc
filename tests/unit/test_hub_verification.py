"""Verification: equal, different down to the records, or not comparable now; and the comparer that keeps it fresh."""

import datetime
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import msgspec
import pytest
from sqlalchemy import Connection, insert, update

from hub.courier import couriers
from hub.courier.couriers import not_on_the_line
from hub.membership import keyring
from hub.membership.keyring_tables import enrolled_node
from hub.repair import comparisons, repairs
from hub.repair.comparing import AGAIN_AFTER_MS, Comparer
from hub.repair.comparisons import Sameness
from hub.repair.differences import Difference, DifferenceKind
from hub.repair.repairs import Cause
from hub.repair.verification import LATE, LINK_DOWN, MOVING, NOBODY, NOT_APPLIED, OFFLINE, Depth, Scope, Verdict, verify
from hub.sites.board import Word, board, record_beats
from hub.tables import entry
from protocol.beats import Beat, Want
from protocol.records import Record
from protocol.sites import Site
from protocol.wording import Text
from replication.asking import Asker
from replication.dialects import upsert
from replication.tables import watermark
from replication.watermarks import marks_of
from tests.answering_sites import AnsweringSite, answering
from tests.catalogue import OTHER_VILLAGE, VILLAGE, described, fictitious
from tests.fakes import FakeBroker
from tests.hubs import Hub
from tests.stores import Store

NOW_MS = 1_790_000_000_000


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    async with store.opened() as database:
        yield Hub(database)


async def no_pause(_: float) -> None:
    """Go on at once."""


async def hold(hub: Hub, records: Sequence[Record], site: Site = VILLAGE, *, position: int | None = None) -> None:
    """Have the hub apply some records and stand where they end."""
    await hub.tell(*(described(seq, record) for seq, record in enumerate(records, 1)), site=site)

    def step(connection: Connection) -> None:
        connection.execute(
            insert(watermark).values(
                site=site.code,
                node="U",
                epoch="e1",
                position=len(records) if position is None else position,
                chain="",
                moved_at_ms=1,
            )
        )

    await hub.database.write(step)


async def verified(
    hub: Hub, sites: Sequence[AnsweringSite], *, away: Mapping[Site, Text] = NOBODY, deep: bool = False
) -> dict[str, Verdict]:
    broker = FakeBroker()
    found = {}
    async with answering(broker.bus(), sites), Asker(broker.bus(), "test").opened() as asker:
        asked = verify(
            hub.database,
            asker,
            [site.site for site in sites],
            lambda: NOW_MS,
            away=away,
            scope=Scope(depth=Depth.RECORDS if deep else Depth.SUMS, cause=Cause.ASKED),
            deadline_s=0.5,
            sleep=no_pause,
        )
        async for verdict in asked:
            found[verdict.site] = verdict
    return found


RECORDS = [fictitious(number, fonds_no=f"J00{number % 3}") for number in range(1, 31)]


async def test_equal_ends_are_equal_and_the_board_remembers_where(hub: Hub) -> None:
    await hold(hub, RECORDS)
    verdict = (await verified(hub, [AnsweringSite(VILLAGE, RECORDS)]))[VILLAGE.code]
    kept = (await hub.database.read(comparisons.kept))[VILLAGE.code]

    assert (verdict.state, verdict.site_records, verdict.hub_records) == (Sameness.EQUAL, 30, 30)
    assert (kept.state, kept.epoch, kept.seq, kept.compared_at_ms) == (Sameness.EQUAL, "e1", 30, NOW_MS)


async def test_differing_records_are_named(hub: Hub) -> None:
    await hold(hub, RECORDS)
    changed = msgspec.structs.replace(RECORDS[4], title="站点已改")
    extra = fictitious(99, fonds_no="J009")
    there = [*RECORDS[:4], changed, *RECORDS[6:], extra]
    verdict = (await verified(hub, [AnsweringSite(VILLAGE, there, seq=30)]))[VILLAGE.code]

    assert verdict.state is Sameness.DIFFERENT
    assert set(verdict.fonds) == {RECORDS[4].fonds_no, RECORDS[5].fonds_no, "J009"}
    assert verdict.differing == 3
    assert set(verdict.differences) == {
        difference(changed, DifferenceKind.OTHER_CONTENT),
        difference(RECORDS[5], DifferenceKind.MISSING_THERE),
        difference(extra, DifferenceKind.MISSING_HERE),
    }


def difference(record: Record, kind: DifferenceKind) -> Difference:
    return Difference(fonds_no=record.fonds_no, record_id=record.record_id, kind=kind)


async def test_bucket_that_takes_many_replies_is_read_to_its_end(hub: Hub) -> None:
    """The answering site tells two records a reply."""
    same_bucket = [
        msgspec.structs.replace(
            fictitious(number), record_id=type(fictitious(1).record_id)(bytes=bytes([number] * 15 + [7]))
        )
        for number in range(1, 8)
    ]
    await hold(hub, same_bucket)
    verdict = (await verified(hub, [AnsweringSite(VILLAGE, same_bucket[:6], seq=7)]))[VILLAGE.code]

    assert verdict.differences == (difference(same_bucket[6], DifferenceKind.MISSING_THERE),)


async def test_site_that_is_ahead_is_not_comparable_though_the_records_agree(hub: Hub) -> None:
    await hold(hub, RECORDS, position=29)
    verdict = (await verified(hub, [AnsweringSite(VILLAGE, RECORDS)]))[VILLAGE.code]

    assert (verdict.state, verdict.reason) == (Sameness.NOT_COMPARABLE, NOT_APPLIED)


async def test_site_that_moves_while_it_is_compared_is_not_called_different(hub: Hub) -> None:
    await hold(hub, RECORDS)
    site = AnsweringSite(VILLAGE, RECORDS[1:], seq=30)
    site.moves_while_compared = True
    verdict = (await verified(hub, [site]))[VILLAGE.code]

    assert (verdict.state, verdict.reason) == (Sameness.NOT_COMPARABLE, NOT_APPLIED)


async def test_silent_and_absent_sites_are_not_comparable(hub: Hub) -> None:
    await hold(hub, RECORDS)
    hanging = AnsweringSite(OTHER_VILLAGE)
    hanging.hangs = True
    absent = AnsweringSite(VILLAGE, RECORDS)
    found = await verified(hub, [absent, hanging], away={VILLAGE: OFFLINE})

    assert {site: verdict.reason for site, verdict in found.items()} == {
        VILLAGE.code: OFFLINE,
        OTHER_VILLAGE.code: LATE,
    }
    assert absent.asked == 0


async def test_site_that_comes_by_courier_is_not_asked_and_says_of_when_its_copy_is(hub: Hub) -> None:
    await hold(hub, RECORDS)
    site = AnsweringSite(VILLAGE, RECORDS)
    verdict = (await verified(hub, [site], away={VILLAGE: not_on_the_line(NOW_MS, was_equal=True)}))[VILLAGE.code]

    assert (verdict.state, site.asked) == (Sameness.NOT_COMPARABLE, 0)
    assert (verdict.reason.zh, verdict.reason.en) == (
        "靠信使往来，截至 2026-09-21，当时一致",
        "comes by courier, as of 2026-09-21: in sync then",
    )


def test_courier_site_without_a_bundle_has_no_date() -> None:
    assert not_on_the_line(None).en == "comes by courier, no bundle yet"


async def test_outcome_that_says_nothing_leaves_the_last_comparison(hub: Hub) -> None:
    await hold(hub, RECORDS)
    await verified(hub, [AnsweringSite(VILLAGE, RECORDS)])
    await verified(hub, [AnsweringSite(VILLAGE, RECORDS)], away={VILLAGE: OFFLINE})

    assert (await hub.database.read(comparisons.kept))[VILLAGE.code].state is Sameness.EQUAL


async def test_site_without_any_event_is_equal_to_nothing_applied(hub: Hub) -> None:
    assert (await verified(hub, [AnsweringSite(VILLAGE)]))[VILLAGE.code].state is Sameness.EQUAL


async def test_lost_link_is_told_for_every_site(hub: Hub) -> None:
    bus = FakeBroker().bus()
    bus.down()
    async with Asker(bus, "test").opened() as asker:
        found = [one async for one in verify(hub.database, asker, [VILLAGE, OTHER_VILLAGE], lambda: 0, sleep=no_pause)]

    assert {one.reason for one in found} == {LINK_DOWN}
    assert len(found) == 2


async def test_deep_verification_finds_a_damaged_body(hub: Hub) -> None:
    await hold(hub, RECORDS)
    await hub.database.write(
        lambda connection: connection.execute(
            update(entry).where(entry.c.record_id == RECORDS[3].record_id.bytes).values(body=b"{}")
        )
    )
    shallow = (await verified(hub, [AnsweringSite(VILLAGE, RECORDS)]))[VILLAGE.code]
    deep = (await verified(hub, [AnsweringSite(VILLAGE, RECORDS)], deep=True))[VILLAGE.code]

    assert (shallow.state, deep.state, deep.damaged) == (Sameness.EQUAL, Sameness.DIFFERENT, 1)


def test_reasons_for_trying_again_are_distinct() -> None:
    assert NOT_APPLIED != MOVING


# In the background


class Clock:
    """Milliseconds that pass when told to."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


async def online(hub: Hub, site: AnsweringSite, now_ms: int = NOW_MS) -> None:
    def step(connection: Connection) -> None:
        keyring.expect(connection, site.site, "", datetime.date(2026, 1, 1))
        connection.execute(
            upsert(enrolled_node)
            .values(public_key="U1", site=site.site.code, name="", software="", enrolled_at_ms=1)
            .on_conflict_do_nothing()
        )
        record_beats(connection, [Beat(site=site.site.code, node="U1", epoch=site.epoch, seq=site.seq)], now_ms)

    await hub.database.write(step)


async def word(hub: Hub, clock: Clock) -> Word:
    (line,) = await hub.database.read(lambda connection: board(connection, clock()))
    return line.word


async def test_applied_site_is_compared_once_and_then_in_sync(hub: Hub) -> None:
    site, clock, broker = AnsweringSite(VILLAGE, RECORDS), Clock(), FakeBroker()
    await hold(hub, RECORDS)
    await online(hub, site)
    async with answering(broker.bus(), [site]), Asker(broker.bus(), "test").opened() as asker:
        comparer = Comparer(hub.database, asker, clock, sleep=no_pause)
        before = await word(hub, clock)
        steps = [len(await comparer.step()), len(await comparer.step())]

    assert (before, steps, await word(hub, clock)) == (Word.NOT_COMPARED, [1, 0], Word.IN_SYNC)


async def test_bundle_is_a_sign_of_life_and_nobody_is_asked_for_all_that(hub: Hub) -> None:
    """Its beat has just been noted, as of a site on the line; but it lies in a drawer by now."""
    site, clock, broker = AnsweringSite(VILLAGE, RECORDS), Clock(), FakeBroker()
    await hold(hub, RECORDS)
    await online(hub, site)

    def carry(connection: Connection) -> None:
        couriers.expect(connection, "U1", VILLAGE.code)
        couriers.take(connection, "U1", 1, NOW_MS)

    await hub.database.write(carry)
    async with answering(broker.bus(), [site]), Asker(broker.bus(), "test").opened() as asker:
        comparer = Comparer(hub.database, asker, clock, sleep=no_pause)
        asked = [await comparer.step(), await comparer.nightly_step()]
        clock.now_ms += 1_000
        await online(hub, site, clock.now_ms)
        on_the_line = await comparer.step()

    # At night what is held here is read, which asks nobody.
    assert [[one.state for one in verdicts] for verdicts in asked] == [[], [Sameness.NOT_COMPARABLE]]
    assert [one.state for one in on_the_line] == [Sameness.EQUAL]


async def test_spoilt_body_of_a_courier_site_is_found_at_night_and_healed_by_its_next_bundle(hub: Hub) -> None:
    site, clock, broker = AnsweringSite(VILLAGE, RECORDS), Clock(), FakeBroker()
    await hold(hub, RECORDS)
    await online(hub, site)

    def spoil(connection: Connection) -> None:
        couriers.expect(connection, "U1", VILLAGE.code)
        couriers.take(connection, "U1", 1, NOW_MS)
        connection.exec_driver_sql("CREATE TABLE kept AS SELECT docid, body FROM entry")
        connection.exec_driver_sql("UPDATE entry SET body = ? WHERE docid = (SELECT min(docid) FROM entry)", (b"\0",))

    def told_again(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE entry SET body = (SELECT body FROM kept WHERE kept.docid = entry.docid)")

    async def night_after(step: Callable[[Connection], None]) -> tuple[list[int], int]:
        await hub.database.write(step)
        clock.now_ms += 2 * 86_400_000
        nights = [[one.damaged for one in await comparer.nightly_step()] for _ in range(2)]
        await comparer.step()
        return [count for counts in nights for count in counts], len(await hub.database.read(repairs.open_repairs))

    async with answering(broker.bus(), [site]), Asker(broker.bus(), "test").opened() as asker:
        comparer = Comparer(hub.database, asker, clock, sleep=no_pause)
        spoilt = await night_after(spoil)
        wanted = (await hub.database.read(lambda c: marks_of(c, [VILLAGE.code])))[VILLAGE.code].want
        healed = await night_after(told_again)

    # One look a night; the reply bundle asks the site to tell everything again.
    assert (spoilt, wanted, healed, site.asked) == (([1], 1), Want.BASELINE, ([0], 0), 0)


async def test_differing_site_is_asked_for_a_baseline_and_then_left_in_peace(hub: Hub) -> None:
    site, clock, broker = AnsweringSite(VILLAGE, RECORDS[1:], seq=30), Clock(), FakeBroker()
    await hold(hub, RECORDS)
    await online(hub, site)
    async with answering(broker.bus(), [site]), Asker(broker.bus(), "test").opened() as asker:
        comparer = Comparer(hub.database, asker, clock, sleep=no_pause)
        steps = [len(await comparer.step()), len(await comparer.step())]
        clock.now_ms += AGAIN_AFTER_MS + 1
        await online(hub, site, clock.now_ms)
        steps.append(len(await comparer.step()))
    marks = await hub.database.read(lambda connection: marks_of(connection, [VILLAGE.code]))

    assert steps == [1, 0, 0]
    assert (marks[VILLAGE.code].want, await word(hub, clock)) == (Want.BASELINE, Word.DIFFERS)
