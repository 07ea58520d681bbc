"""What printing, spoiling and revoking do to the request: the same by a page and by a command."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub import audit
from hub.__main__ import main as hub_main
from hub.window import copies, desk, issuance, ledger, sheets
from hub.window.certificates import Printing
from hub.window.copy_orders import CopyOrder, CopyWish
from hub.window.states import State, Step
from protocol.copies import Product
from protocol.errors import BadValue, Refused
from tests.certifying import CLERK, COUNTY, REQUEST, ROUTES, Window, window
from tests.window import KEY, LIN, NUMBER, TO_FOUND, WU, draft


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Window]:
    """A window with a request that was approved and waits for its certificate, and paper in the tray."""

    def begin(connection: Connection) -> None:
        desk.draft(connection, LIN, draft(request_id=REQUEST), KEY, made.now_ms)
        for step in (*TO_FOUND, Step.REVIEW_ACCESS):
            desk.take(connection, LIN, REQUEST, step, made.now_ms)
        desk.take(connection, WU, REQUEST, Step.APPROVE, made.now_ms)
        desk.take(connection, LIN, REQUEST, Step.CERTIFY, made.now_ms)
        sheets.receive(connection, "A000001", "A000100", CLERK, made.now_ms)

    async with window(tmp_path) as made:
        made.home.settings.write_text(f'county = "{COUNTY}"\nname = "某县档案馆"\n', encoding="utf-8")
        await made.hub.database.write(begin)
        yield made


async def ready(counter: Window) -> CopyOrder:
    """Order a copy and have it approved, drawn and sealed."""
    order = await counter.ask()
    await counter.post()
    await counter.approve(order)
    return await counter.made(order)


async def state(counter: Window) -> State:
    return (await counter.hub.database.read(lambda connection: ledger.present(connection, REQUEST))).standing.state


async def printed(counter: Window, order: CopyOrder, sheet: str = "A000001") -> None:
    printing = Printing(first_sheet=sheet)
    await counter.hub.database.write(
        lambda connection: issuance.issue(connection, LIN, order.asked.serial, printing, counter.now_ms)
    )


async def test_the_last_print_issues_the_request_and_an_earlier_one_does_not(counter: Window) -> None:
    first, second = await ready(counter), await counter.ask()
    await printed(counter, first)
    between = await state(counter)
    await counter.post()
    await counter.approve(second)
    await printed(counter, await counter.made(second), "A000051")

    assert (between, await state(counter)) == (State.CERTIFYING, State.ISSUED)


async def test_no_copy_is_ordered_for_a_request_that_is_over(counter: Window) -> None:
    """An old page of it may still be open."""
    wish = CopyWish(
        request_id=REQUEST,
        record_id=counter.record.record_id,
        product=Product.CERTIFIED_COPY,
        purpose="land_and_forest",
        case_no="CD2026-000001",
        requester="person",
    )
    write, now_ms = counter.hub.database.write, counter.now_ms
    await write(lambda connection: desk.take(connection, LIN, REQUEST, Step.WITHDRAW, now_ms, reason="不要了"))

    with pytest.raises(Refused, match="no copy can be ordered"):
        await write(lambda connection: issuance.order(connection, LIN, wish, ROUTES, now_ms))
    assert await counter.hub.database.read(lambda connection: copies.of_request(connection, REQUEST)) == []


async def test_a_spoiled_sheet_takes_the_request_back_until_its_page_is_printed_again(counter: Window) -> None:
    order = await ready(counter)
    await printed(counter, order)
    await counter.hub.database.write(
        lambda connection: issuance.spoil(connection, LIN, "A000001", "卡纸", counter.now_ms)
    )
    between = await state(counter)
    await printed(counter, order, "A000051")

    assert (between, await state(counter)) == (State.CERTIFYING, State.ISSUED)


async def test_paper_that_runs_out_in_a_certificate_goes_on_with_the_next_batch(counter: Window) -> None:
    """The serial was taken long before; the request waits for the page that is still to be printed."""
    order = await ready(counter)
    pages = (await counter.certificate(order.asked.serial)).pdf_pages
    await counter.hub.database.write(lambda c: sheets.receive(c, "B000007", "B000010", CLERK, counter.now_ms))
    await printed(counter, order, f"A{100 - pages + 2:06}")
    between = await state(counter)
    missing = await counter.hub.database.read(lambda c: sheets.pages_missing(c, order.asked.serial, pages))
    await printed(counter, order, "B000007")
    used = await counter.hub.database.read(lambda c: sheets.of_serial(c, order.asked.serial))

    assert (between, missing, await state(counter)) == (State.CERTIFYING, [pages], State.ISSUED)
    assert [f"{one.prefix}{one.number}" for one in used][-2:] == ["A100", "B7"]


async def test_without_any_paper_it_is_said_which_sheet_was_never_received(counter: Window) -> None:
    order = await ready(counter)

    with pytest.raises(BadValue, match="C000001 was never received"):
        await printed(counter, order, "C000001")


async def test_a_revocation_by_command_takes_the_request_back_as_one_by_the_page_does(counter: Window) -> None:
    order = await ready(counter)
    await printed(counter, order)
    arguments = ("certificate", "revoke", order.asked.serial, "--because", "页码有误")

    assert await asyncio.to_thread(hub_main, [*arguments, "--home", str(counter.home.root)]) == 0
    assert await state(counter) is State.CERTIFYING


async def test_why_something_is_revoked_or_spoilt_is_kept_without_numbers_and_out_of_the_log(counter: Window) -> None:
    """It may name a person; lines of the log stay for ever."""
    order, because = await ready(counter), f"甲某（{NUMBER}）的页码有误"
    await printed(counter, order)
    write, serial = counter.hub.database.write, order.asked.serial
    await write(lambda connection: issuance.spoil(connection, LIN, "A000001", because, counter.now_ms))
    await write(lambda connection: issuance.revoke(connection, LIN, serial, because, counter.now_ms))
    lines = await counter.hub.database.read(lambda connection: audit.listed(connection, limit=100))
    spoilt = await counter.hub.database.read(sheets.spoiled)

    masked = "甲某（330523********0015）的页码有误"
    assert ((await counter.certificate(serial)).because, spoilt[0].because) == (masked, masked)
    assert [line for line in lines if "甲某" in line.detail] == []


async def test_an_endless_reason_is_refused(counter: Window) -> None:
    order = await ready(counter)
    await printed(counter, order)
    serial, now_ms = order.asked.serial, counter.now_ms

    with pytest.raises(BadValue, match="too long"):
        await counter.hub.database.write(lambda c: issuance.revoke(c, LIN, serial, "x" * 501, now_ms))
    with pytest.raises(BadValue, match="too long"):
        await counter.hub.database.write(lambda c: issuance.spoil(c, LIN, "A000001", "x" * 501, now_ms))


async def test_a_certificate_of_no_request_on_the_register_is_printed_all_the_same(tmp_path: Path) -> None:
    """A register that was put back from a backup may know the order and not the request."""
    async with window(tmp_path) as made:
        await made.hub.database.write(lambda c: sheets.receive(c, "A000001", "A000100", CLERK, made.now_ms))
        order = await ready(made)
        await printed(made, order)

        assert await made.hub.database.read(lambda connection: sheets.balance(connection).printed) > 0
