import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import Connection, insert

from hub.membership.keyring_tables import enrolled_node
from hub.window import certificates, copies, copyist, pdf_seals, serials, sheets
from hub.window.certificates import Printing
from hub.window.copy_orders import SILENT_AFTER_MS, CopyOrder, CopyRoutes, CopyState, CopyWish
from hub.window.serials import Fate
from node.certifying import sealing
from node.certifying.deciding import Fact
from node.certifying.orders import OrderState
from node.keeper import audit
from protocol.certificates import decode_contents, decode_statement, encode_statement, signed_message
from protocol.copies import Product, Refusal, SealAsked
from protocol.errors import BadValue
from protocol.sites import Site
from replication import letters
from replication.keys import Identity, new_seed, raw_public_key, verified
from tests.certifying import CLERK, Window, digest, window


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Window]:
    async with window(tmp_path) as made:
        yield made


async def test_a_copy_goes_from_the_order_to_a_sealed_pdf(desk: Window) -> None:
    order = await desk.ask()
    await desk.post()
    assert (await desk.at_site(order)).state is OrderState.WAITING

    await desk.approve(order)
    order = await desk.made(order)

    assert order.state is CopyState.SIGNED
    assert (await desk.at_site(order)).state is OrderState.SEALED
    one = await desk.certificate(order.asked.serial)
    assert one.fate is Fate.READY
    statement, contents = decode_statement(one.statement), decode_contents(one.contents)
    assert verified(desk.key.public_key, one.signature, signed_message(one.statement))
    folder = desk.scans / desk.record.ref_code
    assert [page.sha256 for page in contents.pages] == [digest(path.read_bytes()) for path in sorted(folder.iterdir())]
    assert (statement.pages, statement.ref_code) == (desk.record.page_count, desk.record.ref_code)
    seal, carried = pdf_seals.examine(await desk.pdf(one.serial), desk.home.authority.read_bytes())
    assert seal is not None
    assert (seal.is_intact, seal.covers_all, seal.is_trusted) == (True, True, True)
    assert seal.signer == raw_public_key(desk.key.public_key)
    assert list(carried) == ["certificate.json"]
    steps = await desk.hub.database.fetch(
        "SELECT state FROM copy_step WHERE copy_id = ? ORDER BY step", (str(order.copy_id),)
    )
    assert [state for (state,) in steps] == [
        CopyState.ASKED,
        CopyState.APPROVED,
        CopyState.DRAWING,
        CopyState.READY,
        CopyState.SIGNED,
    ]


async def test_a_wish_sent_again_is_the_same_order(desk: Window) -> None:
    order = await desk.ask()
    again = await desk.ask(copy_id=order.copy_id)

    assert again == order
    assert len(await desk.hub.database.read(serials.listed)) == 1


async def test_a_statement_answers_the_asked_facts_and_nothing_else(desk: Window) -> None:
    order = await desk.ask(Product.STATEMENT, facts=("承包人", "承包期限"))
    await desk.post()
    with pytest.raises(BadValue, match="each needs an answer"):
        await desk.approve(order, {1: Fact(said="某户")}, "合同正本")

    await desk.approve(order, {1: Fact(said="某户", page=1), 2: Fact(said="该件未记载")}, "合同正本")
    order = await desk.made(order)

    assert order.state is CopyState.SIGNED
    assert desk.drawn == []
    contents = decode_contents((await desk.certificate(order.asked.serial)).contents)
    assert [(one.asked, one.said, one.page) for one in contents.facts] == [
        ("承包人", "某户", 1),
        ("承包期限", "该件未记载", None),
    ]


async def test_a_refusal_says_why_and_what_can_be_done_and_voids_the_serial(desk: Window) -> None:
    order = await desk.ask()
    await desk.post()
    await desk.refuse(order, Refusal.DAMAGED, "第3页虫蛀")
    await desk.post()

    order = await desk.found(order)
    stands, next_step = order.told(desk.now_ms)
    assert (order.state, stands.zh) == (CopyState.REFUSED, "保管单位不同意：原件破损，暂不能复制（第3页虫蛀）")
    assert "档案证明" in next_step.zh
    assert (await desk.certificate(order.asked.serial)).fate is Fate.VOID


async def test_a_page_that_is_another_than_the_holder_signed_ends_the_order(desk: Window) -> None:
    """The line checks digests too; the certificate does not rest on that."""
    order = await desk.ask()
    await desk.post()
    await desk.approve(order)
    await desk.post()

    def spoil(into: Path) -> None:
        next(into.rglob("0001.jpg")).write_bytes(b"\xff\xd8\xffanother")

    desk.spoil = spoil
    await desk.work()

    order = await desk.found(order)
    assert order.state is CopyState.FAILED
    assert "与保管单位签名时的摘要不符" in order.reason.zh
    assert (await desk.certificate(order.asked.serial)).fate is Fate.VOID


async def cut_off(desk: Window) -> CopyOrder:
    """Order a page whose picture ends in the middle, up to where the hub has looked at it."""
    page = desk.scans / desk.record.ref_code / "0001.jpg"
    page.write_bytes(page.read_bytes()[:900])
    order = await desk.ask()
    await desk.post()
    await desk.approve(order)
    await desk.post()
    await desk.work()
    return await desk.found(order)


async def test_a_picture_that_is_cut_off_ends_the_order_in_words(desk: Window) -> None:
    """The holder signed what lies in its folder; whether a picture can be read to its end is seen at the hub."""
    order = await cut_off(desk)
    assert order.state is CopyState.FAILED
    assert order.reason.en == "page 0001.jpg cannot be used: the picture is damaged"
    assert "重新扫描" in order.hint.zh


async def test_no_page_stays_of_an_order_that_failed(desk: Window) -> None:
    assert (await cut_off(desk)).state is CopyState.FAILED
    assert [folder.exists() for folder in desk.drawn] == [False]


async def test_an_order_that_is_withdrawn_is_not_fetched_to_its_end(
    desk: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its site may be away for weeks, and what has come of its pages would lie there as long."""
    monkeypatch.setattr(copyist, "LOOK_S", 0.01)
    folders: list[Path] = []

    async def hang(_site: Site, _id: UUID, _files: object, into: Path, _told: object) -> None:
        into.mkdir(parents=True)
        (into / "0001.jpg").write_bytes(b"half a page")
        folders.append(into)
        await asyncio.sleep(3600)

    monkeypatch.setattr(desk, "draw", hang)
    order = await desk.ask()
    await desk.post()
    await desk.approve(order)
    await desk.post()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        await desk.copyist().look(tasks)
        while not folders:
            await asyncio.sleep(0.01)
        await desk.write(copies.withdraw, order.copy_id, CLERK, "", desk.now_ms)

    assert (await desk.found(order)).state is CopyState.WITHDRAWN
    assert [folder.exists() for folder in folders] == [False]


async def test_what_was_read_before_a_certificate_was_made_makes_it_no_second_time(
    desk: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look reads the orders, and another task ends one of them before the look goes on."""
    order = await desk.ask()
    await desk.post()
    await desk.approve(order)
    await desk.post()
    before = await desk.hub.database.read(copyist._due)
    await desk.work()
    made = await desk.pdf(order.asked.serial)
    desk.now_ms += 60_000
    with monkeypatch.context() as patch:
        patch.setattr(copyist, "_due", lambda _: before)
        await desk.work()
    after = await desk.made(order)

    assert (len(desk.drawn), after.state) == (1, CopyState.SIGNED)
    assert (await desk.pdf(order.asked.serial)).startswith(made)


async def test_pages_of_orders_that_ended_are_gone_after_a_start(desk: Window) -> None:
    left = desk.home.window / "copies" / str(uuid4())
    left.mkdir(parents=True)
    (left / "0001.jpg").write_bytes(b"a page")
    running = asyncio.create_task(desk.copyist().run())
    async with asyncio.timeout(10):
        while left.exists():
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert not left.exists()


async def test_a_forged_approval_ends_the_order_and_is_never_drawn(desk: Window) -> None:
    order = await desk.ask()
    await desk.post()
    decided = (await desk.approve(order)).decision
    assert decided is not None
    forged = msgspec.structs.replace(decided, contents=decided.contents.replace('"number":1', '"number":2'))
    await desk.write(certificates.take_decision, "330523108204", forged, desk.now_ms)
    await desk.work()

    order = await desk.found(order)
    assert (order.state, order.reason.en) == (CopyState.FAILED, "the contents are not those that were signed")
    assert desk.drawn == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, None),
        ({"signer": Identity(new_seed(b"s" * 32)).public_key}, "no enrolled key of the site signed it"),
        ({"pages": 9}, "these are other pages than were asked for"),
        ({"replaces": "330523-2026-000011-0"}, "it answers another order than this one"),
    ],
)
async def test_an_approval_counts_only_if_its_statement_says_what_was_asked(
    desk: Window, changes: dict[str, object], fault: str | None
) -> None:
    """Signed by the holder's own key, each of them."""
    order = await desk.ask()
    await desk.post()
    decided = (await desk.approve(order)).decision
    assert decided is not None
    statement = encode_statement(msgspec.structs.replace(decode_statement(decided.statement), **changes))
    other = msgspec.structs.replace(
        decided, statement=statement, signature=desk.key.sign(signed_message(statement)), signer=desk.key.public_key
    )

    found = certificates.fault_of(order, other, {desk.key.public_key})
    assert (found and found.en) == fault


async def test_pages_that_are_offered_for_another_order_do_not_count(desk: Window) -> None:
    order = await desk.ask()
    await desk.post()
    decided = (await desk.approve(order)).decision
    assert decided is not None
    assert decided.consignment is not None
    elsewhere = msgspec.structs.replace(decided.consignment, consignment_id=UUID(int=9))
    other = msgspec.structs.replace(decided, consignment=elsewhere)

    found = certificates.fault_of(order, other, {desk.key.public_key})
    assert found is not None
    assert found.en == "the pages offered are not those that were signed"


async def test_an_answer_of_another_site_or_to_no_order_changes_nothing(desk: Window) -> None:
    order = await desk.ask()
    await desk.post()
    decided = (await desk.approve(order)).decision
    assert decided is not None
    with pytest.raises(BadValue, match="never put to this site"):
        await desk.write(certificates.take_decision, "330523108205", decided, desk.now_ms)

    assert (await desk.found(order)).state is CopyState.ASKED


async def test_a_withdrawn_order_is_void_at_both_ends(desk: Window) -> None:
    order = await desk.ask()
    await desk.post()
    await desk.hub.database.write(lambda c: copies.withdraw(c, order.copy_id, CLERK, "申请人撤回", desk.now_ms))
    await desk.post()

    assert (await desk.at_site(order)).state is OrderState.WITHDRAWN
    assert (await desk.certificate(order.asked.serial)).because == "申请人撤回"
    with pytest.raises(BadValue, match="nothing to decide"):
        await desk.approve(order)


async def test_a_silent_holder_is_said_to_be_silent(desk: Window) -> None:
    order = await desk.ask()
    _, now = order.told(desk.now_ms)
    _, later = order.told(desk.now_ms + SILENT_AFTER_MS)

    assert "等保管单位审批" in now.zh
    assert "电话催办" in later.zh


async def test_the_village_is_not_asked_if_nobody_there_can_decide(desk: Window) -> None:
    with pytest.raises(BadValue, match="has no enrolled node"):
        await desk.hub.database.write(lambda c: copies._keeper(c, "330523108299", CopyRoutes(county="330523000000")))


async def test_printing_takes_numbered_sheets_and_a_spoiled_sheet_is_printed_again(desk: Window) -> None:
    order = await desk.ask()
    await desk.post()
    await desk.approve(order)
    order = await desk.made(order)
    serial, write, now_ms = order.asked.serial, desk.hub.database.write, desk.now_ms
    pages = (await desk.certificate(serial)).pdf_pages
    assert pages == desk.record.page_count
    await write(lambda c: sheets.receive(c, "A000101", "A000140", CLERK, now_ms))

    printing = Printing(first_sheet="A000101", printer="窗口1")
    await write(lambda c: certificates.issue(c, serial, printing, CLERK, now_ms))
    assert (await desk.found(order)).state is CopyState.ISSUED
    await write(lambda c: sheets.spoil(c, "A000101", "卡纸", CLERK, now_ms))
    assert await desk.hub.database.read(lambda c: sheets.pages_missing(c, serial, pages)) == [1]
    next_sheet = (await desk.hub.database.read(sheets.balance)).next_sheet
    again = Printing(first_sheet=next_sheet, printer="窗口1")
    await write(lambda c: certificates.issue(c, serial, again, CLERK, now_ms))

    balance = await desk.hub.database.read(sheets.balance)
    assert (balance.received, balance.printed, balance.spoiled, balance.left) == (40, pages, 1, 40 - pages - 1)
    assert balance.is_even
    assert await desk.hub.database.read(lambda c: sheets.pages_missing(c, serial, pages)) == []


async def test_sheets_that_were_skipped_are_counted_and_the_first_of_them_named(desk: Window) -> None:
    """A wrong number of the first sheet loses a box, and a page need not name every sheet in it."""

    def use(connection: Connection) -> None:
        for first, last in (("A000001", "A000100"), ("B000001", "B000010")):
            sheets.receive(connection, first, last, CLERK, desk.now_ms)
        for number in ("A000002", "A000050", "B000001", "B000002"):
            sheets.spoil(connection, number, "卡纸", CLERK, desk.now_ms)

    await desk.hub.database.write(use)
    found = await desk.hub.database.read(sheets.balance)

    assert (found.received, found.printed, found.spoiled, found.left, found.next_sheet) == (110, 0, 4, 106, "A000051")
    assert (found.lost, found.is_even, found.skipped[:3], len(found.skipped)) == (
        48,
        False,
        ("A000001", "A000003", "A000004"),
        20,
    )


async def test_a_replacement_revokes_what_it_replaces_when_it_is_handed_out(desk: Window) -> None:
    first = await desk.ask()
    await desk.post()
    await desk.approve(first)
    first = await desk.made(first)
    write, now_ms = desk.hub.database.write, desk.now_ms
    await write(lambda c: sheets.receive(c, "1", "100", CLERK, now_ms))
    await write(lambda c: certificates.issue(c, first.asked.serial, Printing(first_sheet="1"), CLERK, now_ms))
    second = await desk.ask(replaces=first.asked.serial)
    await desk.post()
    await desk.approve(second)
    second = await desk.made(second)
    assert (await desk.certificate(first.asked.serial)).fate is Fate.ISSUED
    await write(lambda c: certificates.issue(c, second.asked.serial, Printing(first_sheet="50"), CLERK, now_ms))

    old = await desk.certificate(first.asked.serial)
    assert (old.fate, old.replaced_by) == (Fate.REVOKED, second.asked.serial)
    with pytest.raises(BadValue, match="cannot be printed"):
        await write(lambda c: certificates.issue(c, first.asked.serial, Printing(first_sheet="90"), CLERK, now_ms))


async def test_a_seal_is_given_only_for_what_the_keeper_approved(desk: Window) -> None:
    """The hub prepares the PDF; it must not get the site's signature under anything by calling it one."""
    order = await desk.ask()
    await desk.post()
    asked = SealAsked(copy_id=order.copy_id, serial=order.asked.serial, attributes=b"1")
    site = desk.site.database.write
    before = await site(lambda c: sealing.sealed(c, asked, desk.key, desk.now_ms))
    await desk.approve(order)
    after = await site(lambda c: sealing.sealed(c, asked, desk.key, desk.now_ms))
    other = msgspec.structs.replace(asked, serial="330523-2026-000099-1")

    assert (before.refused, after.refused) == ("not_approved", "not_attributes")
    assert (await site(lambda c: sealing.sealed(c, other, desk.key, desk.now_ms))).refused == "not_approved"


async def test_the_township_decides_for_a_village_without_staff(desk: Window) -> None:
    """The order goes to the deputy's node, and what it signs says so."""
    wish = CopyWish(
        request_id=UUID(int=1),
        record_id=desk.record.record_id,
        product=Product.CERTIFIED_COPY,
        purpose="调解",
        case_no="1号",
        requester="organ",
    )
    routes = CopyRoutes(county="330523000000", deputies={"330523108204": "330523108000"})
    key = Identity(new_seed(b"t" * 32))
    values = {"public_key": key.public_key, "site": "330523108000", "name": "", "software": "", "enrolled_at_ms": 1}
    await desk.hub.database.write(lambda c: c.execute(insert(enrolled_node).values(values)).rowcount)
    order = await desk.hub.database.write(lambda c: copies.ask(c, wish, routes, CLERK, desk.now_ms))

    assert (order.keeper, order.asked.holder) == ("330523108000", "330523108204")
    due, _ = await desk.hub.database.read(lambda c: letters.due(c, "330523108000", desk.now_ms))
    assert [one.kind for one in due] == ["copy_asked"]


async def test_the_holder_logs_who_decided_under_which_case(desk: Window) -> None:
    order = await desk.ask()
    await desk.post()
    await desk.refuse(order, Refusal.RESTRICTED)

    (line,) = await desk.site.database.read(lambda c: audit.listed(c, limit=10))
    assert (line.action, line.outcome, line.who) == ("copy_decided", "refused", "keeper:wang")
    assert audit.detail_of(line).case_ref == "安矛调〔2026〕17号"


async def test_the_hub_logs_who_ordered_what_under_which_request(desk: Window) -> None:
    order = await desk.ask()
    await desk.hub.database.write(lambda c: copies.withdraw(c, order.copy_id, CLERK, "", desk.now_ms))

    rows = await desk.hub.database.fetch("SELECT who, action, object FROM audit_line ORDER BY seq")
    assert rows == [
        (CLERK, action, f"request:{order.asked.request_id}") for action in ("copy_ordered", "copy_withdrawn")
    ]
