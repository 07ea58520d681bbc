import msgspec
import pytest

from protocol.calls import Match
from protocol.matching import Matcher
from protocol.queries import parse
from protocol.readings import Reading, ReadingKind
from protocol.record_facts import subject_of
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from tests.queries import FOREST, NAMES, matches, reading


def why(query: str, record: Record = FOREST) -> list[tuple[str, str, str]]:
    return [(one.field, one.how, one.word) for one in Matcher(parse(query)).why(subject_of(record))]


@pytest.mark.parametrize(
    ("query", "record"),
    [
        ("梅溪镇 山林", FOREST),
        ("“大溪村山林”", FOREST),
        ("山林|林地 承包", FOREST),
        ("山林 -土地", FOREST),
        ("王伟", FOREST),
        ("王　伟", FOREST),
        ("题名:梅溪镇", FOREST),
        ("责任者:王伟 附注:附图 摘要:四至", FOREST),
        ("z109—ws.2011.y.bgs.1", FOREST),
        ("Z109-WS·2011", FOREST),
        ("Z109-WS·2011·Y-BGS-00", FOREST),
        ("档号:001-2-15", FOREST),
        ("档号:001-2-15-3", FOREST),
        ("1-2-15-003", FOREST),
        ("某政发[2011]012号", FOREST),
        ("某政發（2011）第０１２號", FOREST),
        ("文号:某政发【2011】12号", FOREST),
        ("2011 山林", FOREST),
        ("日期:2011年3月", FOREST),
        ("2011年3月", FOREST),
        (">2010 <2012", FOREST),
        ("类别:山林", FOREST),
        ("全宗:z109 站点:330523108 层级:文件 开放:未审核", FOREST),
        ("站点:330523108204", FOREST),
        ("第三*", FOREST),
        ("BG*", FOREST),
        ("阿不都热合曼", NAMES),
        ("阿不都·热合曼", NAMES),
        ("阿不都•热合曼 李四", NAMES),
        ("1947", NAMES),
        ("四十年代 契约", NAMES),
        ("民國三十六年", NAMES),
        ("日期:民国36年", NAMES),
        ("日期:民国", NAMES),
        ("-层级:文件 契约", NAMES),
        ("", NAMES),
    ],
)
def test_a_record_is_what_a_query_means(query: str, record: Record) -> None:
    assert matches(query, record)


@pytest.mark.parametrize(
    ("query", "record"),
    [
        ("梅溪 -山林", FOREST),
        ("附注:四至", FOREST),
        ("摘要:附图", FOREST),
        ("档号:2011 文号:BGS", FOREST),
        ("文号:001-2-15-003", FOREST),
        ("题名:王伟", FOREST),
        ("日期:2011年4月", FOREST),
        ("2011年4月", FOREST),
        ("1-2-1", FOREST),
        ("某政发〔2011〕2号", FOREST),
        ("站点:330523109", FOREST),
        ("站点:天荒坪", FOREST),
        ("层级:案卷", FOREST),
        ("-类别:山林 梅溪", FOREST),
        ("1986 山林", FOREST),
        ("热合", FOREST),
        ("曼李", NAMES),
        ("日期:1948", NAMES),
        ("日期:1947", FOREST),
    ],
)
def test_a_record_is_not_what_a_query_means(query: str, record: Record) -> None:
    assert not matches(query, record)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("山林", [("title", "literal", "山林")]),
        ("关于", [("title", "variant", "关于")]),
        ("梅溪镇 山林 承包", [("title", "variant", "梅溪镇"), ("title", "literal", "山林 承包")]),
        ("王", [("responsible_parties", "literal", "王")]),
        ("某政发[2011]012号", [("doc_no", "whole", "某政发[2011]012号")]),
        ("某政发[2011]12号", [("doc_no", "variant", "某政发[2011]12号")]),
        ("1-2-15", [("aliases", "beginning", "1-2-15")]),
        ("日期:2011年3月", [("date", "dated", "2011年3月")]),
        ("山林 -土地", [("title", "literal", "山林")]),
        ("全宗:Z109", []),
    ],
)
def test_a_hit_is_explained_by_field_and_how(query: str, expected: list[tuple[str, str, str]]) -> None:
    assert why(query) == expected


def read(word: str) -> tuple[Reading, ...]:
    known = {"皈山乡": reading("梅溪镇", ReadingKind.PLACE), "王威": reading("王伟", ReadingKind.HOMOPHONE)}
    return (known[word],) if word in known else ()


def test_another_reading_says_why_it_was_looked_for() -> None:
    matcher = Matcher(parse("皈山乡 王威 承包"), read)

    assert matcher.judge(subject_of(FOREST)) == (
        Match(field="title", how="place", word="梅溪镇", note=reading("梅溪镇", ReadingKind.PLACE).note),
        Match(
            field="responsible_parties", how="homophone", word="王伟", note=reading("王伟", ReadingKind.HOMOPHONE).note
        ),
        Match(field="title", how="literal", word="承包"),
    )
    assert matcher.stage(subject_of(FOREST)) == "homophone"
    assert matcher.judge(subject_of(NAMES)) is None
    assert Matcher(parse("“皈山乡”"), read).judge(subject_of(FOREST)) is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("z109-ws-2011-y-bgs-1", "whole"),
        ("山林 承包", "joined"),
        ("承包 山林", "title"),
        ("王伟 山林", "parties"),
        ("附图 山林", "anywhere"),
        ("林地", None),
    ],
)
def test_a_hit_has_the_rank_of_the_first_stage_that_finds_it(query: str, expected: str | None) -> None:
    assert Matcher(parse(query)).stage(subject_of(FOREST)) == expected


def test_site_and_access_status_are_those_that_are_true_now() -> None:
    closed = subject_of(FOREST, site="330523109000", site_name="天子湖镇", access_status=AccessStatus.RESTRICTED)

    assert Matcher(parse("开放:控制 站点:天子湖")).satisfies(closed)
    assert not Matcher(parse("开放:未审核")).satisfies(closed)


def test_a_record_of_many_years_is_of_each_year_of_its_decades() -> None:
    """The index marks its decades only; of dates alone, a period is compared to the day."""
    long = msgspec.structs.replace(
        NAMES,
        date_earliest=NAMES.date_earliest and NAMES.date_earliest.replace(year=1955),
        date_latest=NAMES.date_latest and NAMES.date_latest.replace(year=1988),
    )

    assert (matches("1989", long), matches("日期:1989", long), matches("1990", long)) == (True, False, False)


@pytest.mark.parametrize(
    ("given", "typed"),
    [
        ("婚字第12号", "婚字第012号"),
        ("婚字012号", "婚字第12号"),
        ("Z109-WS·2011·Y·辦公室-0001", "z109-ws-2011-y-办公室-1"),
    ],
)
def test_a_number_is_found_however_it_is_written(given: str, typed: str) -> None:
    field = "ref_code" if given.startswith("Z") else "doc_no"
    record = msgspec.structs.replace(NAMES, **{field: given})

    assert why(typed, record) == [(field, "whole", typed)]
    assert why(given, record) == [(field, "literal", given)]
