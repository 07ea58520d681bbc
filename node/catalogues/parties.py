"""Responsible parties 责任者: the issuers of a joint document, one by one, and only where the cell says so plainly.

A semicolon always separates. A comma, an enumeration mark or a blank separates only names that are whole by themselves,
because ``农业、林业局`` is one office and ``财政部、国家税务总局`` are two.
"""

import functools
import re
from typing import Final

from protocol.limits import PARTIES_MAX

PARTIES_CACHE_ENTRIES: Final = 4_096
"""Entries kept of cells already read: a sheet names a few hundred issuers."""

Findings = tuple[str, ...]

_ALWAYS: Final = re.compile(r"\s*[;；|\n]\s*")
_PERHAPS: Final = re.compile(r"\s*[、，,/]\s*|\s{1,}")
_BODY: Final = re.compile(
    r".{1,40}(?:局|部|委|会|府|院|厅|办|处|室|科|所|站|队|社|镇|乡|村|县|市|省|区|组|校|行|厂|场|署|馆|团|庭|中心|公司|"
    r"机关|支部|总队|银行|学校|大学|单位|街道|农场|林场)(?:[(（][^()（）]*[)）])?"
)
_PERSON: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003fffd·]{2,4}")
_OWN: Final = re.compile(
    r"[本我](?:局|委|办|县|市|区|镇|乡|村|院|所|厂|社|站|部|处|科|室|校|馆|会|队|公司|单位|机关|级|街道|中心|支部|党委|企业)"
)
_IN_BRACKETS: Final = re.compile(r"[(（][^()（）]*[;；、，,\s/|][^()（）]*[)）]")


@functools.lru_cache(maxsize=PARTIES_CACHE_ENTRIES)
def parse_parties(raw: str) -> tuple[tuple[str, ...], Findings]:
    """Return the parties that a cell names, and the codes of what was noticed; never raises."""
    parties: list[str] = []
    for part in [raw] if _IN_BRACKETS.search(raw) else _ALWAYS.split(raw):
        parties += _apart(part.strip())
    named = tuple(dict.fromkeys(filter(None, parties)))
    findings = ("responsible_unresolved",) if any(map(_OWN.fullmatch, named)) else ()
    return named[:PARTIES_MAX], findings


def _apart(text: str) -> list[str]:
    pieces = [piece for piece in _PERHAPS.split(text) if piece]
    bodies = sum(_BODY.fullmatch(piece) is not None for piece in pieces)
    has_mark = any(mark in text for mark in "、，,/")
    are_bodies = bodies == len(pieces)
    are_persons = bodies == 0 and has_mark and all(map(_PERSON.fullmatch, pieces))
    return pieces if len(pieces) > 1 and (are_bodies or are_persons) else [text]
