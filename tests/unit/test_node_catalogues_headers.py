"""Finding the header of a sheet and what its columns mean."""

from pathlib import Path

import pytest

from node.catalogues.catalogue_files import open_catalogue, parse_mapping
from node.catalogues.fields import Field, meaning_of
from node.catalogues.refusals import UnreadableFile
from protocol.errors import BadSetting
from protocol.vocabularies import Level
from tests.workbooks import read, write_text, write_xlsx

ITEM_LIST = ("序号", "档号", "文号", "责任者", "题名", "日期", "密级", "页数", "备注")
ITEM_ROW = ("1", "Z109-WS·2011·Y-0001", "某政〔2011〕3号", "某镇政府", "关于林地的批复", "20110305", "", "4", "")


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("题名", Field.TITLE),
        ("文件题名", Field.TITLE),
        (" 题  名 ", Field.TITLE),
        ("题\n名", Field.TITLE),
        ("題名", Field.TITLE),
        ("题名*", Field.TITLE),
        ("题名（必填）", Field.TITLE),
        ("Title", Field.TITLE),
        ("案卷题名", Field.VOLUME_TITLE),
        ("档号", Field.REF_CODE),
        ("檔號", Field.REF_CODE),
        ("Ｄｈ", Field.REF_CODE),
        ("室编档号", Field.OFFICE_CODE),
        ("QZH", Field.FONDS_NO),
        ("MLH", Field.CATALOGUE_NO),
        ("AJH", Field.VOLUME_NO),
        ("YH", Field.PAGE_NO),
        ("BGQX", Field.RETENTION),
        ("MJ", Field.SECRECY),
        ("KFZT", Field.ACCESS_STATUS),
        ("XM", Field.PERSON),
        ("发文字号", Field.DOC_NO),
        ("doc_number", Field.DOC_NO),
        ("control_symbol", Field.DOC_NO),
        ("成文日期", Field.DATE),
        ("日期(YYYYMMDD)", Field.DATE),
        ("issued", Field.DATE),
        ("起止日期", Field.DATE),
        ("identifier", Field.REF_CODE),
        ("机构（问题）", Field.ORG_OR_SUBJECT),
        ("机构或问题", Field.ORG_OR_SUBJECT),
        ("页号", Field.PAGE_NO),
        ("页数", Field.PAGE_COUNT),
        ("男方姓名", Field.PERSON),
        ("女方身份证号码", Field.IDENTITY),
        ("开放标识", Field.ACCESS_STATUS),
        ("民生类别", Field.LIVELIHOOD_KIND),
    ],
)
def test_headers_are_known_by_their_names(header: str, field: Field) -> None:
    meaning = meaning_of(header)
    assert meaning is not None
    assert meaning.field is field


@pytest.mark.parametrize("header", ["", "性别", "{name}", "关于印发文件题名著录规则的通知", "页" * 100])
def test_other_texts_are_no_headers(header: str) -> None:
    assert meaning_of(header) is None


def test_title_lines_above_the_header_are_passed_over(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "a.xlsx", [("某镇归档文件目录",), (), ("2011年度",), ITEM_LIST, ITEM_ROW], merged=["A1:I1"]
    )
    reading = read(path)
    assert (reading.file.sheets[0].header.first_line, reading.titles) == (4, ["关于林地的批复"])


def test_header_of_two_rows_with_merged_cells(tmp_path: Path) -> None:
    rows = [
        ("案卷目录",),
        ("序号", "档号", None, None, "案卷题名", "日期", None, "页数"),
        (None, "全宗号", "目录号", "案卷号", None, "起", "止", None),
        (1, "001", "2", "15", "林权档案", "19860101", "19861231", 30),
    ]
    merged = ["A1:H1", "A2:A3", "B2:D2", "E2:E3", "F2:G2", "H2:H3"]
    reading = read(write_xlsx(tmp_path / "a.xlsx", rows, merged=merged))
    header, (row,) = reading.file.sheets[0].header, reading.records
    assert (header.first_line, header.last_line, header.columns.level) == (2, 3, Level.VOLUME)
    assert (row.record.ref_code, row.record.ref_code_as_given, row.record.volume_no) == ("001-2-15", "", "15")
    assert (row.record.date_edtf, row.record.level) == ("1986-01-01/1986-12-31", Level.VOLUME)


def test_header_of_two_rows_that_lost_its_merged_cells(tmp_path: Path) -> None:
    rows = [
        ("序号", "档号", "", "", "题名", "日期"),
        ("", "全宗号", "目录号", "案卷号", "", ""),
        ("1", "001", "2", "15", "林权档案", "1986"),
    ]
    (row,) = read(write_text(tmp_path / "a.csv", rows)).records
    assert (row.record.title, row.record.fonds_no, row.record.catalogue_no) == ("林权档案", "001", "2")


def test_first_record_is_never_taken_for_a_second_header_row(tmp_path: Path) -> None:
    """The last header seems to span two unnamed columns, and the record below has words there that are also headers."""
    rows = [("档号", "题名", "备注", "", ""), ("001-2-15", "合同", "", "页数", "密级")]
    reading = read(write_text(tmp_path / "a.csv", rows))
    assert reading.file.sheets[0].header.last_line == 1


def test_better_name_wins_and_the_lesser_is_reported(tmp_path: Path) -> None:
    rows = [("title", "doc_number", "published", "issued"), ("甲", "某政〔2011〕3号", "2011-05-01", "2011-03-05")]
    reading = read(write_text(tmp_path / "a.csv", rows))
    assert reading.records[0].record.date_edtf == "2011-03-05"
    assert reading.records[0].raw == (("published", "2011-05-01"),)
    assert [(finding.code, finding.value) for finding in reading.columns.findings] == [("column_unmapped", "published")]


def test_two_columns_of_one_name_are_reported_and_the_first_is_used(tmp_path: Path) -> None:
    reading = read(write_text(tmp_path / "a.csv", [("档号", "题名", "题名"), ("001-2-15", "甲", "乙")]))
    assert reading.titles == ["甲"]
    assert [finding.code for finding in reading.columns.findings] == ["header_ambiguous"]


def test_explicit_mapping_wins_over_names(tmp_path: Path) -> None:
    rows = [("编号甲", "内容提要", "题名"), ("001-2-15", "林地承包合同", "无关")]
    mapping = parse_mapping({"ref_code": "编号甲", "title": "内容提要"})
    reading = read(write_text(tmp_path / "a.csv", rows), mapping=mapping)
    assert reading.columns.mapping == (("ref_code", "编号甲"), ("title", "内容提要"))
    assert reading.titles == ["林地承包合同"]


def test_mapping_to_a_column_that_is_not_there_names_it(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", [ITEM_LIST, ITEM_ROW])
    with pytest.raises(UnreadableFile, match="摘由") as raised:
        read(path, mapping={Field.TITLE: "摘由"})
    assert raised.value.finding == "header_not_found"


def test_mapping_of_a_field_that_does_not_exist_is_a_wrong_setting() -> None:
    with pytest.raises(BadSetting, match="headline") as raised:
        parse_mapping({"headline": "题名"})
    assert "title" in raised.value.hint.en


@pytest.mark.parametrize(
    "rows",
    [
        [("姓名", "年纪"), ("某甲", "20")],
        [("序号", "原料编号", "使用目的", "备注"), ("1", "01502200", "溶剂", "")],
        [("甲", "乙"), ("丙", "丁")],
        [("题名",), ("只有题名",)],
    ],
)
def test_other_tables_are_refused(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    path = write_text(tmp_path / "a.csv", rows)
    with pytest.raises(UnreadableFile) as raised:
        read(path)
    assert raised.value.finding == "header_not_found"


def test_sheets_without_a_header_are_reported_and_the_others_read(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"目录": [ITEM_LIST, ITEM_ROW], "说明": [("填表说明",)], "空": []})
    reading = read(path)
    assert len(reading.records) == 1
    assert [sheet.name for sheet in reading.file.unread] == ["说明"]
    assert [(finding.code, finding.value) for finding in reading.file.findings] == [("sheet_skipped", "说明")]


def test_workbook_of_empty_sheets_is_an_empty_file(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"甲": [], "乙": []})
    with pytest.raises(UnreadableFile) as raised:
        read(path)
    assert raised.value.finding == "file_empty"


def test_values_stated_above_the_header_count_for_every_row(tmp_path: Path) -> None:
    rows = [
        ("卷内文件目录",),
        ("全宗号：001    目录号：2    案卷号：15",),
        ("保管期限：", "长期"),
        ("顺序号", "文号", "责任者", "题名", "日期", "页号"),
        ("1", "", "某村", "林地合同", "1986", "1-5"),
    ]
    (row,) = read(write_text(tmp_path / "a.csv", rows)).records
    record = row.record
    assert (record.fonds_no, record.catalogue_no, record.volume_no, record.page_no) == ("001", "2", "15", "1-5")
    assert record.retention is not None
    assert record.retention.text == "长期"


def test_office_number_is_the_code_where_there_is_no_better(tmp_path: Path) -> None:
    rows = [("室编档号", "题名", "旧档号"), ("001-2-15", "甲", "老3")]
    (row,) = read(write_text(tmp_path / "a.csv", rows)).records
    assert row.record.ref_code == "001-2-15"
    assert [(alias.code, alias.scheme) for alias in row.record.aliases] == [("老3", "former")]


def test_office_number_beside_a_code_is_an_alias(tmp_path: Path) -> None:
    rows = [("档号", "室编档号", "题名"), ("J001-WS·2011·Y-0001", "001-2-15", "甲")]
    (row,) = read(write_text(tmp_path / "a.csv", rows)).records
    assert row.record.ref_code == "J001-WS·2011·Y-0001"
    assert [(alias.code, alias.scheme) for alias in row.record.aliases] == [("001-2-15", "office")]


@pytest.mark.parametrize(
    ("name", "level"), [("案卷目录", Level.VOLUME), ("卷内文件目录", Level.ITEM), ("归档文件目录", Level.ITEM)]
)
def test_name_of_the_sheet_tells_a_list_of_volumes(tmp_path: Path, name: str, level: Level) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {name: [("档号", "题名"), ("001-2-15", "甲")]})
    assert read(path).records[0].record.level is level


def test_mapping_changes_the_fingerprint_and_the_rows_digests(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", [("档号", "题名", "提要甲"), ("001-2-15", "甲", "乙")])
    plain, mapped = read(path), read(path, mapping={Field.SCOPE: "提要甲"})
    assert plain.columns.fingerprint != mapped.columns.fingerprint
    assert mapped.records[0].record.scope == "乙"


def test_a_header_repeated_in_one_row_does_not_swallow_the_records_above_it(tmp_path: Path) -> None:
    """Of two rows that say the same, the upper one is the header: what lies between would be lost as titles."""
    lines = [
        "档号,题名,日期,",
        ",,起,止",
        "A-1,甲,1986,1987",
        "A-2,乙,1988,1989",
        "档号,题名,起始日期,终止日期",
        "A-3,丙,1990,1991",
    ]
    path = tmp_path / "目录.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    (sheet,) = open_catalogue(path, {}, b"").sheets
    assert [row.cells[1] for row in sheet] == ["甲", "乙", "丙"]
