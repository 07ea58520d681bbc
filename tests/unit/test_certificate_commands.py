"""What a keeper and a clerk type: the commands as they are started, on the files of a holder and a hub."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from hub.__main__ import main as hub_main
from hub.window import certificates
from hub.window.certificates import NothingFound, Printing
from hub.window.copy_orders import CopyOrder, CopyState
from node.__main__ import main as node_main
from protocol.certificates import CertificateContents, SearchedPlace, decode_statement, qr_text
from protocol.copies import Product
from replication.county_key import write_county_key
from tests.certifying import CLERK, COUNTY, REQUEST, Window, window

HUB_TOML = f'county = "{COUNTY}"\nname = "某县档案馆"\n'
NODE_TOML = 'site = "330523108204"\nname = "某村档案室"\n[hub]\nurls = ["tls://127.0.0.1:4222"]\n'


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Window]:
    monkeypatch.setenv("DANGLIAN_LANG", "en")
    async with window(tmp_path) as made:
        made.home.settings.write_text(HUB_TOML, encoding="utf-8")
        made.home.hub_seed.parent.mkdir()
        made.home.hub_seed.write_bytes(made.county_seed)
        write_county_key(made.home.county_key, b"k" * 32)
        (tmp_path / "node" / "node.toml").write_text(NODE_TOML, encoding="utf-8")
        (tmp_path / "node" / "keys").mkdir()
        (tmp_path / "node" / "keys" / "node.nk").write_bytes(made.node_seed)
        yield made


async def hub(desk: Window, *arguments: str) -> int:
    return await asyncio.to_thread(hub_main, [*arguments, "--home", str(desk.home.root)])


async def node(desk: Window, *arguments: str) -> int:
    return await asyncio.to_thread(node_main, ["requests", *arguments, "--home", str(desk.root / "node")])


async def issued(desk: Window) -> CopyOrder:
    order = await desk.ask()
    await desk.post()
    await desk.approve(order)
    order = await desk.made(order)
    assert order.state is CopyState.SIGNED
    assert await hub(desk, "certificate", "receive", "A000001", "A000100") == 0
    out = str(desk.root / "print.pdf")
    assert await hub(desk, "certificate", "issue", order.asked.serial, "--sheet", "A000001", "--out", out) == 0
    return order


async def test_a_keeper_lists_shows_and_approves(desk: Window, capsys: pytest.CaptureFixture[str]) -> None:
    assert await node(desk) == 0
    assert "Nothing waits" in capsys.readouterr().out
    order = await desk.ask()
    await desk.post()
    name = str(order.copy_id)[:8]
    assert await node(desk) == 0
    assert desk.record.ref_code in capsys.readouterr().out
    assert await node(desk, "show", name) == 0
    shown = capsys.readouterr().out
    assert "安矛调〔2026〕17号" in shown
    assert f"{desk.record.ref_code}/0001.jpg" in shown

    assert await node(desk, "approve", name) == 0
    assert (await desk.made(order)).state is CopyState.SIGNED


async def test_a_keeper_is_told_of_pages_that_lack_and_must_say_that_he_looked(
    desk: Window, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.put_pages((desk.record.page_count or 0) + 2)
    order = await desk.ask()
    await desk.post()
    name = str(order.copy_id)[:8]

    assert await node(desk, "approve", name) == 2
    assert "are scanned: check" in capsys.readouterr().err
    assert await node(desk, "approve", name, "--despite-remarks") == 0


async def test_a_keeper_answers_the_facts_or_refuses_in_words(desk: Window, capsys: pytest.CaptureFixture[str]) -> None:
    first = await desk.ask(Product.STATEMENT, facts=("承包人",))
    second = await desk.ask(Product.STATEMENT, facts=("承包期限",))
    await desk.post()
    one, two = str(first.copy_id)[:8], str(second.copy_id)[:8]
    assert await node(desk, "approve", one) == 2
    assert "each needs an answer" in capsys.readouterr().err
    assert await node(desk, "approve", one, "--fact", "1=某户@2", "--source", "合同正本") == 0
    assert await node(desk, "refuse", two) == 2
    assert await node(desk, "refuse", two, "--reason", "restricted") == 0
    await desk.post()

    assert (await desk.found(first)).state is CopyState.APPROVED
    assert (await desk.found(second)).state is CopyState.REFUSED


async def test_verify_says_what_it_found_by_its_exit_code(desk: Window, capsys: pytest.CaptureFixture[str]) -> None:
    order = await issued(desk)
    one = await desk.certificate(order.asked.serial)
    out, keys = desk.root / "print.pdf", desk.root / "keys.json"
    code = qr_text(one.statement, one.signature)
    assert await hub(desk, "certificate", "verify", str(out)) == 0
    assert await hub(desk, "certificate", "verify", "--qr", code) == 0
    assert await hub(desk, "certificate", "keys", "--out", str(keys)) == 0
    altered = bytearray(out.read_bytes())
    altered[len(altered) // 2] ^= 1
    (desk.root / "altered.pdf").write_bytes(altered)
    (desk.root / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    assert await hub(desk, "certificate", "verify", str(desk.root / "altered.pdf")) == 3
    assert await hub(desk, "certificate", "verify", str(desk.root / "broken.pdf")) == 1
    assert "no whole PDF" in capsys.readouterr().err
    assert await hub(desk, "certificate", "verify", "--qr", "DL1.x.y") == 5
    assert await hub(desk, "certificate", "revoke", one.serial, "--because", "页码有误") == 0
    assert await hub(desk, "certificate", "verify", "--qr", code) == 4

    # Who has the list of before knows nothing of the revocation, and is told how old the list is.
    assert await hub(desk, "certificate", "verify", str(out), "--keys", str(keys)) == 0
    assert "by the county's key list of" in capsys.readouterr().out
    keys.write_bytes(keys.read_bytes().replace("某县".encode(), "别县".encode()))
    assert await hub(desk, "certificate", "verify", str(out), "--keys", str(keys)) == 1
    assert "the key list's signature does not fit" in capsys.readouterr().err


async def test_spoiled_sheets_are_entered_and_everything_balances(
    desk: Window, capsys: pytest.CaptureFixture[str]
) -> None:
    order = await issued(desk)
    pages = desk.record.page_count or 0
    assert await hub(desk, "certificate", "spoil", "A000001", "--because", "打印机缺纸") == 0
    assert f"print page 1 of {order.asked.serial} again" in capsys.readouterr().out
    again = ("--sheet", f"A{pages + 1:06}", "--out", str(desk.root / "again.pdf"))
    assert await hub(desk, "certificate", "issue", order.asked.serial, *again) == 0
    assert (desk.root / "again.pdf").read_bytes() == (desk.root / "print.pdf").read_bytes()
    capsys.readouterr()
    assert await hub(desk, "certificate", "balance", "--json") == 0
    told = msgspec.json.decode(capsys.readouterr().out)

    assert (told["received"], told["printed"], told["spoiled"], told["left"]) == (100, pages, 1, 99 - pages)
    assert told["skipped"] == []


async def test_the_register_shows_every_serial_and_the_page_is_written(
    desk: Window, capsys: pytest.CaptureFixture[str]
) -> None:
    order = await desk.ask()
    capsys.readouterr()
    assert await hub(desk, "certificate", "list", "--json") == 0
    (line,) = msgspec.json.decode(capsys.readouterr().out)
    assert (line["serial"], line["fate"]) == (order.asked.serial, "taken")
    assert await hub(desk, "certificate", "page", "--out", str(desk.root / "verify.html")) == 0
    page = (desk.root / "verify.html").read_text(encoding="utf-8")
    assert "/*" not in page.split("<script>")[1].split("const encoder")[0]
    assert "某县档案馆" in page


async def test_where_nothing_was_found_the_county_says_where_it_looked(desk: Window) -> None:
    """The one certificate without a holder; it names every site that was asked, and those that were not there."""
    places = (
        SearchedPlace(site="330523108204", name="某村档案室", outcome="查无", covered="全部", as_of="2026-11-22"),
        SearchedPlace(site="330523108205", name="邻村档案室", outcome="离线，未答复", lacks="1958年以前未编目"),
    )
    nothing = NothingFound(request_id=REQUEST, contents=CertificateContents(question="移民名册", places=places))
    signed = await desk.hub.database.write(
        lambda c: certificates.say_nothing_found(c, nothing, COUNTY, desk.county_key, CLERK, desk.now_ms)
    )
    await desk.work()
    serial = decode_statement(signed.statement).serial
    await hub(desk, "certificate", "receive", "1", "9")
    await desk.hub.database.write(
        lambda c: certificates.issue(c, serial, Printing(first_sheet="1"), CLERK, desk.now_ms)
    )
    (desk.root / "nothing.pdf").write_bytes(await desk.pdf(serial))

    assert await hub(desk, "certificate", "verify", str(desk.root / "nothing.pdf")) == 0
