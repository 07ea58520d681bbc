"""Any text is read or refused at a place; index and evaluator agree; a record is found by its own title."""

import datetime
import json
import uuid
from pathlib import Path

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from protocol.analysis import index_terms, phrases
from protocol.errors import BadQuery
from protocol.index_rows import index_rows
from protocol.limits import QUERY_CHARS_MAX
from protocol.matching import Matcher
from protocol.plans import plan
from protocol.queries import Query, parse, verbatim
from protocol.query_help import underlined
from protocol.readings import Reading, ReadingKind
from protocol.record_facts import Facts, subject_of
from protocol.records import Alias, Record
from protocol.row_matching import holds
from tests.queries import is_found, reading, titled

SIGNS = "|｜-－:：“”\"'《》「」（）()[]〔〕*>＜<=.。·、， 　\t\n/%;&\\"
WORDS = st.sampled_from(
    [
        *("林", "林地", "山林承包", "王　伟", "王", "伟", "李四", "張", "张", "AB", "ab", "12", "第3期", "AB*"),
        *("1986", "1986年3月", "1980-1989", "五十年代", "光绪二十三年", "民国三十六年", ">1986", "1986-3-15"),
        *("1986年以前", "日期:1986", "Z109-WS·2011", "001-2", "001-2-15", "某政发〔2014〕12号", "某政发[2014]012号"),
        *("阿不都·热合曼", "阿不都热合曼", "题名:", "档号:", "文号：", "附注:", "责任者:", "日期:", "全宗:001"),
        *("层级:案卷", "-", "|", "(", ")", "“", "”"),
    ]
)
QUERIES = st.one_of(
    st.text(st.one_of(st.sampled_from(SIGNS + "林地王伟1986年题名AB"), st.characters()), max_size=30),
    st.lists(WORDS, max_size=6).map(" ".join),
    st.lists(WORDS, max_size=6).map("".join),
)
TEXTS = st.text("林地山承包王伟李四張张ABab12·.、 　〔〕2014号-", max_size=14)
YEARS = st.integers(1940, 2020)


@st.composite
def records(draw: st.DrawFn) -> Record:
    first, years = draw(YEARS), draw(st.sampled_from([0, 0, 1, 3, 15, 40]))
    is_dated = draw(st.booleans())
    return Record(
        record_id=uuid.UUID(int=1),
        repository_id="330523108204",
        title=draw(TEXTS),
        responsible_parties=tuple(draw(st.lists(TEXTS, max_size=2))),
        doc_no=draw(st.sampled_from(["", "某政发〔2014〕12号", "婚字第12号"])),
        ref_code=draw(st.sampled_from(["", "Z109-WS·2011·Y-BGS-0001", "001-2-15-003", "1986-3-15"])),
        aliases=tuple(Alias(code=code) for code in draw(st.lists(st.sampled_from(["001-2-15", "A-1"]), max_size=1))),
        date_raw=draw(st.sampled_from(["", "1986", "1986年3月", "民国三十六年"])),
        scope=draw(TEXTS),
        note=draw(TEXTS),
        date_earliest=datetime.date(first, 3, 5) if is_dated else None,
        date_latest=datetime.date(first + years, 3, 31) if is_dated else None,
        fonds_no=draw(st.sampled_from(["", "001"])),
    )


def read(word: str) -> tuple[Reading, ...]:
    return (
        (reading("林地", ReadingKind.SYNONYM), reading("王伟", ReadingKind.NAME_FORM))
        if word in {"山林承包", "李四", "张"}
        else ()
    )


def read_query(text: str) -> Query | None:
    try:
        return parse(text)
    except BadQuery:
        return None


def fault_of(text: str) -> BadQuery | None:
    try:
        plan(parse(text))
    except BadQuery as error:
        return error
    return None


@given(records())
def test_facts_of_a_record_are_what_its_index_row_holds(record: Record) -> None:
    """What is judged without an index is what the index would hold."""
    (made,) = index_rows([record])
    expected = [*(terms.split() for terms in made[:4]), sorted(set(made[4].split()))]
    row = Facts(subject_of(record)).row

    assert [*(terms.split() for terms in row[:4]), sorted(set(row[4].split()))] == expected


@given(st.text(max_size=60) | QUERIES)
@example("(" * QUERY_CHARS_MAX)
@example("(|)" * 300)
@example("-" * QUERY_CHARS_MAX)
@example("||")
@example("题名:")
@example("题名:(")
@example("\ud800")
@example("\x00\x01")
@example('"')
@example("x" * 10_000)
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_at_a_place(text: str) -> None:
    fault = fault_of(text)
    if fault is None:
        return
    assert 0 <= fault.start < fault.end <= len(text)
    assert all((fault.reason.zh, fault.reason.en, fault.hint.zh, fault.hint.en))
    assert underlined(text, fault.start, fault.end).splitlines()[-1].strip("^ ") == ""


@given(QUERIES, records())
@example("“王 伟”", titled("张王 伟"))
@settings(max_examples=400, deadline=None)
def test_an_index_finds_all_that_is_meant_and_nothing_else_if_the_plan_is_exact(text: str, record: Record) -> None:
    query = read_query(text)
    assume(query is not None)
    meant = query or Query(text="")
    made, subject = plan(meant, read), subject_of(record)
    is_meant = Matcher(meant, read).satisfies(subject)

    assert is_found(made, subject) or not is_meant
    assert is_meant or not made.is_exact or not is_found(made, subject)


@given(QUERIES, records())
@settings(max_examples=200, deadline=None)
def test_fresh_stages_find_each_record_once_and_together_all(text: str, record: Record) -> None:
    query = read_query(text)
    made = plan(query or Query(text=""), read)
    assume(made.stages)
    row = Facts(subject_of(record)).row

    finding = [number for number in range(len(made.stages)) if holds(made.fresh(number), row)]

    assert made.found_by is not None
    assert len(finding) == holds(made.found_by, row)


@given(st.text("林地山承包王伟李四張张 　·、（）〔〕《》“”，；ABab12-号年", min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_a_title_finds_its_record(title: str) -> None:
    """Unless its signs mean something: then the clerk is told so, or has written them in the language."""
    try:
        query = parse(title)
    except BadQuery:
        return
    if any(f"{sign}" in f" {title}" for sign in (" -", "　-", "|")):
        return
    assert not index_terms(title) or Matcher(query).satisfies(subject_of(titled(title)))


@given(st.text("林地王伟ABab12·. 　、", min_size=1, max_size=14), st.data())
@settings(max_examples=200, deadline=None)
def test_a_quoted_part_finds_its_record_wherever_it_is_cut(title: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(title) - 1))
    end = data.draw(st.integers(start + 1, len(title)))
    part = title[start:end]
    before, after = title[:start][-1:], title[end:][:1]
    # Words of letters and digits are found whole.
    assume(not (part[0].isascii() and part[0].isalnum() and before.isascii() and before.isalnum()))
    assume(not (part[-1].isascii() and part[-1].isalnum() and after.isascii() and after.isalnum()))
    assume(phrases(part))
    assume(part.count(" ") + part.count("\u3000") < 2)

    assert Matcher(parse(f"“{part}”")).satisfies(subject_of(titled(title)))


@given(
    st.text(SIGNS + "林地王伟ABab12-题名", min_size=1, max_size=40) | st.text(st.characters(exclude_categories=["Cs"]))
)
@settings(max_examples=200, deadline=None)
def test_a_text_taken_verbatim_finds_its_record_whatever_signs_are_in_it(title: str) -> None:
    assume(phrases(title))

    assert Matcher(parse(verbatim(title))).satisfies(subject_of(titled(title)))


def test_hostile_strings_are_found_by_themselves_or_refused(shared_data: Path) -> None:
    vectors = next(shared_data.rglob("big_list_of_naughty_strings.json"))
    texts: list[str] = json.loads(vectors.read_text("utf-8"))
    lost = []
    for text in texts:
        try:
            query = parse(text)
        except BadQuery:
            continue
        # perl -e excludes e.
        if query.parts and " -" not in text and not Matcher(query).satisfies(subject_of(titled(text))):
            lost.append(text)

    assert lost == []
