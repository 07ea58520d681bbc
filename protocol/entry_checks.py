"""Rules of the four-property checks that judge one entry by what it says (DA/T 70: 元数据); pure.

Each takes the entry, the county's settings and what the caller knows, and returns one judgement. The evidence never
repeats an identity number, and of a long value only its beginning.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from protocol.check_rules import CheckSettings
from protocol.dates import FILING_YEAR_SLACK_YEARS, parse_date
from protocol.errors import BadValue
from protocol.identity_numbers import is_identity_number, mask_identity_numbers
from protocol.judgements import Judgement, failed, manual, not_applicable, passed
from protocol.package_entries import PackageEntry
from protocol.package_facts import PackageFacts
from protocol.reference_codes import CodeProfile, parse_code
from protocol.retention import RetentionKind, parse_retention
from protocol.vocabularies import (
    AccessStatus,
    Disclosure,
    Form,
    Secrecy,
    parse_access_status,
    parse_disclosure,
    parse_form,
    parse_secrecy,
)
from protocol.whole_codes import whole_code
from protocol.wording import Count, Text, counted

VALUE_SHOWN_CHARS: Final = 60
"""Characters of a value that evidence repeats."""

PAGES_MAX: Final = 100_000
"""Pages of one entry: more is a slip of the pen."""

FIELD_WORDS: Final[Mapping[str, str]] = {
    "sequence": "顺序号",
    "ref_code": "档号",
    "responsible": "责任者",
    "title": "题名",
    "date": "日期",
    "secrecy": "密级",
    "file_name": "电子档案名称",
    "note": "备注",
    "retention": "保管期限",
    "pages": "页数",
    "filing_year": "年度",
    "access_status": "开放审核意见",
    "access_reason": "开放审核理由",
    "disclosure": "公开属性",
    "doc_no": "文件编号",
    "fonds_no": "全宗号",
    "form": "生成方式",
    "environment": "软硬件环境",
    "office_code": "室编档号",
    "archive_code": "馆编档号",
}
"""Fields in the words of the catalogue's columns."""

_TEXTS: Final = ("responsible", "title", "note", "doc_no", "access_reason", "environment")
_MEND: Final = Text(zh="在目录中改正后重新打包。", en="Correct the catalogue and make the package again.")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_YEAR: Final = re.compile(r"(?:1[0-9]|20)[0-9]{2}")
_BANK_CARD: Final = re.compile(r"(?<![0-9])[3-6][0-9]{15,18}(?![0-9])")


class EntryContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules on entries know beside the entry."""

    settings: CheckSettings
    facts: PackageFacts
    repeated: Mapping[tuple[str, str], int] = {}
    """How often a value stands in the package, by field and folded value; only values that stand there twice."""
    held: frozenset[str] | None = None
    """Codes, as wholes, that the receiver holds already; None where nobody said."""


def meta_length(entry: PackageEntry, context: EntryContext) -> Judgement:
    """Lengths of the fields 元数据项长度."""
    settings = context.settings
    for field in FIELD_WORDS:
        limit = settings.title_chars_max if field == "title" else settings.field_chars_max
        if (length := len(getattr(entry, field))) > limit:
            return _wrong(
                field, f"{length} 字，超过 {limit}", f"has {Count(length):character|characters}, more than {limit}"
            )
    return passed("各项长度合规", "every field has a permitted length")


def meta_type_format(entry: PackageEntry, _context: EntryContext) -> Judgement:
    """Types and forms of the fields 元数据项数据类型、格式."""
    if entry.pages and not _NUMBER.fullmatch(entry.pages):
        return _wrong("pages", f"“{_shown(entry.pages)}”不是整数", f"{_shown(entry.pages)!r} is no whole number")
    if entry.filing_year and not _YEAR.fullmatch(entry.filing_year):
        return _wrong("filing_year", f"“{_shown(entry.filing_year)}”不是四位年份", "is no year of four digits")
    if entry.size_bytes and not _NUMBER.fullmatch(entry.size_bytes) and not entry.size_bytes.isdigit():
        return _wrong("size_bytes", "文件大小不是字节数", "is no number of bytes")
    if "date_unreadable" in (found := parse_date(entry.date).findings) or "date_impossible" in found:
        return _wrong("date", f"“{_shown(entry.date)}”不是日期", f"{_shown(entry.date)!r} is no date")
    return passed("类型与格式合规", "types and forms are as they should be")


def meta_value_domain(entry: PackageEntry, _context: EntryContext) -> Judgement:
    """Values from the vocabularies of DA/T 18 元数据项值域."""
    judged = (
        ("access_status", entry.access_status, {one.value for one in AccessStatus}, parse_access_status),
        ("disclosure", entry.disclosure, {one.value for one in Disclosure}, parse_disclosure),
        ("form", entry.form, {one.value for one in Form}, parse_form),
        ("secrecy", entry.secrecy, {one.value for one in Secrecy}, parse_secrecy),
    )
    for field, value, values, parse in judged:
        if value and value not in values and parse(value)[1]:
            return _wrong(field, f"“{_shown(value)}”不在值域内", f"{_shown(value)!r} is no permitted value")
    if entry.retention and parse_retention(entry.retention).kind is RetentionKind.UNKNOWN:
        return _wrong("retention", f"“{_shown(entry.retention)}”不是保管期限", "is no retention period")
    return passed("取值在值域内", "values are permitted ones")


def meta_reasonable(entry: PackageEntry, context: EntryContext) -> Judgement:
    """Values that can be true 数据值合理性: dates within the filing year and the past, at least one page."""
    today = context.facts.today
    if entry.pages and _NUMBER.fullmatch(entry.pages) and not 0 < int(entry.pages) <= PAGES_MAX:
        return _wrong("pages", f"{entry.pages} 页不合理", f"{counted(entry.pages, 'page', 'pages')} cannot be")
    year = int(entry.filing_year) if _YEAR.fullmatch(entry.filing_year) else None
    if year is not None and year > today.year:
        return _wrong("filing_year", f"{year} 年尚未到来", f"the year {year} is still to come")
    span = parse_date(entry.date)
    if span.earliest is not None and span.earliest > today:
        return _wrong("date", f"{_shown(entry.date)} 晚于今天", f"{_shown(entry.date)} lies in the future")
    if year is not None and span.earliest is not None and span.latest is not None:
        first, last = span.earliest.year - FILING_YEAR_SLACK_YEARS, span.latest.year + FILING_YEAR_SLACK_YEARS
        if not first <= year <= last:
            return _wrong("date", f"{_shown(entry.date)} 与年度 {year} 不符", f"{_shown(entry.date)} is not of {year}")
    return passed("日期、年度、页数合理", "date, year and pages can be true")


def meta_special_chars(entry: PackageEntry, context: EntryContext) -> Judgement:
    """No characters that damage a catalogue elsewhere 特殊字符."""
    forbidden = frozenset(context.settings.forbidden_characters)
    for field in FIELD_WORDS:
        value = getattr(entry, field)
        found = next((char for char in value if char in forbidden or _is_invisible(char)), None)
        if found is not None and not (field == "file_name" and found == "\\"):
            return _wrong(field, f"含特殊字符 U+{ord(found):04X}", f"has the character U+{ord(found):04X}")
    return passed("没有特殊字符", "there are no special characters")


def code_conformity(entry: PackageEntry, context: EntryContext) -> Judgement:
    """The reference code is one 档号规范性 (DA/T 13)."""
    profiles = context.facts.code_profiles
    try:
        code = parse_code(entry.ref_code, profiles)
    except BadValue as error:
        return failed(_said("ref_code", error.reason.zh, error.reason.en), error.hint)
    if entry.fonds_no and code.fonds_no and whole_code(code.fonds_no) != whole_code(entry.fonds_no):
        return _wrong("ref_code", f"全宗号不是 {_shown(entry.fonds_no)}", f"is not of fonds {_shown(entry.fonds_no)}")
    if not code.profile and _has_rules(code.fonds_no or entry.fonds_no, profiles):
        return _wrong("ref_code", "与本全宗的编制规则不符", "does not follow the rules of its fonds")
    if code.folded != code.as_given:
        return _wrong("ref_code", f"应写作 {code.folded}", f"should be written {code.folded}")
    if code.profile:
        return passed(f"符合编制规则 {code.profile}", f"follows the rules {code.profile}")
    return passed("形式可识别（未登记编制规则）", "can be taken apart by its look (its fonds has no registered rules)")


def _has_rules(fonds_no: str, profiles: Sequence[CodeProfile]) -> bool:
    """True for a fonds for which somebody has registered how it numbers its records."""
    return any(not profile.fonds_no or re.fullmatch(profile.fonds_no, fonds_no) for profile in profiles)


def meta_duplicate(entry: PackageEntry, context: EntryContext) -> Judgement:
    """Values that must be unique are 重复性: in the package, and among what the receiver holds."""
    for field in context.settings.unique:
        value = folded(field, getattr(entry, field))
        if value and (count := context.repeated.get((field, value), 0)) > 1:
            return _wrong(field, f"在包内出现 {count} 次", f"stands {Count(count):time|times} in the package")
    if context.held is None:
        return passed("包内不重复（未与馆藏比对）", "unique in the package (not compared with what the archive holds)")
    if whole_code(entry.ref_code) in context.held:
        return _wrong("ref_code", "馆藏已有此档号", "is held by the archive already")
    return passed("包内与馆藏均不重复", "unique in the package and in the archive")


def folded(field: str, value: str) -> str:
    """Return a value as repetitions are found: codes as wholes, other text without blanks."""
    return whole_code(value) if field.endswith("_code") else "".join(value.split()).casefold()


def required_elements(entry: PackageEntry, context: EntryContext) -> Judgement:
    """Mandatory elements are filled 必填项 (DA/T 18-2022; the holder's opening opinion: 档案法 articles 15, 30)."""
    for field in context.settings.required:
        value = getattr(entry, field)
        if not value.strip():
            return _wrong(field, "未填", "is empty")
        if field == "access_status" and parse_access_status(value)[0] is AccessStatus.UNREVIEWED:
            return _wrong(field, "尚未审核，不能移交", "has not been given, and nothing is transferred without it")
    return passed("必填项齐全", "every mandatory element is filled")


def secret_mark_valid(entry: PackageEntry, _context: EntryContext) -> Judgement:
    """The classification is a legal one, and one that may travel 密级合规."""
    if not entry.secrecy:
        return passed("无密级", "not classified")
    known = next((one for one in Secrecy if one.value == entry.secrecy), None)
    mark, findings = (known, ()) if known is not None else parse_secrecy(entry.secrecy)
    if findings:
        return _wrong(
            "secrecy", f"“{_shown(entry.secrecy)}”不是合法标志", f"{_shown(entry.secrecy)!r} is no legal mark"
        )
    if not mark.travels:
        return failed(
            _said("secrecy", "涉密档案不得经本系统移交", "classified records must not be transferred by this system"),
            Text(
                zh="从包中取出该条目与文件，按保密规定移交。",
                en="Take it out and transfer it as the rules on secrets say.",
            ),
        )
    return passed("密级合法，可以移交", "the mark is a legal one that may travel")


def pii_scan(entry: PackageEntry, _context: EntryContext) -> Judgement:
    """Numbers of citizens or of bank cards in the text 个人信息; a person decides what becomes of them."""
    for field in _TEXTS:
        value = getattr(entry, field)
        count = mask_identity_numbers(value)[1]
        count += sum(_is_card(found[0]) for found in _BANK_CARD.finditer(value))
        if count:
            zh, en = f"疑有 {count} 个证件号或卡号", f"seems to hold {count} numbers of citizens or bank cards"
            return manual(_said(field, zh, en), Text(zh="核对是否应当遮盖。", en="Decide whether they must be masked."))
    return passed("未见证件号或卡号", "no number of a citizen or a bank card was seen")


def keyword_scan(entry: PackageEntry, context: EntryContext) -> Judgement:
    """Words from the county's list 关键词; a person decides."""
    words = context.settings.keywords
    if not words:
        return not_applicable("未设关键词表", "there is no list of words")
    for field in _TEXTS:
        if any(word in getattr(entry, field) for word in words):
            return manual(
                _said(field, "含关键词表中的词", "holds a word of the list"),
                Text(zh="由审核人员判断能否移交。", en="The reviewer decides whether it is transferred."),
            )
    return passed("不含关键词表中的词", "no word of the list was seen")


def _wrong(field: str, zh: str, en: str) -> Judgement:
    return failed(_said(field, zh, en), _MEND)


def _said(field: str, zh: str, en: str) -> Text:
    return Text(zh=f"{FIELD_WORDS.get(field, field)}：{zh}", en=f"{field}: {en}")


def _shown(value: str) -> str:
    masked = mask_identity_numbers(value)[0]
    return masked if len(masked) <= VALUE_SHOWN_CHARS else f"{masked[:VALUE_SHOWN_CHARS]}…"


def _is_invisible(char: str) -> bool:
    return not char.isprintable() and char not in "\n\u3000\u00a0 "


def _is_card(number: str) -> bool:
    """True for the check digit of bank cards (Luhn), and no citizen's number."""
    digits = [int(digit) for digit in reversed(number)]
    total = sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return total % 10 == 0 and not is_identity_number(number)
