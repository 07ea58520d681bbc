"""What a node says of its files: names and counts, never what stood in a row."""

from pathlib import Path

import msgspec
import pytest

from node.file_answers import LINES_BYTES_MAX, answered, files_handler
from protocol.calls import AskFiles, FileLines, Outcome
from protocol.limits import FILE_LINES_MAX, FILE_NAME_CHARS_MAX
from tests.node_site import NodeSite, node_site, rows, write_csv


async def said(site: NodeSite, skip: int = 0) -> FileLines:
    question = AskFiles(asker="hub", question="q", skip=skip)
    return await site.database.read(lambda connection: answered(connection, question))


async def test_what_was_taken_and_rejected_is_told_with_reasons(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        table = rows(6)
        table[1][1] = ""
        table[2][4] = ""
        table[4][0] = table[3][0]
        write_csv(site.folder / "甲.csv", table)
        (site.folder / "乙.xlsx").write_bytes(b"no workbook")
        await site.settle()
        told = await said(site)
        outcome, *_ = await files_handler(site.database)(AskFiles(asker="hub", question="q"))

    by_name = {one.name: one for one in told.lines}
    taken, refused = by_name["甲.csv"], by_name["乙.xlsx"]
    counted = {one.code: one.rows for one in told.findings}
    assert (outcome, told.total, told.refused) == (Outcome.ANSWERED, 2, 1)
    assert (taken.state, taken.accepted, taken.rejected) == ("taken", 4, 2)
    assert (counted["title_missing"], counted["ref_code_duplicate"], counted["date_missing"]) == (1, 1, 1)
    assert (refused.state, refused.reason is not None, refused.hint is not None) == ("refused", True, True)


async def test_nothing_of_a_row_travels(tmp_path: Path) -> None:
    """What stood there may be personal; it stays at the site."""
    async with node_site(tmp_path) as site:
        table = rows(3)
        table[0][1], table[1][4] = "", "某年某月某日林敏"
        write_csv(site.folder / "甲.csv", table)
        await site.settle()
        told = await said(site)

    encoded = msgspec.json.encode(told).decode()
    assert [word for word in ("林敏", "Z109", "承包合同") if word in encoded] == []


async def test_a_site_with_many_files_tells_them_in_parts(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        for number in range(FILE_LINES_MAX + 2):
            write_csv(site.folder / f"{number:03d}.csv", rows(1, number + 1))
        await site.settle()
        first = await said(site)
        rest = await said(site, len(first.lines))

    assert (len(first.lines), first.total, first.accepted) == (FILE_LINES_MAX, FILE_LINES_MAX + 2, FILE_LINES_MAX + 2)
    assert [one.name for one in rest.lines] == ["040.csv", "041.csv"]


@pytest.mark.parametrize("skip", [-5, 10**9])
async def test_a_senseless_place_is_answered(tmp_path: Path, skip: int) -> None:
    async with node_site(tmp_path) as site:
        write_csv(site.folder / "甲.csv", rows(1))
        await site.settle()
        told = await said(site, skip)

    assert (told.total, len(told.lines)) == (1, 1 if skip < 0 else 0)


async def test_an_answer_always_fits_into_a_reply(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        deep = "档" * 80
        for number in range(FILE_LINES_MAX):
            write_csv(site.folder / deep / f"{number:02d}{'案' * 70}.csv", rows(1, number + 1))
        await site.settle()
        told = await said(site)

    assert max(len(one.name) for one in told.lines) == FILE_NAME_CHARS_MAX
    assert sum(len(msgspec.json.encode(one)) for one in told.lines) <= LINES_BYTES_MAX


async def test_a_site_without_files_says_nothing(tmp_path: Path) -> None:
    async with node_site(tmp_path) as site:
        outcome, *_ = await files_handler(site.database)(AskFiles(asker="hub", question="q"))

    assert outcome is Outcome.NOTHING
