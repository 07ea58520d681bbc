"""Items and their volumes in the import: linked, followed, and let go, with one event for each that changes."""

import errno
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from node import lookups, withdrawals
from node.brake import Decision, decide
from node.ingest import Outcome
from node.linking import LINKED_AT_ONCE, due
from protocol.codec import decode_record
from protocol.events import Described, Withdrawn
from protocol.records import Record
from replication import outbox
from tests.node_site import NodeSite, node_site, write_csv
from tests.workbooks import write_xlsx

VOLUMES = ("档号", "案卷题名", "起止日期", "保管期限", "密级")
ITEMS = ("档号", "题名", "责任者", "日期", "密级")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[NodeSite]:
    async with node_site(tmp_path / "home") as opened:
        yield opened


def volume(number: int, title: str = "", secrecy: str = "") -> list[str]:
    return [f"001-2-{number}", title or f"山林承包卷第{number}册", "1986", "永久", secrecy]


def item(number: int, count: int, title: str = "", secrecy: str = "") -> list[str]:
    return [f"001-2-{number}-{count:03d}", title or f"第{number}册第{count}件", "村委会", "19860305", secrecy]


async def take_volumes(site: NodeSite, *rows: list[str]) -> None:
    write_csv(site.folder / "案卷目录.csv", rows, VOLUMES)
    await site.take("案卷目录.csv")


async def take_items(site: NodeSite, *rows: list[str]) -> None:
    write_csv(site.folder / "卷内目录.csv", rows, ITEMS)
    await site.take("卷内目录.csv")


async def links(site: NodeSite) -> dict[str, str]:
    """Return the title of the volume of every listed record that lies in one, by its own title."""
    records = await site.records()
    titles = {record.record_id: title for title, record in records.items()}
    return {
        title: titles.get(record.parent_id, "nowhere")
        for title, record in records.items()
        if record.parent_id is not None
    }


async def seq(site: NodeSite) -> int:
    here = await site.database.read(outbox.head)
    assert here is not None
    return here.seq


async def told_since(site: NodeSite, position: int) -> list[Record]:
    return [
        decode_record(event.record)
        for event in await site.events()
        if event.seq > position and isinstance(event, Described)
    ]


async def test_items_are_linked_in_their_first_version_where_the_volume_is_known(site: NodeSite) -> None:
    await take_volumes(site, volume(15), volume(16))
    await take_items(site, item(15, 1), item(15, 2), item(16, 1), item(17, 1))
    assert await links(site) == {
        "第15册第1件": "山林承包卷第15册",
        "第15册第2件": "山林承包卷第15册",
        "第16册第1件": "山林承包卷第16册",
    }
    assert await seq(site) == 6
    assert {record.version for record in (await site.records()).values()} == {1}


async def test_items_that_came_before_their_volume_are_told_again_once(site: NodeSite) -> None:
    await take_items(site, item(15, 1), item(15, 2), item(16, 1))
    before = await seq(site)
    await take_volumes(site, volume(15))
    again = await told_since(site, before + 1)
    assert [(record.title, record.version, record.reason) for record in again] == [
        ("第15册第1件", 2, "linked"),
        ("第15册第2件", 2, "linked"),
    ]
    assert all(record.previous_digest for record in again)
    assert await links(site) == dict.fromkeys(("第15册第1件", "第15册第2件"), "山林承包卷第15册")


@pytest.mark.parametrize("order", [("案卷目录", "卷内文件目录"), ("卷内文件目录", "案卷目录")])
async def test_both_lists_of_one_workbook_are_linked_at_once(site: NodeSite, order: Sequence[str]) -> None:
    sheets = {
        "案卷目录": [VOLUMES, volume(15), volume(16)],
        "卷内文件目录": [ITEMS, item(15, 1), item(16, 1), item(16, 2)],
    }
    write_xlsx(site.folder / "目录.xlsx", {name: sheets[name] for name in order})
    await site.take("目录.xlsx")
    assert await links(site) == {
        "第15册第1件": "山林承包卷第15册",
        "第16册第1件": "山林承包卷第16册",
        "第16册第2件": "山林承包卷第16册",
    }
    assert await seq(site) == 5


async def test_reading_again_changes_nothing(site: NodeSite) -> None:
    await take_items(site, item(15, 1), item(15, 2))
    await take_volumes(site, volume(15))
    before = await seq(site)
    await take_items(site, item(15, 2), item(15, 1))
    write_csv(site.folder / "案卷目录.csv", [[*volume(15), "架上"]], (*VOLUMES, "存放位置"))
    taken = await site.take("案卷目录.csv")
    assert (taken.outcome, taken.tally.changed, taken.tally.moved) == (Outcome.TAKEN, 0, 1)
    write_csv(site.folder / "卷内目录.csv", [[*item(15, 1), "甲"], [*item(15, 2), "乙"]], (*ITEMS, "排架"))
    await site.take("卷内目录.csv")
    assert await seq(site) == before


async def test_corrected_item_keeps_its_volume(site: NodeSite) -> None:
    await take_volumes(site, volume(15))
    await take_items(site, item(15, 1))
    before = await seq(site)
    await take_items(site, item(15, 1, "更正后的题名"))
    (record,) = await told_since(site, before)
    assert record.reason == "corrected"
    assert await links(site) == {"更正后的题名": "山林承包卷第15册"}


async def test_item_that_moves_to_another_volume_goes_with_its_code(site: NodeSite) -> None:
    await take_volumes(site, volume(15), volume(16))
    await take_items(site, item(15, 1, "合同"))
    await take_items(site, item(16, 1, "合同"))
    assert await links(site) == {"合同": "山林承包卷第16册"}
    write_csv(site.folder / "卷内目录.csv", [["001-WS·2011·Y-0001", *item(16, 1, "合同")[1:]]], ITEMS)
    await site.take("卷内目录.csv")
    assert await links(site) == {}


async def test_withdrawn_volume_lets_its_items_go_and_takes_them_back(site: NodeSite) -> None:
    """The items stand as before; only what they point to must be in the catalogue."""
    await take_volumes(site, volume(15), volume(16))
    await take_items(site, item(15, 1), item(16, 1))
    before = await seq(site)
    await take_volumes(site, volume(16))
    events = [event for event in await site.events() if event.seq > before]
    assert [type(event) for event in events] == [Withdrawn, Described]
    assert [record.reason for record in await told_since(site, before)] == ["unlinked"]
    assert await links(site) == {"第16册第1件": "山林承包卷第16册"}
    await take_volumes(site, volume(15), volume(16))
    assert await links(site) == {"第15册第1件": "山林承包卷第15册", "第16册第1件": "山林承包卷第16册"}


async def test_a_list_of_volumes_that_becomes_a_list_of_their_items_keeps_the_volumes(site: NodeSite) -> None:
    """卷转件: the firm re-describes the volumes in the same file; their entries stay, and the items lie in them."""
    write_csv(site.folder / "目录.csv", [volume(number) for number in range(1, 81)], VOLUMES)
    await site.take("目录.csv")
    rows = [item(number, count) for number in range(1, 81) for count in (1, 2)]
    write_csv(site.folder / "目录.csv", rows, ITEMS)
    await site.take("目录.csv")

    assert await site.held() == []
    assert await site.standings() == {"listed": 240}
    assert (await links(site))["第7册第2件"] == "山林承包卷第7册"
    assert (await site.take("目录.csv")).outcome is Outcome.UNCHANGED


async def test_held_volume_keeps_its_items_until_somebody_releases_it(site: NodeSite) -> None:
    await take_volumes(site, *(volume(number) for number in range(1, 101)))
    await take_items(site, item(60, 1), item(3, 1))
    before = await seq(site)
    await take_volumes(site, *(volume(number) for number in range(1, 41)))
    (change,) = await site.held()
    assert await seq(site) == before
    assert len(await links(site)) == 2
    deciding = partial(decide, brake_id=change.brake_id, decision=Decision.RELEASE, now_ms=site.clock.ms())
    await site.database.write(deciding)
    await site.settle()
    assert await links(site) == {"第3册第1件": "山林承包卷第3册"}
    assert await seq(site) == before + 61


async def test_renumbered_volume_is_found_by_its_new_code_only(site: NodeSite) -> None:
    """Which list is right, nobody knows until both say the same: the code that no volume has links to none."""
    await take_volumes(site, volume(15, "旧账"))
    await take_items(site, item(15, 1, "收据"))
    await take_volumes(site, volume(18, "旧账"))
    assert await links(site) == {}
    before = await seq(site)
    await take_items(site, item(18, 1, "收据"))
    (record,) = await told_since(site, before)
    assert (record.reason, record.version) == ("renumbered", 3)
    assert await links(site) == {"收据": "旧账"}


async def test_lists_renumbered_together_keep_their_links_without_an_event_more(site: NodeSite) -> None:
    """One volume put in at the top moves all below it; every item goes with its own volume."""

    def book(shift: int) -> dict[str, list[Sequence[str]]]:
        extra = [volume(1, "新立的卷")] if shift else []
        return {
            "卷内文件目录": [ITEMS, *(item(number + shift, 1, f"第{number}件") for number in (1, 2, 3))],
            "案卷目录": [VOLUMES, *extra, *(volume(number + shift, f"第{number}卷") for number in (1, 2, 3))],
        }

    write_xlsx(site.folder / "目录.xlsx", book(0))
    await site.take("目录.xlsx")
    expected = {f"第{number}件": f"第{number}卷" for number in (1, 2, 3)}
    assert (await links(site), await seq(site)) == (expected, 6)
    write_xlsx(site.folder / "目录.xlsx", book(1))
    taken = await site.take("目录.xlsx")
    assert (taken.tally.renumbered, taken.tally.new) == (6, 1)
    assert (await links(site), await seq(site)) == (expected, 13)


async def test_secret_volume_is_never_pointed_to(site: NodeSite) -> None:
    """Its id never travels, not even inside of a record that does (promise 8)."""
    await take_volumes(site, volume(15, secrecy="机密"), volume(16))
    await take_items(site, item(15, 1), item(16, 1))
    assert await links(site) == {"第16册第1件": "山林承包卷第16册"}
    await take_volumes(site, volume(15, secrecy="机密"), volume(16, secrecy="秘密"))
    assert await links(site) == {}
    await take_volumes(site, volume(15), volume(16, secrecy="秘密"))
    assert await links(site) == {"第15册第1件": "山林承包卷第15册"}
    secret = {row for (row,) in await site.database.fetch("SELECT record_id FROM record WHERE standing = 'withheld'")}
    assert len(secret) == 1
    assert not any(record.parent_id and record.parent_id.bytes in secret for record in (await site.records()).values())


async def test_secret_item_is_linked_without_a_word(site: NodeSite) -> None:
    await take_items(site, item(15, 1, secrecy="机密"))
    await take_volumes(site, volume(15))
    assert await seq(site) == 1
    (body,) = (await site.database.fetch("SELECT body FROM record WHERE standing = 'withheld'"))[0]
    assert isinstance(body, bytes)
    assert decode_record(body).parent_id == (await site.records())["山林承包卷第15册"].record_id


async def test_two_volumes_of_one_code_have_no_items(site: NodeSite) -> None:
    await take_volumes(site, volume(15))
    await take_items(site, item(15, 1))
    write_csv(site.folder / "另一本案卷目录.csv", [volume(15, "另一册")], VOLUMES)
    await site.take("另一本案卷目录.csv")
    assert await links(site) == {}
    write_csv(site.folder / "另一本案卷目录.csv", [volume(17, "另一册")], VOLUMES)
    await site.take("另一本案卷目录.csv")
    assert await links(site) == {"第15册第1件": "山林承包卷第15册"}


async def test_the_same_code_of_another_fonds_is_another_volume(site: NodeSite) -> None:
    header = ("全宗号", "目录号", "案卷号", "案卷题名", "日期")
    volumes = [["001", "2", "15", "甲卷", "1986"], ["002", "2", "15", "乙卷", "1986"]]
    write_csv(site.folder / "案卷目录.csv", volumes, header)
    columns = ("全宗号", "目录号", "案卷号", "件号", "题名", "日期")
    table = [["001", "2", "15", "1", "甲件", "1986"], ["002", "2", "15", "1", "乙件", "1986"]]
    write_csv(site.folder / "卷内目录.csv", [*table, ["003", "2", "15", "1", "丙件", "1986"]], columns)
    await site.take("卷内目录.csv")
    await site.take("案卷目录.csv")
    assert await links(site) == {"甲件": "甲卷", "乙件": "乙卷"}


async def test_printed_list_of_what_lies_in_a_volume_states_the_volume_once(site: NodeSite) -> None:
    """顺序号 is no item number that a code could be made of, and the volume's code is none for its items."""
    await take_volumes(site, volume(15))
    header = ("顺序号", "文号", "责任者", "题名", "日期", "页号", "备注")
    lines = [["全宗号：001  目录号：2  案卷号：15", *[""] * 6], header]
    lines += [[str(number), "", "村委会", f"第{number}件", "1986", f"{number}-{number}", ""] for number in (1, 2, 3)]
    write_xlsx(site.folder / "15.xlsx", {"卷内文件目录": lines})
    taken = await site.take("15.xlsx")
    assert (taken.tally.new, taken.rejected) == (3, 0)
    assert await links(site) == {f"第{number}件": "山林承包卷第15册" for number in (1, 2, 3)}
    assert {record.ref_code for record in (await site.records()).values()} == {"", "001-2-15"}


async def test_file_killed_before_its_links_were_made_makes_them_at_the_next_start(
    site: NodeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take_items(site, item(15, 1))

    async def killed() -> None:
        raise OSError(errno.EIO, "killed")

    monkeypatch.setattr(site.importer.linking, "settle", killed)
    write_csv(site.folder / "案卷目录.csv", [volume(15)], VOLUMES)
    with pytest.raises(OSError, match="killed"):
        await site.take("案卷目录.csv")
    monkeypatch.undo()
    assert await site.database.read(due) == [("001", "001-2-15")]
    await site.intake.begin()
    assert await links(site) == {"第15册第1件": "山林承包卷第15册"}
    assert await site.database.read(due) == []


async def test_records_stored_by_a_version_that_knew_no_links_are_linked_at_the_start(site: NodeSite) -> None:
    await take_items(site, item(15, 1), item(16, 1))
    await take_volumes(site, volume(15))

    def forget(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE record SET volume_code = ''")
        connection.exec_driver_sql("UPDATE record SET body = CAST(replace(body, 'parent_id', 'was_in') AS BLOB)")
        connection.exec_driver_sql("DELETE FROM fact WHERE name = 'volume_names'")

    await site.database.write(forget)
    assert await links(site) == {}
    before = await seq(site)
    await site.intake.begin()
    assert await links(site) == {"第15册第1件": "山林承包卷第15册"}
    assert await seq(site) == before + 1
    await site.intake.begin()
    assert await seq(site) == before + 1


async def test_large_volume_is_linked_in_bounded_transactions(site: NodeSite) -> None:
    count = LINKED_AT_ONCE + 5
    await take_items(site, *(item(15, number) for number in range(1, count + 1)))
    woken = site.woken
    await take_volumes(site, volume(15))
    assert site.woken >= woken + 3
    assert len(await links(site)) == count
    assert await seq(site) == 2 * count + 1


async def test_withdrawing_records_notes_the_volumes_among_them(site: NodeSite) -> None:
    await take_volumes(site, volume(15))
    await take_items(site, item(15, 1))

    def withdraw(connection: Connection) -> None:
        docids = [docid for (docid,) in connection.exec_driver_sql("SELECT docid FROM record")]
        withdrawals.withdraw(connection, site.writer, lookups.records_by_docid(connection, docids))

    await site.database.write(withdraw)
    assert await site.database.read(due) == [("001", "001-2-15")]
    await site.importer.linking.settle()
    assert [type(event) for event in (await site.events())[2:]] == [Withdrawn, Withdrawn]
