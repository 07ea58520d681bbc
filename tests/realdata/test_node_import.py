"""Real sheets through the whole import: everything is taken once, and only what changes travels."""

import shutil
from pathlib import Path

import openpyxl
import pytest

from node.ingest import Outcome
from protocol.events import Described
from replication import outbox
from tests.node_site import NodeSite, node_site

SHEETS = (
    ("02_government_documents/original_xlsx/Chongqing Municipal Government.xlsx", 1_502),
    ("02_government_documents/gov_docs_guangdong.csv", 4_678),
    ("02_government_documents/gov_docs_state_council.csv", None),
    ("13_messy_spreadsheets/anji_villages_2023_GB18030_CRLF.csv", 218),
    ("13_messy_spreadsheets/sub-county-diff_2014-2018.xlsx", None),
)


async def position(site: NodeSite) -> int:
    here = await site.database.read(outbox.head)
    assert here is not None
    return here.seq


@pytest.mark.parametrize(("name", "accepted"), SHEETS)
async def test_real_sheet_is_taken_once(name: str, accepted: int | None, shared_data: Path, tmp_path: Path) -> None:
    async with node_site(tmp_path / "home") as site:
        source = shared_data / name
        shutil.copyfile(source, site.folder / source.name)
        taken = await site.take(source.name)
        assert taken.outcome is Outcome.TAKEN
        assert taken.tally.new > 0
        if accepted is not None:
            assert taken.tally.new == accepted
        described = await position(site)
        assert described == (await site.standings())["listed"]
        rejects = source.name + ".rejected.csv"
        assert (site.folder / rejects).exists() is (taken.rejected > 0)

        # The same rows under another name and in another place are the same records.
        shutil.move(site.folder / source.name, site.folder / f"改名 {source.name}")
        await site.settle()
        await site.settle(20.0)
        assert await position(site) == described
        assert await site.held() == []


async def test_one_corrected_cell_of_a_real_workbook_is_one_event(shared_data: Path, tmp_path: Path) -> None:
    async with node_site(tmp_path / "home") as site:
        path = site.folder / "a.xlsx"
        shutil.copyfile(shared_data / SHEETS[0][0], path)
        await site.take("a.xlsx")
        before = await position(site)
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[0]
        number = [cell.value for cell in sheet[1]].index("doc_number") + 1
        sheet.cell(row=100, column=number).value = "发文字号：渝府发〔2016〕99号"
        book.save(path)
        taken = await site.take("a.xlsx")
        assert (taken.tally.changed, taken.tally.new, taken.vanished.withdrawn) == (1, 0, 0)
        (event,) = [event for event in await site.events() if event.seq > before]
        assert isinstance(event, Described)
