"""Reference codes 档号: folded for comparison, taken apart by a profile where one fits, by their look where none does.

A code is unique inside one repository at most and changes when records are renumbered, so it is never a key. Three
dialects live side by side: DA/T 13-94 (all hyphens, no letters after the fonds: ``001-2-15-003``), DA/T 22-2015
(``Z109-WS·2011-Y-BGS-0001``) and DA/T 13-2022 (``Z109-WS·2011·Y·BGS-0001``). Widths are free and schemes local: only a
profile can tell an organ's number from a volume's, or an item from a page. What is given is kept beside what is folded.
"""

import functools
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from protocol.code_guesses import SERIAL_WIDTH_USUAL_DIGITS, UNKNOWN_HEAD, Dialect, guessed_head
from protocol.findings import RejectedValue

__all__ = [
    "CodeProfile",
    "CodeSegment",
    "Dialect",
    "ReferenceCode",
    "SegmentKind",
    "code_sort_key",
    "fold_code",
    "parse_code",
]

REF_CODE_CHARS_MAX: Final = 120
"""Characters of a reference code: three times the longest that a published scheme allows."""

PROFILE_CACHE_ENTRIES: Final = 1_024
"""Compiled profiles kept: a county has one for each fonds and category at most."""

SERIAL_WIDTH_DIGITS: Final = 18
"""Digits compared as one number when codes are sorted."""


class SegmentKind(StrEnum):
    """What one segment of a code means; the value is the field of `ReferenceCode` that it fills."""

    FONDS = "fonds_no"
    CATEGORY = "category_code"
    SUB = "sub_codes"
    YEAR = "filing_year"
    RETENTION = "retention_code"
    ORG = "org_or_subject"
    CATALOGUE = "catalogue_no"
    PROJECT = "project_no"
    VOLUME = "volume_no"
    ITEM = "item_no"
    PAGE = "page_no"
    GROUP = "group_no"


class CodeSegment(msgspec.Struct, frozen=True, kw_only=True):
    """One segment of a profile; ``width`` is its usual number of digits, 0 if any."""

    kind: SegmentKind
    width: int = 0


class CodeProfile(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """How one fonds and category numbers its records, in a range of years.

    ``fonds_no`` is a regular expression, empty for any fonds; ``category`` is a code such as WS, empty for any. The two
    separators are not told apart, so one profile reads a scheme in both newer dialects. Raises ValueError for a profile
    without segments or with a pattern that is no regular expression.
    """

    id: str
    fonds_no: str = ""
    category: str = ""
    year_from: int | None = None
    year_to: int | None = None
    dialect: Dialect = Dialect.DAT13_2022
    segments: tuple[CodeSegment, ...]

    def __post_init__(self) -> None:
        if not self.segments:
            raise ValueError("a code profile needs at least one segment")
        try:
            re.compile(self.fonds_no)
        except re.error as error:
            raise ValueError(f"fonds_no is not a regular expression: {error}") from error


class ReferenceCode(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reference code taken apart; a part that the code does not have is empty."""

    folded: str
    as_given: str
    dialect: Dialect
    profile: str = ""
    """Id of the profile that read it; empty if its parts were guessed."""
    fonds_no: str = ""
    category_code: str = ""
    sub_codes: tuple[str, ...] = ()
    filing_year: int | None = None
    retention_code: str = ""
    org_or_subject: str = ""
    catalogue_no: str = ""
    project_no: str = ""
    volume_no: str = ""
    item_no: str = ""
    page_no: str = ""
    group_no: str = ""
    findings: tuple[str, ...] = ()
    """Finding codes of the registry: everything here is a warning."""


_CONTROLS: Final = "".join(map(chr, (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))))
_FOLDS: Final = {
    **{code: chr(code - 0xFEE0).upper() for code in range(0xFF01, 0xFF5F)},
    **{code: chr(code).upper() for code in range(ord("a"), ord("z") + 1)},
    **dict.fromkeys(map(ord, "・‧•⋅∙･.．｡。\u0387"), "·"),
    **dict.fromkeys(map(ord, "‐‑‒–—―−－─━﹣﹘\u30fc"), "-"),
    **dict.fromkeys(map(ord, "\t\n\r\u3000\u00a0\u2002\u2003\u2009"), " "),
    **dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff" + _CONTROLS)),
}
# The character 一 is left out: it may stand for a dash.
_CANONICAL: Final = re.compile("[0-9A-Z·\\-丁-\u9fff]+")
_SPACED_SEPARATOR: Final = re.compile(" *([-·]) *")
_ONE_AS_DASH: Final = re.compile("(?<=[0-9A-Z])一(?=[0-9A-Z])")
_CONTROL: Final = re.compile(f"[{re.escape(_CONTROLS)}]")
_NOTHING: Final = "-·/ 无"
_YEAR: Final = "(?:1[89]|20)[0-9]{2}"
_DAMAGED: Final = re.compile(
    rf"{_YEAR}([-/.])(?:1[0-2]|0?[1-9])\1(?:3[01]|[12][0-9]|0?[1-9])(?:[ T][0-9]{{1,2}}:[0-9]{{2}}[0-9:.]*)?"
    rf"|{_YEAR}年[0-9]{{1,2}}月(?:[0-9]{{1,2}}日)?|[0-9]{{1,2}}月[0-9]{{1,2}}日"
    r"|[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}"
    # Days are counted from 1900: these five digits are the years 1927 to 2064.
    r"|[1-5][0-9]{4}(?:\.[0-9]+)?"
    r"|[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]+|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?|#+|#[A-Z/0]+[!?]?"
    r"|(?:[0-9]{1,4}-)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?:-[0-9]{1,4})?"
)
_SERIALS: Final = re.compile(f"([0-9]{{1,{SERIAL_WIDTH_DIGITS}}})")
_GLUED_TAIL: Final = re.compile("([A-Z]+)([0-9]{3,5})")
_FREE_WIDTH: Final = frozenset((Dialect.DAT13_1994, Dialect.UNKNOWN))
_NARROWEST, _WIDEST = SERIAL_WIDTH_USUAL_DIGITS
_NUMBER: Final = "[0-9][0-9A-Z]*"
_TEXT: Final = "[^-·]+"
_SEGMENT_PATTERNS: Final = {
    SegmentKind.FONDS: _TEXT,
    SegmentKind.CATEGORY: "[A-Z]{1,4}",
    SegmentKind.SUB: _TEXT,
    SegmentKind.YEAR: _YEAR,
    SegmentKind.RETENTION: "Y|C|D[0-9]{0,3}",
    SegmentKind.ORG: _TEXT,
    SegmentKind.CATALOGUE: _TEXT,
    SegmentKind.PROJECT: _TEXT,
    SegmentKind.VOLUME: _NUMBER,
    SegmentKind.ITEM: _NUMBER,
    SegmentKind.PAGE: _NUMBER,
    SegmentKind.GROUP: _NUMBER,
}


def fold_code(text: str) -> str:
    """Return ``text`` as codes are compared: look-alike dots and dashes, full width, case and stray blanks folded.

    The table is explicit, because Unicode's compatibility folding (NFKC) reaches two of the look-alikes only.
    """
    if _CANONICAL.fullmatch(text):
        return text
    # Chinese keyboards write one dash as two dash characters.
    folded = text.replace("——", "—").translate(_FOLDS).strip()
    if " " in folded:
        folded = _SPACED_SEPARATOR.sub(r"\1", folded)
    return _ONE_AS_DASH.sub("-", folded) if "一" in folded else folded


def parse_code(as_given: str, profiles: Sequence[CodeProfile] = ()) -> ReferenceCode:
    """Take a code apart by the first profile that fits it, else by its look.

    Raises RejectedValue (a BadValue) for an empty code, one longer than REF_CODE_CHARS_MAX, and one that a spreadsheet
    program turned into a date, a time, a number or an error: the code that stood there cannot be recovered.
    """
    folded = fold_code(as_given)
    if not folded.strip(_NOTHING):
        raise RejectedValue("ref_code_missing")
    if len(folded) > REF_CODE_CHARS_MAX:
        raise RejectedValue("value_too_long")
    if _DAMAGED.fullmatch(as_given.strip()):
        raise RejectedValue("ref_code_damaged_by_spreadsheet")
    noticed = ("control_characters",) if folded is not as_given and _CONTROL.search(as_given) else ()
    for profile in profiles:
        code = _read_by_profile(profile, folded, as_given, noticed)
        if code is not None:
            return code
    return _read_by_look(folded, as_given, noticed)


def code_sort_key(folded: str) -> tuple[tuple[str | int, ...], str]:
    """Return the key that sorts codes by the value of their numbers: 2 before 10, and 001 beside 0001."""
    parts: list[str | int] = list(_SERIALS.split(folded))
    parts[1::2] = map(int, parts[1::2])
    return tuple(parts), folded


@functools.lru_cache(maxsize=PROFILE_CACHE_ENTRIES)
def _compiled(profile: CodeProfile) -> re.Pattern[str]:
    patterns = []
    for position, segment in enumerate(profile.segments):
        pattern = _SEGMENT_PATTERNS[segment.kind]
        if segment.kind is SegmentKind.FONDS and profile.fonds_no:
            pattern = profile.fonds_no
        elif segment.kind is SegmentKind.CATEGORY and profile.category:
            pattern = re.escape(profile.category)
        patterns.append(f"(?P<s{position}>{pattern})")
    return re.compile("[-·]".join(patterns))


def _read_by_profile(
    profile: CodeProfile, folded: str, as_given: str, noticed: tuple[str, ...]
) -> ReferenceCode | None:
    match = _compiled(profile).fullmatch(folded)
    if match is None:
        return None
    parts: dict[str, str] = {}
    subs: list[str] = []
    for position, segment in enumerate(profile.segments):
        text = match[f"s{position}"]
        if segment.kind is SegmentKind.SUB:
            subs.append(text)
        else:
            parts[segment.kind.value] = text
        if segment.width not in {0, len(text)} and "width_unusual" not in noticed:
            noticed = (*noticed, "width_unusual")
    given_year = parts.pop(SegmentKind.YEAR.value, None)
    year = int(given_year) if given_year else None
    if year is not None and not (profile.year_from or 0) <= year <= (profile.year_to or year):
        return None
    return ReferenceCode(
        folded=folded,
        as_given=as_given,
        dialect=profile.dialect,
        profile=profile.id,
        filing_year=year,
        sub_codes=tuple(subs),
        findings=noticed,
        **parts,
    )


def _read_by_look(folded: str, as_given: str, noticed: tuple[str, ...]) -> ReferenceCode:
    # Codes of one file share everything before the last hyphen, so that part is guessed once and remembered.
    before, hyphen, number = folded.rpartition("-")
    head = guessed_head(before) if hyphen else UNKNOWN_HEAD
    findings = (*noticed, *head.findings) if noticed else head.findings
    org = head.org_or_subject
    if not (number.isascii() and number.isdigit()):
        glued = _GLUED_TAIL.fullmatch(number)
        org, number = (org or glued[1], glued[2]) if glued else (org, "")
        findings = _with(findings, "profile_unknown")
    elif head.dialect not in _FREE_WIDTH and not _NARROWEST <= len(number) <= _WIDEST:
        findings = _with(findings, "width_unusual")
    return ReferenceCode(
        folded=folded,
        as_given=as_given,
        dialect=head.dialect,
        fonds_no=head.fonds_no,
        category_code=head.category_code,
        sub_codes=head.sub_codes,
        filing_year=head.filing_year,
        retention_code=head.retention_code,
        org_or_subject=org,
        catalogue_no=head.catalogue_no,
        project_no=head.project_no,
        volume_no=number if head.tail_is_volume else head.volume_no,
        item_no="" if head.tail_is_volume else number,
        group_no=head.group_no,
        findings=findings,
    )


def _with(findings: tuple[str, ...], code: str) -> tuple[str, ...]:
    return findings if code in findings else (*findings, code)
