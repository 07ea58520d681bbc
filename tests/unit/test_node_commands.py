"""The commands of a site's keeper: check, status, search, brake."""

import asyncio
import json
from pathlib import Path

import msgspec
import openpyxl
import pytest

from node import __main__ as program
from node.commands import status as status_command
from node.commands.check import checked
from node.commands.standing import Status, read_status
from node.config import FolderSettings, load
from node.home import NodeHome, home_at
from node.ingest import Outcome
from node.reading import FileReport, context_of
from replication import command_line
from tests.node_site import HEADER, node_site, rows, write_csv

SETTINGS = """\
site = "330523108204"
name = "某村档案室"
[hub]
urls = ["tls://127.0.0.1:4222"]
"""


@pytest.fixture
def home(tmp_path: Path) -> NodeHome:
    made = home_at(tmp_path / "home")
    made.catalogues.mkdir(parents=True)
    made.settings.write_text(SETTINGS, encoding="utf-8")
    return made


async def filled(home: NodeHome) -> None:
    """Take a file with 100 rows, then half of it, so that the brake holds."""
    async with node_site(home.root) as site:
        table = rows(120)
        table[3][1] = ""
        table[9][7] = "机密"
        write_csv(site.folder / "a.csv", table)
        assert (await site.take("a.csv")).outcome is Outcome.TAKEN
        write_csv(site.folder / "a.csv", table[:40])
        await site.take("a.csv")
        (site.folder / "b.xlsx").write_bytes(b"PK\x03\x04 half")
        await site.take("b.xlsx")


@pytest.fixture
async def filled_home(home: NodeHome) -> NodeHome:
    await filled(home)
    return home


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chinese, no home of the machine's, and logs that outlive the output that pytest captures for one test."""
    monkeypatch.setenv("DANGLIAN_LANG", "zh")
    monkeypatch.delenv("DANGLIAN_HOME", raising=False)
    monkeypatch.setattr(command_line, "configure_logs", lambda **_settings: None)


def run(home: NodeHome, *arguments: str) -> int:
    command, *rest = arguments
    return program.main([command, "--home", str(home.root), *rest])


def test_check_reports_and_changes_nothing(home: NodeHome, capsys: pytest.CaptureFixture[str]) -> None:
    table = rows(10)
    del table[4]
    table[6][0] = table[5][0]
    table[7][1] = ""
    table[2][4] = "不知何时"
    path = home.catalogues / "a.csv"
    write_csv(path, table)
    before = sorted(item.name for item in home.root.rglob("*"))
    assert run(home, "check", str(path), "--json") == 1
    (told,) = json.loads(capsys.readouterr().out)
    report = told["report"]
    assert (report["rows_read"], report["accepted"], report["duplicates"]) == (9, 7, 1)
    assert report["rejected"] == {"ref_code_duplicate": 1, "title_missing": 1}
    assert report["warned"]["date_unreadable"] == 1
    assert report["gaps"][0]["first"] == report["gaps"][0]["last"] == 5
    assert ["ref_code", "档号"] in report["sheets"][0]["mapping"]
    assert report["sheets"][0]["encoding"].startswith("UTF-8")
    assert report["digest"]
    assert sorted(item.name for item in home.root.rglob("*")) == before


def test_check_speaks_both_languages(
    home: NodeHome, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(home.catalogues / "a.csv", [["A-1", "", "县政府", "", "", "", "", "", ""], *rows(3)])
    assert run(home, "check") == 1
    out = capsys.readouterr().out
    assert "读取 4 行" in out
    assert "缺少题名" in out
    monkeypatch.setenv("DANGLIAN_LANG", "en")
    assert run(home, "check") == 1
    out = capsys.readouterr().out
    assert "rows read" in out
    assert "The title is missing." in out


def test_check_tells_columns_as_the_standards_call_them(
    home: NodeHome, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who keeps a village's papers knows 题名, not the word of the program."""
    header = ("档案号", "文件标题", "作者", "文号", "日期", "保管年限", "页数", "密级", "开放标识")
    write_csv(home.catalogues / "a.csv", rows(3), header)
    run(home, "check")
    out = capsys.readouterr().out
    monkeypatch.setenv("DANGLIAN_LANG", "en")
    run(home, "check")

    assert ("档案号 → 档号，文件标题 → 题名，作者 → 责任者" in out, "ref_code" in out) == (True, False)
    assert "档案号 → ref_code" in capsys.readouterr().out


def test_check_of_a_good_file_finds_no_problem(home: NodeHome, capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(home.catalogues / "a.csv", rows(3))
    assert run(home, "check", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["report"]["accepted"] == 3


def test_check_works_without_a_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(tmp_path / "a.csv", rows(3), HEADER)
    assert run(home_at(tmp_path / "none"), "check", str(tmp_path / "a.csv")) == 0
    assert "接收 3" in capsys.readouterr().out


def test_check_names_a_file_that_cannot_be_read(home: NodeHome, capsys: pytest.CaptureFixture[str]) -> None:
    (home.catalogues / "a.xlsx").write_bytes(b"PK\x03\x04 half a workbook")
    assert run(home, "check", "--json") == 1
    (told,) = json.loads(capsys.readouterr().out)
    assert told["refused"]["zh"]
    assert told["remedy"]["en"]
    assert run(home, "check", str(home.catalogues / "none.xlsx")) == 1


def test_check_without_files_and_home_names_the_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home_at(tmp_path), "check") == 2
    assert "init" in capsys.readouterr().err


async def test_status_tells_what_was_taken_and_what_was_not(filled_home: NodeHome) -> None:
    config = load(filled_home.settings)
    status = await read_status(filled_home, config, with_rejects=True)
    assert (status.records, status.withheld, status.seq) == (118, 1, 118)
    taken, refused = status.files
    assert (taken.path, taken.accepted, taken.rejected) == ("a.csv", 39, 1)
    assert taken.rejected_for == {"title_missing": 1}
    assert [(row.line, row.field) for row in taken.rejects] == [(5, "title")]
    assert refused.reason is not None
    assert refused.remedy is not None
    assert [change.row_count for change in status.brakes] == [80]
    assert status.is_troubled


def test_status_before_the_first_run_is_empty(home: NodeHome, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["records"] == 0


def test_status_and_search_of_a_database_that_is_just_being_made_say_there_is_nothing_yet(
    home: NodeHome, capsys: pytest.CaptureFixture[str]
) -> None:
    """The daemon has made its file, and its schema comes with the first transaction."""
    home.database.touch()

    assert program.main(["status", "--home", str(home.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["site"] == "330523108204"
    assert program.main(["search", "林权", "--home", str(home.root)]) != 0
    assert "还没有数据" in capsys.readouterr().err


async def test_status_of_a_database_in_use_can_be_read(home: NodeHome) -> None:
    async with node_site(home.root) as site:
        write_csv(site.folder / "a.csv", rows(3))
        await site.take("a.csv")
        status = await read_status(home, load(home.settings))
        assert status.records == 3


class TestBeside:
    """Commands run their own event loop, as in another process."""

    @pytest.fixture
    def ready(self, home: NodeHome) -> NodeHome:
        asyncio.run(filled(home))
        return home

    def test_status_prints_in_both_languages(self, ready: NodeHome, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(ready, "status", "--rejects") == 1
        out = capsys.readouterr().out
        assert "某村档案室" in out
        assert "缺少题名" in out
        assert "danglian-node brake release" in out

    def test_search_finds_withheld_records_and_says_so(
        self, ready: NodeHome, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(ready, "search", "第10号林地") == 0
        assert "不上报" in capsys.readouterr().out
        assert run(ready, "search", "第11号林地", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["total"], told["hits"][0]["matches"]) == (
            1,
            [{"field": "title", "how": "literal", "word": "第11号林地"}],
        )
        assert run(ready, "search", "林地", "--from", "2011-13-01") == 2
        assert run(ready, "search", "！") == 2

    def test_brake_lists_releases_and_rejects(self, ready: NodeHome, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(ready, "brake", "--json") == 0
        (change,) = json.loads(capsys.readouterr().out)
        assert run(ready, "brake", "list") == 0
        assert "80" in capsys.readouterr().out
        assert run(ready, "brake", "release") == 2
        assert run(ready, "brake", "release", "77") == 2
        assert run(ready, "brake", "release", str(change["brake_id"])) == 0
        assert "将撤下 80" in capsys.readouterr().out
        assert run(ready, "brake", "reject", str(change["brake_id"])) == 0
        assert "已保留" in capsys.readouterr().out
        assert run(ready, "brake", "list") == 0
        assert "没有被拦下的变更" in capsys.readouterr().out


def test_search_without_a_database_says_what_to_do(home: NodeHome, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "search", "林地") == 2
    assert "danglian-node run" in capsys.readouterr().err


def test_report_struct_reads_back(home: NodeHome) -> None:
    """The report is stored as JSON and shown years later."""
    write_csv(home.catalogues / "a.csv", rows(3))
    plain = FolderSettings()
    report = checked(home.catalogues / "a.csv", plain, context_of("330523108204", plain, b"")).report
    assert msgspec.json.decode(msgspec.json.encode(report), type=FileReport) == report


async def test_status_tells_which_rows_and_sheets_were_left_out(home: NodeHome) -> None:
    """A keeper who counts 5 lines in Excel and finds 3 records must see where the others went."""
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "目录"
    table = [*rows(3), ["合计", "", "", "", "", "", "3", "", ""]]
    for row in (list(HEADER), *table):
        sheet.append(row)
    sheet.cell(row=len(table) + 700, column=2, value="很远的一行")
    workbook.create_sheet("说明").append(["本表由某公司整理"])
    async with node_site(home.root) as site:
        workbook.save(site.folder / "a.xlsx")
        await site.take("a.xlsx")

    (taken,) = (await read_status(home, load(home.settings))).files
    (read, *_) = taken.sheets

    assert (taken.accepted, read.name, read.skipped, read.unread) == (3, "目录", 1, 1)
    assert [one.name for one in taken.sheets if one.reason is not None] == ["说明"]
    lines = "\n".join(status_command._lines(Status(site="s", name="n", files=(taken,))))
    assert "表“目录”跳过 1 行" in lines
    assert "表“目录”未读 1 行" in lines
    assert "未读的表“说明”：" in lines
