"""Page counts 页数, and the ranges of page numbers that stand in their column where a volume's items were listed."""

import functools
import re
import unicodedata
from typing import Final

import msgspec

PAGES_CACHE_ENTRIES: Final = 2_048
"""Entries kept of cells already read."""

PAGE_COUNT_MAX: Final = 1_000_000
"""Pages of one record; more is another column's number."""

_COUNT: Final = re.compile(r"([0-9]{1,7})(?:\.0+)?\s*(?:页|张|面|p\.?|pp\.?|pages?)?", re.IGNORECASE)
_RANGE: Final = re.compile(r"([0-9]{1,6})\s*(?:-|--|~|至|到)\s*([0-9]{1,6})\s*(?:页|张|面)?")
_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−─〜～", "-"))


class Pages(msgspec.Struct, frozen=True, kw_only=True):
    """A page count as understood; ``page_no`` is the range it was worked out from, if it was."""

    count: int | None = None
    page_no: str = ""
    findings: tuple[str, ...] = ()


@functools.lru_cache(maxsize=PAGES_CACHE_ENTRIES)
def parse_page_count(raw: str) -> Pages:
    """Read a page count; never raises. Counting rules differ (sides or sheets), so the number is kept as given."""
    text = unicodedata.normalize("NFKC", raw.strip()).translate(_DASHES)
    if not text:
        return Pages()
    if (match := _COUNT.fullmatch(text)) and int(match[1]) <= PAGE_COUNT_MAX:
        return Pages(count=int(match[1]))
    if (match := _RANGE.fullmatch(text)) and int(match[1]) <= int(match[2]):
        count = int(match[2]) - int(match[1]) + 1
        return Pages(count=count, page_no=f"{match[1]}-{match[2]}", findings=("page_count_is_range",))
    return Pages(findings=("page_count_not_number",))
