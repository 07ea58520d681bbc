"""Repair: what differs is found, only that travels, and every repair is on record."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from hub.repair.differences import DifferenceKind
from hub.repair.repairing import ATTEMPTS_MAX, BASELINE_AFTER_MS, remedy_for, without_calls
from hub.repair.repairs import Cause, Remedy, Repair, RepairKind, RepairState, records_of
from hub.repair.verification import Depth, Scope, verify
from hub.sites.board import Word
from protocol.beats import Want
from protocol.events import WithdrawalCause
from replication.digests import record_digest
from replication.watermarks import marks_of
from tests.catalogue import fictitious
from tests.linked_site import CODE, SITE, LinkedSite, linked_site
from tests.node_site import rows, write_csv

COUNT = 2_500
"""Rows of the sheet: some ten in each bucket."""


@pytest.fixture
async def linked(tmp_path: Path) -> AsyncIterator[LinkedSite]:
    async with linked_site(tmp_path) as site:
        write_csv(site.node.folder / "目录.csv", rows(COUNT))
        await site.node.take("目录.csv")
        await site.carry()
        site.carried_events = 0
        yield site


async def one_record(linked: LinkedSite, number: int = 7) -> tuple[UUID, bytes]:
    found = await linked.node.database.fetch(
        "SELECT record_id, body FROM record ORDER BY record_id LIMIT 1 OFFSET ?", (number,)
    )
    record_id, body = found[0]
    assert isinstance(record_id, bytes)
    assert isinstance(body, bytes)
    return UUID(bytes=record_id), body


async def held_body(linked: LinkedSite, record_id: UUID) -> bytes | None:
    rows_held = await linked.hub.database.fetch("SELECT body FROM entry WHERE record_id = ?", (record_id.bytes,))
    body = rows_held[0][0] if rows_held else None
    assert body is None or isinstance(body, bytes)
    return body


async def test_one_wrong_row_is_found_and_only_it_travels(linked: LinkedSite) -> None:
    record_id, body = await one_record(linked)
    wrong = body.replace("山林".encode(), "水田".encode()).replace("林地".encode(), "水田".encode())
    assert wrong != body
    assert await linked.compare() == ["equal"]
    await linked.spoil(
        "UPDATE entry SET body = ?, digest = ? WHERE record_id = ?", wrong, record_digest(wrong), record_id.bytes
    )
    # The comparison holds where it was made: only a look that is due anyway finds what changed without an event.
    await linked.spoil("DELETE FROM verification")

    assert await linked.compare() == ["different"]
    assert (await linked.line()).word is Word.DIFFERS
    await linked.carry()
    assert await linked.compare() == ["equal"]

    (repair,) = await linked.repairs()
    named = await linked.hub.database.read(lambda connection: records_of(connection, repair.id))
    assert [(one.record_id, one.kind) for one in named] == [(record_id, DifferenceKind.OTHER_CONTENT)]
    assert (repair.state, repair.remedy, repair.cause) == (RepairState.HEALED, Remedy.REDESCRIBED, Cause.BACKGROUND)
    assert (repair.other_content, repair.described, repair.withdrawn) == (1, 1, 0)
    assert linked.carried_events == 1
    assert await held_body(linked, record_id) == body
    assert (await linked.line()).word is Word.IN_SYNC
    assert await linked.hub.index() == await linked.hub.rebuilt_index()


async def test_lost_and_invented_rows_are_told_and_withdrawn_by_their_owner(linked: LinkedSite) -> None:
    record_id, body = await one_record(linked)
    invented = fictitious(4711)
    await linked.spoil("DELETE FROM entry WHERE record_id = ?", record_id.bytes)
    await linked.spoil(
        "UPDATE entry SET record_id = ?, bucket = ? WHERE docid = (SELECT max(docid) FROM entry)",
        invented.record_id.bytes,
        invented.record_id.bytes[15],
    )
    assert await linked.compare() == ["different"]
    await linked.carry()
    assert await linked.compare() == ["equal"]

    (repair,) = await linked.repairs()
    assert (repair.missing_here, repair.missing_there, repair.described, repair.withdrawn) == (2, 1, 2, 1)
    assert await held_body(linked, record_id) == body
    stone = await linked.hub.database.fetch(
        "SELECT withdrawn FROM entry WHERE record_id = ?", (invented.record_id.bytes,)
    )
    assert stone == [(WithdrawalCause.NOT_HELD.value,)]


async def test_row_that_claims_a_place_beyond_its_history_is_outranked_all_the_same(linked: LinkedSite) -> None:
    """Without making way for it, the owner's word would count as an old one for ever."""
    record_id, body = await one_record(linked)
    await linked.spoil(
        "UPDATE entry SET withdrawn = 'row_vanished', body = NULL, digest = 0, seq = 900000000 WHERE record_id = ?",
        record_id.bytes,
    )
    assert await linked.compare() == ["different"]
    await linked.carry()

    assert await linked.compare() == ["equal"]
    assert await held_body(linked, record_id) == body


async def test_unreadable_row_is_replaced(linked: LinkedSite) -> None:
    record_id, body = await one_record(linked)
    await linked.spoil("UPDATE entry SET body = x'00ff', digest = 5 WHERE record_id = ?", record_id.bytes)
    assert await linked.compare() == ["different"]
    await linked.carry()

    assert await linked.compare() == ["equal"]
    assert await held_body(linked, record_id) == body


async def test_row_whose_body_is_right_and_whose_digest_is_not_heals(linked: LinkedSite) -> None:
    """Its owner tells it again with the same bytes: the row took the new place, and kept the wrong digest for ever."""
    record_id, body = await one_record(linked)
    await linked.spoil("UPDATE entry SET digest = 5 WHERE record_id = ?", record_id.bytes)
    assert await linked.compare() == ["different"]
    await linked.carry()

    assert await linked.compare() == ["equal"]
    (repair,) = await linked.repairs()
    assert (repair.state, repair.remedy, repair.attempts) == (RepairState.HEALED, Remedy.REDESCRIBED, 1)
    assert await held_body(linked, record_id) == body


async def test_a_site_that_moved_on_is_asked_for_nothing(linked: LinkedSite) -> None:
    """The difference may be healed by then; the next comparison says."""
    record_id, _ = await one_record(linked)
    await linked.spoil("DELETE FROM entry WHERE record_id = ?", record_id.bytes)
    found = [
        verdict
        async for verdict in verify(
            linked.hub.database, linked.asker, [SITE], linked.clock, scope=Scope(cause=Cause.ASKED)
        )
    ]
    assert [verdict.differing for verdict in found] == [1]
    write_csv(linked.node.folder / "目录.csv", rows(COUNT + 1))
    await linked.node.take("目录.csv")

    assert await linked.comparer._repairer.step() == []
    (repair,) = await linked.repairs()
    assert (repair.state, repair.cause, repair.described) == (RepairState.FOUND, Cause.ASKED, 0)

    await linked.carry()
    assert await linked.compare() == ["different"]
    await linked.carry()
    assert await linked.compare() == ["equal"]
    (repair,) = await linked.repairs()
    assert (repair.state, repair.described) == (RepairState.HEALED, 1)


async def test_more_than_can_be_named_is_described_anew_as_a_whole(linked: LinkedSite) -> None:
    await linked.spoil("DELETE FROM entry WHERE docid IN (SELECT docid FROM entry LIMIT 2200)")
    assert await linked.compare() == ["different"]
    marks = await linked.hub.database.read(lambda connection: marks_of(connection, [CODE]))

    (repair,) = await linked.repairs()
    assert (repair.remedy, repair.missing_here, marks[CODE].want) == (Remedy.BASELINE, 2_200, Want.BASELINE)


async def test_nightly_check_puts_back_a_body_that_the_disk_has_spoilt(linked: LinkedSite) -> None:
    """The stored digests agree all the while, so that no comparison of sums can see it; and no event travels."""
    record_id, body = await one_record(linked)
    assert await linked.compare() == ["equal"]
    await linked.spoil("UPDATE entry SET body = x'7b7d' WHERE record_id = ?", record_id.bytes)
    assert await linked.compare() == []

    linked.now_ms += 86_400_000
    await linked.beat()
    nightly = await linked.comparer.nightly_step()
    assert [(verdict.damaged, verdict.differing) for verdict in nightly] == [(1, 0)]
    assert (await linked.line()).word is Word.DIFFERS
    await linked.compare()

    (repair,) = await linked.repairs()
    assert (repair.kind, repair.state, repair.remedy) == (RepairKind.BODIES, RepairState.HEALED, Remedy.PUT_BACK)
    assert repair.cause is Cause.NIGHTLY
    assert await held_body(linked, record_id) == body
    assert linked.carried_events == 0
    assert (await linked.line()).word is Word.IN_SYNC
    assert await linked.comparer.nightly_step() == []


async def test_deep_comparison_sees_what_sums_hide_at_either_end(linked: LinkedSite) -> None:
    here, _ = await one_record(linked, 3)
    there, _ = await one_record(linked, 4)
    await linked.spoil("UPDATE entry SET body = x'7b7d' WHERE record_id = ?", here.bytes)
    await linked.node.database.write(
        lambda c: c.exec_driver_sql("UPDATE record SET body = x'7b7d' WHERE record_id = ?", (there.bytes,))
    )
    scope = Scope(depth=Depth.RECORDS, cause=Cause.ASKED)
    shallow = [v async for v in verify(linked.hub.database, linked.asker, [SITE], linked.clock)]
    deep = [v async for v in verify(linked.hub.database, linked.asker, [SITE], linked.clock, scope=scope)]

    assert [verdict.state.value for verdict in shallow] == ["equal"]
    assert {(one.record_id, one.kind) for one in deep[0].differences} == {
        (here, DifferenceKind.DAMAGED_HERE),
        (there, DifferenceKind.OTHER_CONTENT),
    }


async def test_deep_comparison_of_equal_ends_says_equal(linked: LinkedSite) -> None:
    scope = Scope(depth=Depth.RECORDS, cause=Cause.ASKED)
    deep = [v async for v in verify(linked.hub.database, linked.asker, [SITE], linked.clock, scope=scope)]

    assert [(verdict.state.value, verdict.site_records, verdict.differing) for verdict in deep] == [("equal", COUNT, 0)]


def repair(**changes: object) -> Repair:
    plain = {
        "id": 1,
        "site": CODE,
        "kind": RepairKind.RECORDS,
        "cause": Cause.NIGHTLY,
        "state": RepairState.FOUND,
        "remedy": Remedy.NONE,
        "epoch": "e1",
        "seq": 9,
        "fonds": ("J001",),
        "other_content": 3,
        "found_at_ms": 1,
    }
    return Repair(**(plain | changes))  # type: ignore[arg-type]


def test_site_that_comes_by_courier_is_asked_for_everything_once_and_never_called() -> None:
    asked = repair(state=RepairState.ASKED, remedy=Remedy.BASELINE)

    assert without_calls(repair(), Remedy.REDESCRIBED) is Remedy.BASELINE
    assert without_calls(repair(kind=RepairKind.BODIES), Remedy.PUT_BACK) is Remedy.BASELINE
    assert without_calls(repair(), Remedy.NONE) is Remedy.NONE
    assert without_calls(asked, Remedy.PUT_BACK) is Remedy.NONE


async def test_open_repair_of_a_courier_site_waits_in_its_next_reply(linked: LinkedSite) -> None:
    record_id, _ = await one_record(linked)
    await linked.spoil("DELETE FROM entry WHERE record_id = ?", record_id.bytes)
    _ = [v async for v in verify(linked.hub.database, linked.asker, [SITE], linked.clock)]
    linked.broker.sent.clear()

    assert await linked.comparer._repairer.step(frozenset({CODE})) == [CODE]
    marks = await linked.hub.database.read(lambda connection: marks_of(connection, [CODE]))
    (open_one,) = await linked.repairs()
    assert (marks[CODE].want, open_one.remedy, linked.broker.sent) == (Want.BASELINE, Remedy.BASELINE, [])


def test_records_that_stay_different_lead_to_a_baseline_and_then_to_patience() -> None:
    asked = {"attempts": ATTEMPTS_MAX, "remedy": Remedy.REDESCRIBED, "asked_at_ms": 1}
    described = {"attempts": 3, "remedy": Remedy.BASELINE, "asked_at_ms": 1}

    assert remedy_for(repair(), 3, 1) is Remedy.REDESCRIBED
    assert remedy_for(repair(), 2, 1) is Remedy.BASELINE
    assert remedy_for(repair(**asked), 3, 2) is Remedy.BASELINE
    assert remedy_for(repair(**described), 3, BASELINE_AFTER_MS) is Remedy.NONE
    assert remedy_for(repair(**described), 3, BASELINE_AFTER_MS + 1) is Remedy.BASELINE
    assert remedy_for(repair(state=RepairState.ASKED), 3, 1) is Remedy.NONE
