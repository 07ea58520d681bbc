"""Whatever a cell holds, reading it ends in a value or a BadValue, and folding it again changes nothing."""

import datetime
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.analysis import fold, index_terms
from protocol.dates import DateSpan, parse_date
from protocol.document_numbers import fold_doc_no
from protocol.errors import BadValue
from protocol.findings import RULES
from protocol.identity_numbers import mask_identity_numbers
from protocol.reference_codes import code_sort_key, fold_code, parse_code
from protocol.retention import parse_retention
from protocol.vocabularies import parse_access_status, parse_disclosure, parse_form, parse_level, parse_secrecy
from tests.plain_queries import match_query

ANY_TEXT = st.text(st.characters())
DATE_LIKE = st.text("0123456789-./年月日至到~民国光绪元三十廿初春旬上代约[]?～ 　丁酉", max_size=20)
CODE_LIKE = st.text("0123456789ABCDWSYKUJ-·.—一・永久年 ", max_size=30)
DOC_NO_LIKE = st.text("某政发〔〕[]（）0123456789第号.-", max_size=20)


@given(st.one_of(ANY_TEXT, DATE_LIKE))
def test_a_date_always_reads_as_an_ordered_interval(raw: str) -> None:
    span = parse_date(raw)

    assert span.raw == raw
    assert set(span.findings) <= RULES.keys()
    assert span.earliest is None or span.latest is None or span.earliest <= span.latest
    assert bool(span.edtf) == (span.earliest is not None)


@given(st.dates(min_value=datetime.date(1000, 1, 1), max_value=datetime.date(2100, 12, 31)))
def test_a_day_reads_back_from_each_of_its_spellings(day: datetime.date) -> None:
    spellings = (
        f"{day:%Y%m%d}",
        f"{day:%Y-%m-%d}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y-%m-%d} 00:00:00",
    )

    assert {parse_date(raw).edtf for raw in spellings} == {day.isoformat()}


@given(st.dates(min_value=datetime.date(1000, 1, 1), max_value=datetime.date(2100, 12, 31)), st.integers(0, 900))
def test_an_edtf_interval_reads_as_itself(day: datetime.date, days: int) -> None:
    """What we write, we read."""
    end = min(day + datetime.timedelta(days=days), datetime.date(2100, 12, 31))
    text = f"{day}/{end}"

    assert parse_date(text) == DateSpan(raw=text, edtf=text, earliest=day, latest=end)


@given(st.one_of(ANY_TEXT, CODE_LIKE))
def test_a_code_reads_or_is_a_bad_value(as_given: str) -> None:
    try:
        code = parse_code(as_given)
    except BadValue:
        return

    assert code.as_given == as_given
    assert code.folded == fold_code(as_given)
    assert set(code.findings) <= RULES.keys()


@given(st.one_of(ANY_TEXT, CODE_LIKE))
@example("— —")
def test_folding_a_code_twice_changes_nothing(text: str) -> None:
    once = fold_code(text)

    assert fold_code(once) == once


@given(st.lists(st.one_of(ANY_TEXT, CODE_LIKE), max_size=6))
def test_any_codes_can_be_sorted(codes: list[str]) -> None:
    assert sorted(sorted(codes, key=code_sort_key, reverse=True), key=code_sort_key) == sorted(codes, key=code_sort_key)


@given(st.one_of(ANY_TEXT, DOC_NO_LIKE))
def test_folding_a_document_number_twice_changes_nothing(raw: str) -> None:
    once, findings = fold_doc_no(raw)

    assert set(findings) <= RULES.keys()
    assert fold_doc_no(once)[0] == once


@pytest.mark.parametrize(
    "parse", [parse_level, parse_access_status, parse_disclosure, parse_form, parse_secrecy], ids=lambda p: p.__name__
)
def test_a_vocabulary_never_raises(parse: Callable[[str], tuple[object, tuple[str, ...]]]) -> None:
    @given(ANY_TEXT)
    def check(raw: str) -> None:
        _, findings = parse(raw)

        assert set(findings) <= RULES.keys()

    check()


@given(ANY_TEXT)
def test_any_period_and_any_text_with_numbers_can_be_read(raw: str) -> None:
    masked, count = mask_identity_numbers(raw)

    assert parse_retention(raw).label().zh
    assert (masked == raw) == (count == 0)


@given(ANY_TEXT)
@example("e《\u0301")
@example("\u0345ΐ")
@example("Ａ\u030a")
def test_folding_a_text_twice_changes_nothing(text: str) -> None:
    once = fold(text)

    assert fold(once) == once


@given(ANY_TEXT)
def test_terms_of_a_folded_text_are_the_same(text: str) -> None:
    """A text and its folded form are found by the same queries."""
    assert index_terms(fold(text)) == index_terms(text)


@given(ANY_TEXT)
def test_any_query_becomes_an_expression_or_none(query: str) -> None:
    expression = match_query(query)

    assert expression is None or expression.startswith('"')
