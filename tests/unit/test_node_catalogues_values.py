"""Small readers of one cell: joint issuers, page counts, persons, kinds of livelihood records, gaps in numbers."""

import pytest

from node.catalogues.livelihood import kind_of_cell, kind_of_title
from node.catalogues.numbering import Gap, numbering_gaps
from node.catalogues.pages import parse_page_count
from node.catalogues.parties import parse_parties
from node.catalogues.persons import person_keys
from protocol.person_keys import current_number
from protocol.vocabularies import LIVELIHOOD_KINDS

KEY = b"county key of a test"


@pytest.mark.parametrize(
    ("cell", "parties"),
    [
        ("", ()),
        ("某镇政府", ("某镇政府",)),
        ("甲;乙", ("甲", "乙")),
        ("甲；乙；甲", ("甲", "乙")),
        ("县林业局、县财政局", ("县林业局", "县财政局")),
        ("县林业局，县财政局", ("县林业局", "县财政局")),
        ("县委办公室 县政府办公室", ("县委办公室", "县政府办公室")),
        ("县委\n县政府", ("县委", "县政府")),
        ("王伟、李强、赵大海", ("王伟", "李强", "赵大海")),
        ("农业、林业局", ("农业、林业局",)),
        ("王　伟", ("王　伟",)),
        ("县计划、经济委员会", ("县计划、经济委员会",)),
        ("某公司（原县丝厂、茶厂）", ("某公司（原县丝厂、茶厂）",)),
        ("Test Creator 1|Test Creator 2", ("Test Creator 1", "Test Creator 2")),
        ("Smith, John", ("Smith, John",)),
    ],
)
def test_joint_issuers_are_split_only_where_each_is_whole(cell: str, parties: tuple[str, ...]) -> None:
    assert parse_parties(cell)[0] == parties


@pytest.mark.parametrize("cell", ["本局", "本村", "县财政局、本局", "我县"])
def test_issuers_that_say_nothing_elsewhere_are_noticed(cell: str) -> None:
    assert parse_parties(cell)[1] == ("responsible_unresolved",)


@pytest.mark.parametrize("cell", ["本溪市林业局", "日本国公司", "本田公司"])
def test_names_that_begin_alike_are_not(cell: str) -> None:
    assert parse_parties(cell)[1] == ()


@pytest.mark.parametrize(
    ("cell", "count", "page_no", "findings"),
    [
        ("", None, "", ()),
        ("4", 4, "", ()),
        ("4.0", 4, "", ()),
        ("１２页", 12, "", ()),
        ("12 张", 12, "", ()),
        ("23-31", 9, "23-31", ("page_count_is_range",)),
        ("23—31", 9, "23-31", ("page_count_is_range",)),
        ("23～31页", 9, "23-31", ("page_count_is_range",)),
        ("31-23", None, "", ("page_count_not_number",)),
        ("一", None, "", ("page_count_not_number",)),
        ("19860305", None, "", ("page_count_not_number",)),
    ],
)
def test_page_counts(cell: str, count: int | None, page_no: str, findings: tuple[str, ...]) -> None:
    pages = parse_page_count(cell)
    assert (pages.count, pages.page_no, pages.findings) == (count, page_no, findings)


def test_one_person_has_one_key_however_written() -> None:
    spellings = ["王伟", "王　伟", " 王 伟 ", "王偉"]
    assert len({person_keys([name], [], KEY).keys for name in spellings}) == 1


def test_one_number_has_one_key_in_both_its_forms() -> None:
    assert current_number("330523900101001") == "330523199001010016"
    assert person_keys([], ["330523900101001"], KEY) == person_keys([], ["330523199001010016"], KEY)


@pytest.mark.parametrize("number", ["330523199001010017", "330523199013010018", "12345", "三三零五"])
def test_number_with_a_fault_has_no_key(number: str) -> None:
    assert person_keys([], [number], KEY).keys == ()


def test_several_names_in_a_cell_have_a_key_each() -> None:
    assert len(person_keys(["王伟、李强 赵海"], [], KEY).keys) == 3


def test_key_is_no_plain_hash() -> None:
    (key,) = person_keys(["王伟"], [], KEY).keys
    (other,) = person_keys(["王伟"], [], b"another").keys
    assert key != other
    assert key.startswith("n:")


@pytest.mark.parametrize("kind", LIVELIHOOD_KINDS)
def test_every_kind_is_known_by_its_id_and_its_name(kind: str) -> None:
    assert kind_of_cell(kind) == kind
    assert kind_of_cell(LIVELIHOOD_KINDS[kind].zh) == kind
    assert kind_of_cell(f"{LIVELIHOOD_KINDS[kind].zh}档案") == kind


@pytest.mark.parametrize(
    "title", ["关于做好土地承包合同管理工作的通知", "独生子女奖励办法", "林权证发放情况报告", "调解委员会工作总结", ""]
)
def test_papers_about_a_matter_are_not_its_cases(title: str) -> None:
    assert kind_of_title(title) == ""


def test_gaps_are_found_between_the_numbers_of_a_series() -> None:
    codes = ["001-2-1", "001-2-2", "001-2-5", "001-3-9", "WS·2011·Y-0003", "WS·2011·Y-0001", "无序号"]
    assert numbering_gaps(codes) == [
        Gap(before="001-2", first=3, last=4),
        Gap(before="WS·2011·Y", first=2, last=2),
    ]
