"""From a row to a record: the seven messy rows, each field, and what rejects a row."""

import datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from node.catalogues.context import DescriptionContext
from node.catalogues.description import DescribedRow, RejectedRow
from protocol.codec import decode_record, encode_record
from protocol.findings import Severity
from protocol.limits import FIELD_CHARS_MAX, PARTIES_MAX, TITLE_CHARS_MAX
from protocol.reference_codes import CodeProfile, CodeSegment, SegmentKind
from protocol.retention import RetentionKind
from protocol.vocabularies import AccessStatus, Disclosure, Form, Level, Secrecy
from tests.workbooks import CONTEXT, Reading, Table, codes, read, write_text, write_xlsx

MESSY_HEADER = ("档号", "题名", "责任者", "文号", "日期", "期限", "页")
MESSY: Table = [
    ("Z109—WS・2011—Y—BGS—0001 ", "关于××的通知", "某镇政府", "某政〔2011〕3号", "2011.3.5", "永久", 4),
    ("001-2-15", "[某村选举材料]", "某村委会", "", "1986年", "长期", "23-31"),
    ("001-2-15", "同上", "〃", "", "19861200", "长期", 32),
    ("3月5日", "林地承包合同", "甲;乙", "无", 41703, "30年", 12),
    ("A002-WS·2015·D10·003-7", "××批复", "本局", "某〔2015〕012号", "2015-02-30", 10, "一"),
    ("H001-ZY·HY·1979·D100-003-012", "某甲 某乙 结婚登记", "某公社", "婚字第12号", "民国卅六年", "100年", 2),
    ("", "小计", "", "", "", "", 812),
]

AREA, BIRTH = "330523", "19900101"
IDENTITY = f"{AREA}{BIRTH}0016"
"""A made-up number with the right check character."""


@pytest.fixture
def messy(tmp_path: Path) -> Reading:
    table = [("某镇归档文件目录",), MESSY_HEADER, *MESSY]
    return read(write_xlsx(tmp_path / "messy.xlsx", table, merged=["A1:G1"]))


def one(tmp_path: Path, context: DescriptionContext = CONTEXT, **cells: str) -> DescribedRow:
    """Describe a row of these columns; 档号 and 题名 are added."""
    row = one_or_rejected(tmp_path, context, **cells)
    assert isinstance(row, DescribedRow), codes(row)
    return row


def one_or_rejected(tmp_path: Path, context: DescriptionContext = CONTEXT, **cells: str) -> DescribedRow | RejectedRow:
    table = {"档号": "Z109-WS·2011·Y-0001", "题名": "林地承包", **cells}
    path = write_text(tmp_path / "a.csv", [list(table), list(table.values())])
    (row,) = read(path, context=context).rows
    return row


def test_messy_rows_are_taken_or_rejected_as_they_should(messy: Reading) -> None:
    assert [(row.line, type(row)) for row in messy.rows] == [
        (3, DescribedRow),
        (4, DescribedRow),
        (5, DescribedRow),
        (6, RejectedRow),
        (7, DescribedRow),
        (8, DescribedRow),
    ]
    assert messy.file.sheets[0].counts.subtotals == 1


def test_messy_row_1_has_its_code_folded_and_kept(messy: Reading) -> None:
    record = messy.records[0].record
    assert record.ref_code == "Z109-WS·2011-Y-BGS-0001"
    assert record.ref_code_as_given == "Z109—WS・2011—Y—BGS—0001 "
    assert (record.date_raw, record.date_edtf, record.page_count) == ("2011.3.5", "2011-03-05", 4)
    assert messy.records[0].findings == ()


def test_messy_row_2_has_a_supplied_title_a_year_a_legacy_period_and_a_page_range(messy: Reading) -> None:
    row = messy.records[1]
    record = row.record
    assert (record.title, record.title_is_supplied) == ("某村选举材料", True)
    assert (record.fonds_no, record.catalogue_no, record.volume_no) == ("001", "2", "15")
    assert (str(record.date_earliest), str(record.date_latest)) == ("1986-01-01", "1986-12-31")
    assert record.retention is not None
    assert (record.retention.kind, record.retention.text) == (RetentionKind.LEGACY, "长期")
    assert (record.page_no, record.page_count) == ("23-31", 9)
    assert codes(row) == ["page_count_is_range"]
    assert row.raw == (("题名", "[某村选举材料]"), ("页", "23-31"))


def test_messy_row_3_repeats_the_row_above_and_its_code(messy: Reading) -> None:
    """Its month is an interval and its ditto marks are resolved; that its code is taken, the intake finds out."""
    first, second = messy.records[1].record, messy.records[2].record
    assert (second.title, second.responsible_parties) == (first.title, first.responsible_parties)
    assert (second.ref_code, second.level) == (first.ref_code, first.level)
    assert (str(second.date_earliest), str(second.date_latest)) == ("1986-12-01", "1986-12-31")


def test_messy_row_4_is_rejected_for_its_code(messy: Reading) -> None:
    (row,) = messy.rejected
    assert codes(row) == ["ref_code_damaged_by_spreadsheet"]
    assert row.findings[0].severity is Severity.REJECT
    assert row.findings[0].value == "3月5日"


def test_messy_row_4_with_its_code_has_two_parties_and_a_day(tmp_path: Path) -> None:
    table: Table = [MESSY_HEADER, ("001-3-5", *MESSY[3][1:])]
    (row,) = read(write_xlsx(tmp_path / "a.xlsx", table)).records
    assert (row.record.responsible_parties, row.record.doc_no) == (("甲", "乙"), "")
    assert (row.record.date_raw, row.record.date_edtf) == ("41703", "2014-03-05")


def test_messy_row_5_is_taken_with_five_warnings(messy: Reading) -> None:
    row = messy.records[3]
    assert codes(row) == [
        "width_unusual",
        "responsible_unresolved",
        "doc_no_irregular",
        "date_impossible",
        "page_count_not_number",
    ]
    assert (row.record.doc_no, row.record.doc_no_as_given) == ("某〔2015〕12号", "某〔2015〕012号")
    assert (row.record.date_edtf, row.record.page_count) == ("2015-02", None)
    assert row.raw == (("页", "一"),)


def test_messy_row_6_has_a_hundred_years_and_a_date_that_contradicts_its_year(messy: Reading) -> None:
    row = messy.records[4]
    assert codes(row) == ["date_contradicts_year"]
    assert row.record.retention is not None
    assert (row.record.retention.years, row.record.filing_year, row.record.date_edtf) == (100, 1979, "1947")
    assert (row.record.volume_no, row.record.item_no, row.record.livelihood_kind) == ("003", "012", "marriage")


def test_record_waits_for_its_id_and_survives_the_wire(messy: Reading) -> None:
    for row in messy.records:
        assert (row.record.record_id, row.record.version) == (UUID(int=0), 1)
        assert row.record.repository_id == CONTEXT.site
        assert decode_record(encode_record(row.record)) == row.record


def test_same_row_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = one(tmp_path, 责任者="某局、某委"), one(tmp_path, 责任者="某局、某委")
    assert encode_record(first.record) == encode_record(second.record)


def test_labels_that_repeat_the_header_are_removed(tmp_path: Path) -> None:
    row = one(tmp_path, 日期="成文日期 ：2023年6月14日", 文号="发文字号：渝府发〔2023〕15号", 责任者="责任者: 某局")
    record = row.record
    assert (record.date_raw, record.date_edtf) == ("2023年6月14日", "2023-06-14")
    assert (record.doc_no, record.responsible_parties) == ("渝府发〔2023〕15号", ("某局",))
    assert ("日期", "成文日期 ：2023年6月14日") in row.raw


def test_label_without_a_value_is_an_empty_cell(tmp_path: Path) -> None:
    assert one(tmp_path, 文号="发文字号：").record.doc_no == ""


@pytest.mark.parametrize("title", ["通知：关于防汛的紧急通知", "日期：1986年的账本", "某村: 合同"])
def test_other_words_before_a_colon_stay(tmp_path: Path, title: str) -> None:
    assert one(tmp_path, 题名=title).record.title == title


@pytest.mark.parametrize(
    ("given", "title", "is_supplied"),
    [
        ("[某村选举材料]", "某村选举材料", True),
        ("［某村选举材料］", "某村选举材料", True),
        ("[甲]和[乙]", "[甲]和[乙]", False),
        ("【通知】关于防汛", "【通知】关于防汛", False),
        ("关于印发\n办法的通知", "关于印发办法的通知", False),
        ("Minutes\nof 1986", "Minutes of 1986", False),
        ("　关于防汛　", "关于防汛", False),
        ("关于_x000D_\n防汛", "关于防汛", False),
    ],
)
def test_titles(tmp_path: Path, given: str, title: str, is_supplied: bool) -> None:
    record = one(tmp_path, 题名=given).record
    assert (record.title, record.title_is_supplied) == (title, is_supplied)


def test_rejections_name_the_field_the_value_and_the_remedy(tmp_path: Path) -> None:
    row = one_or_rejected(tmp_path, 档号="2011-3-5", 题名="")
    assert isinstance(row, RejectedRow)
    assert [(finding.code, finding.field, finding.value) for finding in row.findings] == [
        ("ref_code_damaged_by_spreadsheet", "ref_code", "2011-3-5"),
        ("title_missing", "title", ""),
    ]
    assert all(finding.text.zh and finding.text.en and finding.remedy.zh for finding in row.findings)
    assert row.cells == ("2011-3-5", "")


def test_code_cell_that_holds_a_date_is_damaged(tmp_path: Path) -> None:
    table: Table = [("档号", "题名"), (datetime.date(2026, 3, 5), "合同"), (datetime.time(3, 5), "合同")]
    reading = read(write_xlsx(tmp_path / "a.xlsx", table))
    assert [codes(row) for row in reading.rows] == [["ref_code_damaged_by_spreadsheet"]] * 2


def test_running_numbers_are_codes_only_where_the_header_promises_no_more(tmp_path: Path) -> None:
    identifiers = read(write_text(tmp_path / "a.csv", [("identifier", "title"), ("41703", "Minutes")]))
    codes_column = read(write_text(tmp_path / "b.csv", [("档号", "题名"), ("41703", "会议记录")]))
    assert identifiers.records[0].record.ref_code == "41703"
    assert len(codes_column.rejected) == 1


@pytest.mark.parametrize("given", ["", "无", "—"])
def test_missing_code_is_a_warning(tmp_path: Path, given: str) -> None:
    row = one(tmp_path, 档号=given)
    assert (row.record.ref_code, codes(row)) == ("", ["ref_code_missing"])


def test_sheet_without_a_column_is_not_warned_about_in_every_row(tmp_path: Path) -> None:
    (row,) = read(write_text(tmp_path / "a.csv", [("题名", "文号"), ("甲", "某政〔2011〕3号")])).records
    assert row.findings == ()


def test_empty_cells_of_needed_columns_are_warnings(tmp_path: Path) -> None:
    row = one(tmp_path, 档号="001-2-15", 责任者="", 日期="", 保管期限="")
    assert codes(row) == ["responsible_missing", "date_missing", "retention_missing"]


def test_period_and_year_come_from_the_code_where_the_columns_are_silent(tmp_path: Path) -> None:
    record = one(tmp_path, 档号="Z109-WS·2011·D30-0001", 保管期限="").record
    assert record.retention is not None
    assert (record.retention.years, record.retention_as_given, record.filing_year) == (30, "", 2011)


def test_too_long_values_reject_their_row(tmp_path: Path) -> None:
    for cells in ({"题名": "长" * (TITLE_CHARS_MAX + 1)}, {"备注": "长" * (FIELD_CHARS_MAX + 1)}):
        row = one_or_rejected(tmp_path, CONTEXT, **cells)
        assert isinstance(row, RejectedRow)
        assert codes(row) == ["value_too_long"]
        assert len(row.findings[0].value) < 100


def test_long_text_of_an_unmapped_column_rejects_nothing(tmp_path: Path) -> None:
    row = one(tmp_path, 正文="长" * 20_000)
    assert row.raw == (("正文", "长" * 20_000),)


def test_unmapped_columns_stay_beside_the_record(tmp_path: Path) -> None:
    row = one(tmp_path, 盒号="7", 库位="3-2-1", 空栏="")
    assert row.raw == (("盒号", "7"), ("库位", "3-2-1"))
    assert b"3-2-1" not in encode_record(row.record)


def test_what_is_understood_is_kept_as_it_was_given(tmp_path: Path) -> None:
    row = one(tmp_path, 密级="机密★10年", 开放标识="划控", 著录层级="案卷级", 责任者="某局;某委")
    record = row.record
    assert (record.secrecy, record.access_status, record.level) == (
        Secrecy.SECRET,
        AccessStatus.RESTRICTED,
        Level.VOLUME,
    )
    assert row.raw == (("密级", "机密★10年"), ("开放标识", "划控"), ("著录层级", "案卷级"), ("责任者", "某局;某委"))


def test_every_other_field_of_a_record(tmp_path: Path) -> None:
    record = one(
        tmp_path,
        公开属性="依申请公开",
        生成方式="数字化",
        载体类型="纸质",
        载体形态="3卷",
        范围和提要="提要",
        备注="注",
        控制理由="涉及个人",
        审核日期="2020-05-06",
        页号="12",
        机构或问题="办公室",
    ).record
    assert (record.disclosure, record.form) == (Disclosure.ON_REQUEST, Form.DIGITISED)
    assert (record.carrier, record.extent, record.scope, record.note) == ("纸质", "3卷", "提要", "注")
    assert (record.access_reason, record.reviewed_on) == ("涉及个人", datetime.date(2020, 5, 6))
    assert (record.page_no, record.org_or_subject) == ("12", "办公室")


def test_two_date_columns_are_one_interval(tmp_path: Path) -> None:
    record = one(tmp_path, 起始日期="1986-01-05", 终止日期="1988").record
    assert (record.date_edtf, record.date_earliest) == ("1986-01-05/1988", datetime.date(1986, 1, 5))


def test_date_in_foreign_words_takes_its_interval_from_the_date_columns(tmp_path: Path) -> None:
    table = [("title", "date", "startdate", "enddate"), ("Minutes", "30 Dec 1942 - 14 Dec 1943", "1942-12-30", "1943")]
    (row,) = read(write_text(tmp_path / "a.csv", table)).records
    assert (row.record.date_raw, row.record.date_edtf) == ("30 Dec 1942 - 14 Dec 1943", "1942-12-30/1943")


def test_identity_numbers_are_masked_in_what_travels_and_in_what_stays(tmp_path: Path) -> None:
    row = one(tmp_path, 题名=f"某甲（{IDENTITY}）收养登记", 备注=f"证{IDENTITY}", 其他=f"又{IDENTITY}")
    assert row.record.title == "某甲（330523********0016）收养登记"
    assert codes(row) == ["id_number_masked", "id_number_masked"]
    assert IDENTITY.encode() not in msgspec.json.encode((row.record, row.raw))


def test_long_codes_are_not_taken_for_identity_numbers(tmp_path: Path) -> None:
    code = "330523-WS·2011·Y-20110305-0001"
    assert one(tmp_path, 档号=code).record.ref_code == code


def test_persons_become_keys_and_leave_no_name(tmp_path: Path) -> None:
    row = one(tmp_path, 男方姓名="王　伟", 女方姓名="李小红、張強", 身份证号=IDENTITY)
    kinds = [key.partition(":")[0] for key in row.record.person_keys]
    assert kinds == ["n", "n", "n", "i"]
    travelling = encode_record(row.record)
    assert not any(name.encode() in travelling for name in ("王", "李小红", "張強", IDENTITY))
    assert [header for header, _ in row.raw] == ["男方姓名", "女方姓名"]


def test_person_keys_need_the_countys_key(tmp_path: Path) -> None:
    without = msgspec.structs.replace(CONTEXT, county_key=b"")
    other = msgspec.structs.replace(CONTEXT, county_key=b"another county")
    keys = [one(tmp_path, context, 姓名="王伟").record.person_keys for context in (CONTEXT, without, other)]
    assert keys[1] == ()
    assert keys[0] != keys[2]


def test_identity_number_that_lost_its_end_is_reported(tmp_path: Path) -> None:
    table: Table = [("档号", "题名", "身份证号"), ("001-2-15", "甲", float(IDENTITY))]
    (row,) = read(write_xlsx(tmp_path / "a.xlsx", table)).records
    assert (codes(row), row.record.person_keys) == (["id_number_truncated"], ())


def test_index_of_persons_has_titles_without_names(tmp_path: Path) -> None:
    context = msgspec.structs.replace(CONTEXT, livelihood_kind="youth_sent_down")
    table = [("档号", "姓名", "性别", "下乡时间"), ("001-2-15", "王伟", "男", "1969")]
    (row,) = read(write_text(tmp_path / "a.csv", table), context=context).records
    record = row.record
    assert (record.title, record.title_is_supplied, record.level) == ("知青下乡", True, Level.PERSON_INDEX_ROW)
    assert len(record.person_keys) == 1


def test_list_without_titles_is_known_by_its_numbers(tmp_path: Path) -> None:
    labelled = ("u", "成文日期 ：2023-06-14", "发文字号：渝府发〔2023〕15号")
    table = [("url", "pub_date", "doc_number"), labelled, ("u", "", "")]
    reading = read(write_text(tmp_path / "a.csv", table))
    assert [(row.record.title, row.record.title_is_supplied) for row in reading.records] == [
        ("渝府发〔2023〕15号", True)
    ]
    assert reading.file.sheets[0].counts.headings == 1


@pytest.mark.parametrize(
    ("cells", "default", "kind"),
    [
        ({"类别": "婚姻登记档案"}, "", "marriage"),
        ({"类别": "结婚"}, "petitions", "marriage"),
        ({"类别": "文书"}, "petitions", "petitions"),
        ({}, "petitions", "petitions"),
        ({"题名": "某甲 某乙 结婚登记"}, "", "marriage"),
        ({"题名": "某村林地承包合同"}, "", "forest_contracts"),
        ({"题名": "关于加强婚姻登记工作的通知"}, "", ""),
        ({"题名": "关于结婚登记"}, "", "marriage"),
    ],
)
def test_livelihood_kind_comes_from_the_column_the_folder_or_a_certain_title(
    tmp_path: Path, cells: dict[str, str], default: str, kind: str
) -> None:
    context = msgspec.structs.replace(CONTEXT, livelihood_kind=default)
    assert one(tmp_path, context, **cells).record.livelihood_kind == kind


def test_folder_settings_stand_in_the_record(tmp_path: Path) -> None:
    context = DescriptionContext(
        site="330523108000", fonds_no="J109", owner="330523108204", custodian="330523108000", releaser="330523000000"
    )
    record = one(tmp_path, context, 档号="WS·2011·Y-0001").record
    assert (record.fonds_no, record.owner, record.custodian, record.releaser) == (
        "J109",
        "330523108204",
        "330523108000",
        "330523000000",
    )


def test_missing_fonds_is_noticed_unless_the_folder_names_it(tmp_path: Path) -> None:
    context = msgspec.structs.replace(CONTEXT, fonds_no="J109")
    assert "fonds_missing_in_code" in codes(one(tmp_path, 档号="WS·2011·Y-0001"))
    assert "fonds_missing_in_code" not in codes(one(tmp_path, context, 档号="WS·2011·Y-0001"))


def test_profile_of_the_folder_reads_the_code(tmp_path: Path) -> None:
    kinds = (SegmentKind.FONDS, SegmentKind.CATEGORY, SegmentKind.YEAR, SegmentKind.VOLUME, SegmentKind.PAGE)
    profile = CodeProfile(id="book", segments=tuple(CodeSegment(kind=kind) for kind in kinds))
    context = msgspec.structs.replace(CONTEXT, profiles=(profile,))
    record = one(tmp_path, context, 档号="X1-ZY·2011-003-054").record
    assert (record.code_profile, record.volume_no, record.page_no) == ("book", "003", "054")


def test_settings_change_the_fingerprint_and_do_not_tell_the_key() -> None:
    others = [
        msgspec.structs.replace(CONTEXT, livelihood_kind="marriage"),
        msgspec.structs.replace(CONTEXT, county_key=b"another"),
        msgspec.structs.replace(CONTEXT, fonds_no="J109"),
    ]
    assert len({context.fingerprint for context in (CONTEXT, *others)}) == 4
    assert CONTEXT.county_key not in CONTEXT.fingerprint


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("关于\x07防汛", "control_characters"),
        ("关于\ufffd防汛", "text_garbled"),
        ("王\ue09d的合同", "private_use_characters"),
    ],
)
def test_odd_characters_are_reported(tmp_path: Path, cell: str, code: str) -> None:
    assert codes(one(tmp_path, 题名=cell)) == [code]


def test_formula_error_is_an_empty_cell(tmp_path: Path) -> None:
    row = one(tmp_path, 文号="#REF!")
    assert (row.record.doc_no, codes(row)) == ("", ["cell_formula_error"])


def test_long_number_is_reported(tmp_path: Path) -> None:
    assert codes(one(tmp_path, 备注="123456789012345000")) == ["number_precision_lost"]


def test_more_parties_than_a_record_holds_are_cut(tmp_path: Path) -> None:
    row = one(tmp_path, 责任者=";".join(f"第{number}局" for number in range(PARTIES_MAX + 5)))
    assert len(row.record.responsible_parties) == PARTIES_MAX
    assert len(row.raw) == 1


def test_cell_that_the_record_says_in_the_same_words_is_not_kept_twice(tmp_path: Path) -> None:
    """The code says the fonds and the year as well; what it says otherwise stays beside the record."""
    same = one(tmp_path, 全宗号="Z109", 年度="2011", 件号="0001")
    assert same.raw == ()
    other = one(tmp_path, 全宗号="Z110", 年度="2011年", 件号="1")
    assert other.raw == (("全宗号", "Z110"), ("年度", "2011年"), ("件号", "1"))
    assert (other.record.fonds_no, other.record.item_no) == ("Z109", "0001")


def test_findings_stand_in_the_order_of_the_columns(tmp_path: Path) -> None:
    row = one(tmp_path, 页数="一", 日期="2011-02-30", 责任者="本局")
    assert codes(row)[-3:] == ["page_count_not_number", "date_impossible", "responsible_unresolved"]
