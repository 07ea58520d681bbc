import datetime

import pytest

from protocol.errors import BadQuery
from protocol.limits import QUERY_ALTERNATIVES_MAX, QUERY_CHARS_MAX
from protocol.queries import Dated, Either, Every, Filter, Node, Not, Query, Word, parse
from protocol.query_dates import Period
from protocol.query_fields import NAMES, field_named, slip_of
from protocol.query_help import QUERY_HELP, underlined


def sketch(node: Node) -> str:
    """A tree in one line."""
    match node:
        case Word():
            field = f"{node.field}:" if node.field else ""
            return f"{field}“{node.text}”" if node.is_quoted else f"{field}{node.text}"
        case Dated():
            first, last = node.period.first, node.period.last
            return f"<{first or ''}/{last or ''}{' or written' if node.is_written_too else ''}>"
        case Filter():
            return f"{node.field}={','.join(node.values)}"
        case Not():
            return f"not {sketch(node.part)}"
        case Either():
            return f"({' or '.join(map(sketch, node.parts))})"
        case Every():
            return f"({' and '.join(map(sketch, node.parts))})"


def read(text: str) -> list[str]:
    return [sketch(part) for part in parse(text).parts]


def fault(text: str) -> BadQuery:
    with pytest.raises(BadQuery) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" 　\t\n", []),
        ("山林 承包", ["山林", "承包"]),
        ("山林　承包", ["山林", "承包"]),
        ("山林\t承包\n", ["山林", "承包"]),
        # Quotation marks of every keyboard.
        *(
            (quoted, ["“李四 结婚”", "登记"])
            for quoted in (
                '"李四 结婚" 登记',
                "“李四 结婚” 登记",
                "”李四 结婚“ 登记",
                "＂李四 结婚＂ 登记",
                "「李四 结婚」 登记",
                "『李四 结婚』 登记",
                "《李四 结婚》 登记",
                "'李四 结婚' 登记",
            )
        ),
        # Exclusions.
        ("山林 -承包", ["山林", "not 承包"]),
        ("山林 －承包", ["山林", "not 承包"]),
        ("山林 不含:承包", ["山林", "not 承包"]),
        ("山林 不含： 承包", ["山林", "not 承包"]),
        ("山林 without:承包", ["山林", "not 承包"]),
        ("-“甲 乙” 山林", ["not “甲 乙”", "山林"]),
        ("山林 -(甲|乙)", ["山林", "not (甲 or 乙)"]),
        ("山林 -甲|乙", ["山林", "not (甲 or 乙)"]),
        ("山林 -1986", ["山林", "not <1986-01-01/1986-12-31 or written>"]),
        # Alternatives and groups.
        ("甲|乙", ["(甲 or 乙)"]),
        ("甲 ｜ 乙 丙", ["(甲 or 乙)", "丙"]),
        ("(山林|林地) 承包", ["(山林 or 林地)", "承包"]),
        ("（山林|林地） 承包", ["(山林 or 林地)", "承包"]),
        ("(山林 承包)|林权", ["((山林 and 承包) or 林权)"]),
        ("(山林 -承包)|林权", ["((山林 and not 承包) or 林权)"]),
        ("(山林 承包) 林权", ["山林", "承包", "林权"]),
        # Fields by their Chinese and English names, with either colon.
        ("题名:林权", ["title:林权"]),
        ("题名： 林权", ["title:林权"]),
        ("Title:林权", ["title:林权"]),
        ("ｔｉｔｌｅ：林权", ["title:林权"]),
        ("題名:林權", ["title:林權"]),
        ("责任者:某镇 文号:12号", ["party:某镇", "doc_no:12号"]),
        ("题名:甲|乙", ["(title:甲 or title:乙)"]),
        ("题名:甲|责任者:乙", ["(title:甲 or party:乙)"]),
        ("题名:(山林 承包)", ["title:山林", "title:承包"]),
        ("-题名:甲 山林", ["not title:甲", "山林"]),
        ("题名:1986", ["title:1986"]),
        # Filters.
        ("全宗:001", ["fonds=001"]),
        ("全宗:001|j002", ["fonds=001,J002"]),
        ("类别:婚姻登记", ["kind=marriage"]),
        ("类别:marriage", ["kind=marriage"]),
        ("类别:林", ["kind=forest_rights,forest_contracts"]),
        ("层级:案卷 开放:开放", ["level=volume", "access=open"]),
        ("开放:未审核", ["access=unreviewed"]),
        ("站点:330523108", ["site=330523108*"]),
        ("站点:330523108204", ["site=330523108204"]),
        ("站点:天荒坪", ["site=天荒坪"]),
        ("山林 -全宗:001", ["山林", "not fonds=001"]),
        ("全宗:001 -承包", ["fonds=001", "not 承包"]),
        # Names with blanks inside; other words stay apart.
        ("王　伟", ["王　伟"]),
        ("王 伟 结婚", ["王 伟", "结婚"]),
        ("王 伟 明", ["王 伟 明"]),
        ("王", ["王"]),
        # Numbers with blanks inside.
        ("某政发〔2014〕 12号 通知", ["某政发〔2014〕 12号", "通知"]),
        # Text with signs that are punctuation.
        ("关于：山林", ["关于：山林"]),
        ("姓名：王伟", ["姓名：王伟"]),
        ("http://x.cn/a", ["http://x.cn/a"]),
        ("《安吉县林地管理办法》的通知", ["《安吉县林地管理办法》的通知"]),
        ("关于印发《甲 乙》的通知", ["关于印发《甲 乙》的通知"]),
        ("关于…的通知（试行）", ["关于…的通知（试行）"]),
        ("（2014）某民初字第15号", ["（2014）某民初字第15号"]),
        ("林权 ， 承包", ["林权", "承包"]),
        ("( ) 林权", ["林权"]),
        ("林权 - 承包", ["林权", "承包"]),
        ("(林权", ["(林权"]),
        ('5"盘', ['5"盘']),
        ("《林权", ["《林权"]),
        ("'; DROP TABLE entry; --", ["DROP", "TABLE", "entry;"]),
        ("title:", None),
        ("山 AND 林 NEAR(a b)", ["山", "AND", "林", "NEAR(a", "b)"]),
        ("\x00山林\x01", ["\x00山林\x01"]),
    ],
)
def test_a_query_is_read(text: str, expected: list[str] | None) -> None:
    if expected is None:
        assert fault(text).start == 0
    else:
        assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("1986", (1986, 1, 1), (1986, 12, 31)),
        ("1986年", (1986, 1, 1), (1986, 12, 31)),
        ("１９８６", (1986, 1, 1), (1986, 12, 31)),
        ("一九八六年", (1986, 1, 1), (1986, 12, 31)),
        ("1986年3月", (1986, 3, 1), (1986, 3, 31)),
        ("1986-03-05", (1986, 3, 5), (1986, 3, 5)),
        ("19860305", (1986, 3, 5), (1986, 3, 5)),
        ("1980-1989", (1980, 1, 1), (1989, 12, 31)),
        ("1980—1989", (1980, 1, 1), (1989, 12, 31)),
        ("1986..1990", (1986, 1, 1), (1990, 12, 31)),
        ("1986年至1990年", (1986, 1, 1), (1990, 12, 31)),
        ("民国三十六年", (1947, 1, 1), (1947, 12, 31)),
        ("民国三十六年-民国三十七年", (1947, 1, 1), (1948, 12, 31)),
        ("五十年代至六十年代", (1950, 1, 1), (1969, 12, 31)),
        ("民國36年", (1947, 1, 1), (1947, 12, 31)),
        ("五十年代", (1950, 1, 1), (1959, 12, 31)),
        ("上世纪八十年代", (1980, 1, 1), (1989, 12, 31)),
        ("光绪二十三年", (1897, 1, 20), (1898, 2, 20)),
        ("1986年以前", None, (1985, 12, 31)),
        ("1986以来", (1986, 1, 1), None),
        ("86年", (1986, 1, 1), (1986, 12, 31)),
        ("八六年五月", (1986, 5, 1), (1986, 5, 31)),
        ("08年", (2008, 1, 1), (2008, 12, 31)),
        ("86-90", (1986, 1, 1), (1990, 12, 31)),
        ("86年至90年", (1986, 1, 1), (1990, 12, 31)),
        ("公元1986年", (1986, 1, 1), (1986, 12, 31)),
        ("中华民国三十六年", (1947, 1, 1), (1947, 12, 31)),
        ("民三十六年", (1947, 1, 1), (1947, 12, 31)),
        ("民国20-27年", (1931, 1, 1), (1938, 12, 31)),
        ("民国", (1912, 1, 1), (1949, 12, 31)),
        ("解放前", None, (1949, 9, 30)),
        ("新中国成立后", (1949, 10, 1), None),
        ("建国初期", (1949, 10, 1), (1956, 12, 31)),
        ("文革期间", (1966, 5, 16), (1976, 10, 31)),
        ("文革前", None, (1966, 5, 15)),
        ("改革开放以来", (1978, 12, 18), None),
        ("光绪年间", (1875, 1, 1), (1908, 12, 31)),
        ("清末", (1840, 1, 1), (1911, 12, 31)),
    ],
)
def test_a_word_that_is_a_date_means_the_period_or_the_text(
    text: str, first: tuple[int, int, int] | None, last: tuple[int, int, int] | None
) -> None:
    period = Period(first=first and datetime.date(*first), last=last and datetime.date(*last))

    assert parse(text).parts == (Dated(text=text, start=0, end=len(text), period=period, is_written_too=True),)
    behind = parse(f"日期:{text}").parts[0]
    assert isinstance(behind, Dated)
    assert (behind.period, behind.is_written_too) == (period, False)


@pytest.mark.parametrize("text", ["1986 年 5 月", "1986年 5月", "1986年5 月"])
def test_a_date_with_blanks_between_its_parts_is_one_date(text: str) -> None:
    assert read(f"山林 {text} 承包") == ["山林", "<1986-05-01/1986-05-31 or written>", "承包"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1986年林权", ["<1986-01-01/1986-12-31 or written>", "林权"]),
        ("林权1986年", ["<1986-01-01/1986-12-31 or written>", "林权"]),
        ("山林、承包", ["山林", "承包"]),
        ("山林,承包，合同", ["山林", "承包", "合同"]),
        ("山林+承包", ["山林", "承包"]),
    ],
)
def test_what_is_written_together_is_one_word_or_its_parts(text: str, parts: list[str]) -> None:
    """The first is what was typed, and ranks first."""
    (either,) = parse(text).parts

    assert isinstance(either, Either)
    assert either.is_guess
    assert either.parts[0] == Word(text=text, start=0, end=len(text))
    assert isinstance(either.parts[1], Every)
    assert [sketch(part) for part in either.parts[1].parts] == parts
    assert parse(text).plain_words == text


def test_only_what_was_typed_is_excluded() -> None:
    """Whoever leaves out 1986年林权 has not said a word about everything else of that year."""
    assert read("登记 -1986年林权") == ["登记", "not 1986年林权"]


@pytest.mark.parametrize(
    "text", ["第1986年", "稻,麦,豆", "甲、乙", "“1986年林权”", "题名:山林、承包", "关于" + "山林、承包" * 9]
)
def test_what_says_too_little_or_enough_is_not_taken_apart(text: str) -> None:
    assert not any(isinstance(part, Either) for part in parse(text).parts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">1986", "<1987-01-01/>"),
        ("＞1986", "<1987-01-01/>"),
        (">=1986", "<1986-01-01/>"),
        ("<1950", "</1949-12-31>"),
        ("≤1950年3月", "</1950-03-31>"),
        ("日期:>1986", "<1987-01-01/>"),
        ("日期:民国", "<1912-01-01/1949-12-31>"),
        ("日期:20世纪", "<1900-01-01/1999-12-31>"),
    ],
)
def test_what_is_said_of_dates_only_means_dates_only(text: str, expected: str) -> None:
    assert read(text) == [expected]


@pytest.mark.parametrize(
    "text",
    ["永乐", "同治", "解放", "土改", "20世纪", "41703", "330523", "86.3.5", "2014-02-30", "001-2-15", "1234567", ">甲"],
)
def test_what_may_be_something_else_is_a_word(text: str) -> None:
    """永乐 is a village as well as a reign, and five digits are no day."""
    assert read(text) == [text]


@pytest.mark.parametrize(
    ("text", "start", "end", "hint"),
    [
        ("，", 0, 1, "标点"),
        (" 、。 ", 1, 3, "标点"),
        ("（）", 0, 2, "括号"),
        ("“李四 结婚", 0, 1, "引号"),
        ("山林 “李四 结婚", 3, 4, "引号"),
        ("题各:林权", 0, 2, "引号"),
        ("山林 日基:1986", 3, 5, "引号"),
        ("titel:林权", 0, 5, "引号"),
        ("题名:", 0, 3, "题名:词"),
        ("题名:，", 3, 4, "标点"),
        ("题名:-林权", 3, 4, "减号"),
        ("甲|-乙", 2, 3, "减号"),
        ("甲|", 1, 2, "两边"),
        ("|甲", 0, 1, "两边"),
        ("甲||乙", 1, 2, "两边"),
        ("-甲", 0, 2, "要找的词"),
        ("-甲 -乙", 0, 5, "要找的词"),
        ("(-甲)|乙", 0, 4, "要找的词"),
        ("山林 -(-甲)", 4, 8, "要找的词"),
        ("日期:2014-02-30", 3, 13, "1986"),
        ("日期:某年", 3, 5, "1986"),
        ("日期:86.3.5", 3, 9, "四位"),
        ("山林 2014年13月", 3, 11, "1986"),
        (">2014年13月", 0, 9, "1986"),
        ("层级:本", 3, 4, "案卷"),
        ("开放:也许", 3, 5, "延期开放"),
        ("类别:婚丧", 3, 5, "婚姻登记"),
        ("全宗:001|山林 (类别:林|承包) 层级:案卷|承包", 26, 28, "案卷"),
        ("(类别:林|题名:承包)", 4, 5, "单独写"),
        ("王\ud800伟", 1, 2, "删去"),
        ("x" * 10_000, QUERY_CHARS_MAX, 10_000, "题名"),
        ("((((((((a|b) c) d) e) f) g) h) i)", 6, 15, "括号"),
        ("|".join("甲" * (QUERY_ALTERNATIVES_MAX + 1)), 0, 2 * QUERY_ALTERNATIVES_MAX + 1, "分几次"),
    ],
)
def test_what_cannot_be_understood_is_said_at_its_place(text: str, start: int, end: int, hint: str) -> None:
    error = fault(text)

    assert (text[error.start : error.end], error.start, error.end) == (text[start:end], start, end)
    assert hint in error.hint.zh
    assert error.reason.en
    assert error.hint.en


def test_a_slip_is_answered_with_the_query_as_it_was_meant() -> None:
    assert fault("山林 题各：林权").instead == "山林 题名：林权"
    assert fault("“李四 结婚").instead == "李四 结婚"


def test_every_field_is_known_by_all_its_names_and_none_is_a_slip_of_another() -> None:
    names = {name: field for field, known in NAMES.items() for name in known.split()}

    assert {name: field_named(name) for name in names} == names
    assert field_named("关于") is None
    assert [slip_of(word) for word in ("关于", "姓名", "http", "data", "第一", "说明", "C")] == [""] * 7


def test_plain_words_are_those_that_every_hit_holds() -> None:
    """What older sites are asked: no signs of the language, and nothing that only some hits hold."""
    query = parse("山林|林地 题名:承包 -流转 1986 “李四 结婚” 全宗:001 日期:1990 王　伟")

    assert query.plain_words == '承包 1986 "李四 结婚" "王 伟"'
    assert not query.is_plain
    assert parse("山林 “李四 结婚”").is_plain
    assert parse("").plain_words == ""


def test_parts_know_their_place() -> None:
    text = "山林 题名:“甲 乙” -丙"

    assert [text[part.start : part.end] for part in parse(text).parts] == ["山林", "“甲 乙”", "-丙"]


def test_asterisk_opens_the_last_word_of_letters_and_digits_only() -> None:
    words = [part for part in parse("Z10* 王* “Z10*”").parts if isinstance(part, Word)]

    assert [(word.text, word.is_open) for word in words] == [("Z10*", True), ("王*", False), ("Z10*", False)]


def test_help_is_true() -> None:
    """Every example that it gives can be typed."""
    for language in (QUERY_HELP.zh, QUERY_HELP.en):
        examples = [line[2:28].split("   ")[0].rstrip() for line in language.splitlines() if line.startswith("  ")]
        assert len(examples) > 12
        assert all(isinstance(parse(example), Query) and parse(example).parts for example in examples)


def test_a_place_is_underlined_in_columns_of_the_terminal() -> None:
    assert underlined("山林 title:\x00", 3, 8) == f"山林 title:·\n{' ' * 5}^^^^^"
    assert underlined("题各:林", 0, 2) == "题各:林\n^^^^"
