"""Rules on one entry: what each lets through and what it refuses, without any file."""

import datetime
from collections.abc import Callable

import pytest

from protocol import entry_checks
from protocol.check_results import Outcome
from protocol.check_rules import CheckSettings
from protocol.entry_checks import EntryContext
from protocol.judgements import Judgement
from protocol.package_entries import PackageEntry
from protocol.package_facts import PackageFacts
from protocol.reference_codes import CodeProfile, CodeSegment, SegmentKind
from tests.packages_made import CODES, entry

TODAY = datetime.date(2026, 11, 22)
FACTS = PackageFacts(today=TODAY)
CONTEXT = EntryContext(settings=CheckSettings(keywords=("秘方",)), facts=FACTS)

PROFILE = CodeProfile(
    id="Z109-WS",
    fonds_no="Z109",
    category="WS",
    segments=tuple(
        CodeSegment(kind=kind)
        for kind in (
            SegmentKind.FONDS,
            SegmentKind.CATEGORY,
            SegmentKind.YEAR,
            SegmentKind.RETENTION,
            SegmentKind.ORG,
            SegmentKind.ITEM,
        )
    ),
)

EntryCheck = Callable[[PackageEntry, entry_checks.EntryContext], Judgement]

RULES = [
    entry_checks.meta_length,
    entry_checks.meta_type_format,
    entry_checks.meta_value_domain,
    entry_checks.meta_reasonable,
    entry_checks.meta_special_chars,
    entry_checks.code_conformity,
    entry_checks.meta_duplicate,
    entry_checks.required_elements,
    entry_checks.secret_mark_valid,
    entry_checks.pii_scan,
    entry_checks.keyword_scan,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_entry_passes(rule: EntryCheck) -> None:
    assert rule(entry(1), CONTEXT).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("rule", "changes", "expected"),
    [
        ("meta_length", {"title": "长" * 501}, "failed"),
        ("meta_length", {"note": "长" * 1001}, "failed"),
        ("meta_type_format", {"pages": "三页"}, "failed"),
        ("meta_type_format", {"filing_year": "11"}, "failed"),
        ("meta_type_format", {"size_bytes": "1 MB"}, "failed"),
        ("meta_type_format", {"date": "何时"}, "failed"),
        ("meta_type_format", {"date": "20110230"}, "failed"),
        ("meta_type_format", {"date": "2011年3月5日"}, "passed"),
        ("meta_type_format", {"date": "民国三十六年"}, "passed"),
        ("meta_value_domain", {"access_status": "随便看"}, "failed"),
        ("meta_value_domain", {"access_status": "控制"}, "passed"),
        ("meta_value_domain", {"disclosure": "也许"}, "failed"),
        ("meta_value_domain", {"form": "手抄"}, "failed"),
        ("meta_value_domain", {"retention": "很久"}, "failed"),
        ("meta_value_domain", {"retention": "D30"}, "passed"),
        ("meta_reasonable", {"pages": "0"}, "failed"),
        ("meta_reasonable", {"pages": "999999"}, "failed"),
        ("meta_reasonable", {"filing_year": "2027"}, "failed"),
        ("meta_reasonable", {"date": "20270101", "filing_year": ""}, "failed"),
        ("meta_reasonable", {"date": "19860305"}, "failed"),
        ("meta_reasonable", {"date": "20120105"}, "passed"),
        ("meta_special_chars", {"title": "a<b"}, "failed"),
        ("meta_special_chars", {"title": "a\u200bb"}, "failed"),
        ("meta_special_chars", {"title": "关于《条例》“通知”（一）"}, "passed"),
        ("code_conformity", {"ref_code": ""}, "failed"),
        ("code_conformity", {"ref_code": "2011/3/5"}, "failed"),
        ("code_conformity", {"ref_code": "Z109—WS.2011.Y.BGS—0001"}, "failed"),
        ("code_conformity", {"ref_code": "X001-WS·2011·Y·BGS-0001"}, "failed"),
        ("required_elements", {"title": " "}, "failed"),
        ("required_elements", {"access_status": "unreviewed"}, "failed"),
        ("required_elements", {"access_status": "待审核"}, "failed"),
        ("required_elements", {"access_status": "控制"}, "passed"),
        ("secret_mark_valid", {"secrecy": "机密★10年"}, "failed"),
        ("secret_mark_valid", {"secrecy": "secret"}, "failed"),
        ("secret_mark_valid", {"secrecy": "大概保密"}, "failed"),
        ("secret_mark_valid", {"secrecy": "内部"}, "passed"),
        ("secret_mark_valid", {"secrecy": "internal"}, "passed"),
        ("pii_scan", {"title": "张三 11010519491231002X 的申请"}, "manual"),
        ("pii_scan", {"note": "卡号 4539578763621486"}, "manual"),
        ("pii_scan", {"note": "文件号 4539578763621487"}, "passed"),
        ("keyword_scan", {"title": "祖传秘方"}, "manual"),
    ],
)
def test_each_rule_finds_its_own_fault(rule: str, changes: dict[str, str], expected: str) -> None:
    judged = getattr(entry_checks, rule)(entry(1, **changes), CONTEXT)

    assert (judged.outcome.value, judged.evidence.zh != "", judged.evidence.en != "") == (expected, True, True)
    assert (judged.remedy.zh != "") is (expected in {"failed", "manual"})


def test_no_evidence_repeats_the_number_of_a_citizen() -> None:
    number = "11010519491231002X"
    bad = entry(1, **dict.fromkeys(("title", "note", "date", "pages", "filing_year", "secrecy", "retention"), number))

    told = [rule(bad, CONTEXT).evidence for rule in RULES]

    assert [text for text in told if number in text.zh or number in text.en] == []


def test_a_code_is_held_against_the_rules_of_its_fonds() -> None:
    context = EntryContext(settings=CheckSettings(), facts=PackageFacts(today=TODAY, code_profiles=(PROFILE,)))

    assert entry_checks.code_conformity(entry(1), context).evidence.en == "follows the rules Z109-WS"
    assert entry_checks.code_conformity(entry(1, ref_code="Z109-2011-1"), context).outcome is Outcome.FAILED


def test_a_code_of_a_fonds_without_rules_is_judged_by_its_look() -> None:
    """A township keeps the fonds of its villages too, and has rules for its own alone."""
    context = EntryContext(settings=CheckSettings(), facts=PackageFacts(today=TODAY, code_profiles=(PROFILE,)))
    other = entry(1, ref_code="Z207-WS·2011·Y·BGS-0001", fonds_no="Z207")

    assert entry_checks.code_conformity(other, context).outcome is Outcome.PASSED


def test_a_repeated_code_is_found_in_the_package_and_in_the_archive() -> None:
    twice = entry_checks.folded("ref_code", CODES[0])
    in_package = EntryContext(settings=CheckSettings(), facts=FACTS, repeated={("ref_code", twice): 2})
    in_archive = EntryContext(settings=CheckSettings(), facts=FACTS, held=frozenset((twice,)))
    in_neither = EntryContext(settings=CheckSettings(), facts=FACTS, held=frozenset())

    assert entry_checks.meta_duplicate(entry(1), in_package).outcome is Outcome.FAILED
    assert entry_checks.meta_duplicate(entry(1), in_archive).outcome is Outcome.FAILED
    assert entry_checks.meta_duplicate(entry(1), in_neither).evidence.en == "unique in the package and in the archive"


def test_without_a_list_of_words_the_rule_says_nothing() -> None:
    context = EntryContext(settings=CheckSettings(), facts=FACTS)

    assert entry_checks.keyword_scan(entry(1, title="秘方"), context).outcome is Outcome.NOT_APPLICABLE
