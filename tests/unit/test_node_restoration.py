"""Restoration: a new node takes over ids and former codes, and reading the folder changes nothing that is the same."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection

from hub.decisions import proposals as county_proposals
from hub.decisions.proposals import Wish
from hub.repair.fetches import answer_fetches
from hub.staff.administration import Actor
from node import baseline, corrections, restoration
from node import proposals as site_proposals
from node.correcting import Corrector
from node.restoration import Restoration, Restorer
from node.retractions import TOMBSTONE_DAYS
from node.tables import SCHEMA
from protocol.codec import decode_record
from protocol.events import Described
from protocol.records import Record
from replication import outbox
from replication.bus import Message
from replication.database import Database, opened
from replication.migrations import REPLICATION
from tests.builders import identity
from tests.fakes import FakeBroker
from tests.linked_site import CODE, NOW_MS, SITE, LinkedSite, linked_site
from tests.node_site import NodeSite, node_site, rows, write_csv
from tests.proposing import carry

COUNT = 3_000
WITHDRAWN = rows(1, 9_000)[0]
"""A row that the former computer's sheet listed once and later did not."""


@pytest.fixture
async def former(tmp_path: Path) -> AsyncIterator[LinkedSite]:
    """A site whose records the hub holds; row 5 had another code before, row 9 is secret, row 11 was withdrawn."""
    async with linked_site(tmp_path / "former") as linked:
        table = rows(COUNT)
        table[9][7] = "机密"
        write_csv(linked.node.folder / "目录.csv", [*table, WITHDRAWN])
        await linked.node.take("目录.csv")
        table[5][0] = "Z109-WS·2011·Y-BGS-7777"
        write_csv(linked.node.folder / "目录.csv", table)
        await linked.node.take("目录.csv")
        await linked.carry()
        yield linked


@asynccontextmanager
async def telling(linked: LinkedSite, broker: FakeBroker) -> AsyncIterator[None]:
    task = asyncio.create_task(answer_fetches(broker.bus(), linked.hub.database))
    await asyncio.sleep(0.01)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def restored(root: Path, broker: FakeBroker) -> Restoration:
    root.mkdir(parents=True, exist_ok=True)
    async with opened(root / "node.db", (REPLICATION, SCHEMA)) as database:
        return await restorer(database, root, broker).run()


def restorer(database: Database, root: Path, broker: FakeBroker) -> Restorer:
    return Restorer(database, broker.bus(), SITE, identity(2).public_key, root / "restore", lambda: 5)


async def ids(site: NodeSite) -> dict[str, str]:
    return {title: str(record.record_id) for title, record in (await site.records()).items()}


async def test_folder_read_after_a_restoration_mints_nothing_and_sends_nothing(
    former: LinkedSite, tmp_path: Path
) -> None:
    broker, root = FakeBroker(), tmp_path / "new"
    async with telling(former, broker):
        done = await restored(root, broker)
    before = {title: record async for title, record in records_of(former.node)}
    (root / "catalogues").mkdir(exist_ok=True)
    (root / "catalogues" / "目录.csv").write_bytes((former.node.folder / "目录.csv").read_bytes())
    async with node_site(root) as site:
        taken = await site.take("目录.csv")
        now = {title: record async for title, record in records_of(site)}
        told = await site.events()
        standings = await site.standings()

    assert (done.received, done.total, done.epoch) == (COUNT - 1, COUNT - 1, "e1")
    assert now == before
    assert [alias.code for alias in now["关于第6号林地承包合同的批复"].aliases] == ["Z109-WS·2011·Y-BGS-0006"]
    assert (taken.tally.new, taken.tally.changed, told) == (1, 0, [])
    assert standings == {"listed": COUNT - 1, "withheld": 1, "gone": 1}


async def test_an_old_sheet_does_not_publish_what_was_withdrawn(former: LinkedSite, tmp_path: Path) -> None:
    """The row is reported with its reason, its record stays withdrawn, and the county hears nothing (promise 7)."""
    broker, root = FakeBroker(), tmp_path / "new"
    async with telling(former, broker):
        done = await restored(root, broker)
    async with node_site(root) as site:
        write_csv(site.folder / "旧目录.csv", [rows(COUNT)[20], WITHDRAWN])
        taken = await site.take("旧目录.csv")
        told, standings = await site.events(), await site.standings()
        reasons = await site.database.fetch("SELECT line, code FROM reject")
        kept_back = await site.database.read(restoration.count_kept_back)

    assert (done.withdrawn, taken.tally.new, told) == (1, 0, [])
    assert (reasons, standings["gone"], kept_back) == ([(3, "row_withdrawn_before")], 1, 1)


async def test_a_person_lets_an_old_sheet_bring_a_withdrawn_record_back_under_its_id(
    former: LinkedSite, tmp_path: Path
) -> None:
    broker, root = FakeBroker(), tmp_path / "new"
    gone = await former.node.database.fetch("SELECT record_id FROM record WHERE standing = 'gone'")
    async with telling(former, broker):
        await restored(root, broker)
    async with node_site(root) as site:
        write_csv(site.folder / "旧目录.csv", [WITHDRAWN])
        await site.take("旧目录.csv")
        waiting = await site.database.write(lambda connection: restoration.readmit(connection, 6))
        await site.take("旧目录.csv")
        (told,) = await site.events()
        standings, left = await site.standings(), await site.database.fetch("SELECT code FROM reject")

    assert isinstance(told, Described)
    record = decode_record(told.record)
    assert (waiting, record.record_id.bytes, record.title, record.version) == (1, gone[0][0], WITHDRAWN[1], 2)
    assert (standings, left) == ({"listed": COUNT}, [])


async def test_another_record_under_the_code_of_a_withdrawn_one_is_new(former: LinkedSite, tmp_path: Path) -> None:
    broker, root = FakeBroker(), tmp_path / "new"
    async with telling(former, broker):
        await restored(root, broker)
    row = list(WITHDRAWN)
    row[1] = "关于另一件事的报告"
    async with node_site(root) as site:
        write_csv(site.folder / "目录.csv", [row])
        taken = await site.take("目录.csv")
        told = await site.events()

    assert (taken.tally.new, len(told), taken.rejected) == (1, 1, 0)


async def test_restored_tombstones_go_when_no_tombstone_lives_as_long(former: LinkedSite, tmp_path: Path) -> None:
    broker, root = FakeBroker(), tmp_path / "new"
    day_ms = 86_400_000
    async with telling(former, broker):
        await restored(root, broker)
    async with opened(root / "node.db", (REPLICATION, SCHEMA)) as database:
        before = await database.write(lambda c: restoration.forget_kept_back(c, TOMBSTONE_DAYS * day_ms))
        after = await database.write(lambda c: restoration.forget_kept_back(c, TOMBSTONE_DAYS * day_ms + 5))
        left = await database.fetch("SELECT count(*) FROM record WHERE standing = 'gone'")

    assert (before, after, left) == (0, 1, [(0,)])


async def records_of(site: NodeSite) -> AsyncIterator[tuple[str, Record]]:
    for title, record in (await site.records()).items():
        yield title, record


async def test_corrected_row_continues_its_record_and_one_that_is_in_no_file_stays(
    former: LinkedSite, tmp_path: Path
) -> None:
    broker, root = FakeBroker(), tmp_path / "new"
    async with telling(former, broker):
        await restored(root, broker)
    known = await ids(former.node)
    table = rows(COUNT - 100)
    table[20][1] = "关于更正后的题名"
    async with node_site(root) as site:
        write_csv(site.folder / "目录.csv", table)
        await site.take("目录.csv")
        await site.settle(20)
        now, told, held = await ids(site), await site.events(), await site.held()
        unlisted = await site.database.read(restoration.count_unlisted)

    assert now["关于更正后的题名"] == known["关于第21号林地承包合同的批复"]
    # The row that was secret has lost its mark: it is new to the county, and rightly so.
    assert len(now) == COUNT
    assert all(now[title] == number for title, number in known.items() if title != "关于第21号林地承包合同的批复")
    assert [type(event) for event in told] == [Described] * len(told)
    assert (held, unlisted > 90) == ([], True)


async def test_power_cut_between_two_pages_goes_on_where_it_was(former: LinkedSite, tmp_path: Path) -> None:
    broker, root = FakeBroker(), tmp_path / "new"
    pages: list[Message] = []
    broker.lost = cut_after(pages, 2)
    async with telling(former, broker):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await restored(root, broker)
        asked = len(broker.sent)
        broker.lost = lambda _message: False
        done = await restored(root, broker)

    assert (done.received, done.ended_at_ms) == (COUNT - 1, 5)
    held = [message for message in broker.sent[asked:] if message.subject.startswith("dl.held.")]
    assert len(held) < len(pages) + len(held)
    async with opened(root / "node.db", (REPLICATION, SCHEMA)) as database:
        assert await database.fetch(
            "SELECT count(*), count(DISTINCT record_id) FROM record WHERE standing <> 'gone'"
        ) == [(COUNT - 1, COUNT - 1)]


def cut_after(pages: list[Message], most: int) -> Callable[[Message], bool]:
    def lost(message: Message) -> bool:
        if message.subject.startswith("dl.held."):
            pages.append(message)
        return len(pages) > most

    return lost


async def test_copy_that_moves_on_between_two_pages_is_begun_anew(former: LinkedSite, tmp_path: Path) -> None:
    broker, root = FakeBroker(), tmp_path / "new"
    pages: list[Message] = []
    broker.lost = cut_after(pages, 1)
    async with telling(former, broker):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await restored(root, broker)
        write_csv(former.node.folder / "目录.csv", rows(COUNT + 40))
        await former.node.take("目录.csv")
        await former.carry()
        broker.lost = lambda _message: False
        done = await restored(root, broker)
        held = await former.hub.database.fetch("SELECT count(*) FROM entry WHERE body IS NOT NULL")

    assert [(done.received,)] == held


async def test_first_epoch_retires_the_former_one_and_its_baseline_withdraws_nothing(
    former: LinkedSite, tmp_path: Path
) -> None:
    broker, root = FakeBroker(), tmp_path / "new"
    async with telling(former, broker):
        await restored(root, broker)
    async with node_site_without_epoch(root) as site:

        def begin(connection: Connection) -> None:
            former_epoch = restoration.former_epoch(connection)
            baseline.begin_epoch(connection, site.writer, "e2", (former_epoch,), "restored")
            while baseline.go_on(connection, site.writer):
                pass

        await site.database.write(begin)
        former.node = site
        former.inbox._keys = lambda _site: [site.writer.identity.public_key]
        await former.carry()
    held = await former.hub.database.fetch("SELECT count(*) FROM entry WHERE body IS NOT NULL")
    swept = await former.hub.database.fetch("SELECT swept, promised_digest = held_digest FROM baseline ORDER BY epoch")

    assert held == [(COUNT - 1,)]
    assert swept == [(0, 1)]


@asynccontextmanager
async def node_site_without_epoch(root: Path) -> AsyncIterator[NodeSite]:
    from node.config import BrakeBounds, FolderSettings  # noqa: PLC0415 - only here

    async with opened(root / "node.db", (REPLICATION, SCHEMA)) as database:
        yield NodeSite(root, database, BrakeBounds(), FolderSettings())


async def test_person_may_do_without(tmp_path: Path) -> None:
    """The hub is of an older version, or gone for good: the site must be able to begin afresh."""
    async with opened(tmp_path / "node.db", (REPLICATION, SCHEMA)) as database:
        waiting = asyncio.create_task(restorer(database, tmp_path, FakeBroker()).run())
        await asyncio.sleep(0.2)
        (tmp_path / "restore").unlink()
        async with asyncio.timeout(10):
            done = await waiting
        due = await database.read(lambda connection: restoration.is_due(connection, tmp_path / "restore"))

    assert (done.is_skipped, done.received, due) == (True, 0, False)


async def test_node_with_a_history_is_never_restored(tmp_path: Path) -> None:
    mark = tmp_path / "restore"
    mark.touch()
    async with opened(tmp_path / "node.db", (REPLICATION, SCHEMA)) as database:
        due = await database.read(lambda connection: restoration.is_due(connection, mark))
        await database.write(lambda connection: outbox.start_epoch(connection, "e1", ()))
        late = await database.read(lambda connection: restoration.is_due(connection, mark))

    assert (due, late) == (True, False)


async def propose_and_accept(former: LinkedSite, title: str, wanted: dict[str, str]) -> UUID:
    """A proposal that the keeper accepted on the former computer, carried out and told to the county."""
    record = (await former.node.records())[title]
    wish = Wish(site=CODE, record_id=record.record_id, wanted=wanted, reason="见原件")
    made = await former.hub.database.write(lambda c: county_proposals.propose(c, Actor(who="lin.min"), wish, NOW_MS))
    await carry(former.hub.database, former.node.database, CODE)
    await former.node.database.write(lambda c: site_proposals.accept(c, 1, "wang", "", NOW_MS))
    await Corrector(former.node.database, former.node.writer, lambda: None, lambda: NOW_MS).settle()
    await carry(former.hub.database, former.node.database, CODE)
    await former.carry()
    return made.proposal_id


async def test_a_value_that_the_keeper_took_over_survives_the_computer(former: LinkedSite, tmp_path: Path) -> None:
    """The sheet still says the old value: reading it changes nothing and sends nothing; then it speaks for itself."""
    title = "关于第8号林地承包合同的批复"
    await propose_and_accept(former, title, {"page_count": "12", "note": "缺末页"})
    broker, root = FakeBroker(), tmp_path / "new"
    async with telling(former, broker):
        await restored(root, broker)
    async with node_site(root) as site:
        (site.folder / "目录.csv").write_bytes((former.node.folder / "目录.csv").read_bytes())
        taken = await site.take("目录.csv")
        kept = (await site.records())[title]
        told = await site.events()
        known = await site.database.read(lambda c: corrections.listed(c, 9))
        table = rows(COUNT)
        table[5][0], table[7][6], table[9][7] = "Z109-WS·2011·Y-BGS-7777", "10", "机密"
        write_csv(site.folder / "目录.csv", table)
        await site.take("目录.csv")
        later = (await site.records())[title]

    assert (kept.page_count, kept.note, taken.tally.changed, told) == (12, "缺末页", 0, [])
    assert {(one.field.value, one.value, one.was, one.is_restored) for one in known} == {
        ("page_count", "12", "9", False),
        ("note", "缺末页", "", False),
    }
    assert (later.page_count, later.note) == (10, "缺末页")
