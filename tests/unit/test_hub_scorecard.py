"""The quality of a catalogue: shares of rows, and the fixes that mend most."""

from hub.sites.scorecard import FIXES_SHOWN_MAX, scorecard
from protocol.calls import FileLine, FileLines, FindingCount
from protocol.findings import RULES, Severity, rule
from tests.site_stories import FILES


def test_rows_that_are_not_in_the_catalogue_are_mended_first() -> None:
    card = scorecard(FILES)

    assert [(one.reason.zh, one.rows, one.is_rejected) for one in card.fixes] == [
        (rule("file_encrypted").reason.zh, 0, True),
        (rule("ref_code_damaged_by_spreadsheet").reason.zh, 31, True),
        (rule("date_missing").reason.zh, 74, False),
        (rule("responsible_unresolved").reason.zh, 22, False),
    ]
    assert card.fixes[2].files == ("永久/2015年文书档案目录.xlsx",)


def test_marks_are_shares_of_all_rows() -> None:
    card = scorecard(FILES)

    assert (card.rows, card.in_order.good, card.in_order.of, card.in_order.percent) == (1_623, 1_496, 1_623, 92)
    assert [(one.words.en, one.percent) for one in card.marks[:3]] == [
        ("reference codes", 98),
        ("titles and makers", 98),
        ("dates", 95),
    ]


def test_a_single_bad_row_of_many_is_not_a_hundred_percent() -> None:
    files = FileLines(accepted=100_000, warned=1, total=1, findings=(FindingCount(code="date_missing", rows=1),))

    assert scorecard(files).in_order.percent == 99


def test_a_site_without_rows_has_nothing_to_mend() -> None:
    card = scorecard(FileLines())

    assert (card.fixes, card.in_order.percent) == ((), 100)


def test_only_five_fixes_are_named_and_unknown_codes_have_words() -> None:
    findings = tuple(FindingCount(code=code, rows=5) for code in RULES if RULES[code].severity is Severity.WARNING)
    card = scorecard(FileLines(accepted=10, total=1, findings=findings))
    later = scorecard(FileLines(accepted=10, total=1, findings=(FindingCount(code="from_a_later_version", rows=3),)))

    assert len(card.fixes) == FIXES_SHOWN_MAX
    assert [one.reason for one in later.fixes] == [rule("from_a_later_version").reason]


def test_more_remarks_than_rows_is_no_negative_share() -> None:
    files = FileLines(accepted=1, rejected=0, warned=9, total=1, findings=(FindingCount(code="date_missing", rows=9),))
    card = scorecard(files)

    assert (card.in_order.good, card.marks[2].percent) == (0, 0)


def test_the_file_with_most_such_rows_is_named_first() -> None:
    lines = tuple(
        FileLine(name=name, state="taken", findings=(FindingCount(code="date_missing", rows=rows),))
        for name, rows in (("甲", 1), ("乙", 9), ("丙", 4), ("丁", 2))
    )
    files = FileLines(lines=lines, total=4, accepted=20, findings=(FindingCount(code="date_missing", rows=16),))

    assert scorecard(files).fixes[0].files == ("乙", "丙", "丁")
