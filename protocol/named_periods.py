"""Periods that people call by a name instead of a year: 文革期间, 解放前, 建国初, 民国时期, 清末.

The bounds are those by which papers are filed, wide rather than narrow: what was liberated when differs from county to
county, so 解放后 begins with the crossing of the Yangtze, and 解放前 ends with the founding of the state.
"""

import datetime
import re
from typing import Final, NamedTuple

from protocol.eras import ERA_NAMES, ERAS


class Days(NamedTuple):
    """From a first to a last day; None for an open end."""

    first: datetime.date | None
    last: datetime.date | None


class _Event(NamedTuple):
    """What happened at one time."""

    before: datetime.date
    """The last day of what was before it."""
    after: datetime.date
    """The first day of what was after it."""
    early: datetime.date
    """The last day of its first years."""


def _days(first: tuple[int, int, int], last: tuple[int, int, int]) -> Days:
    return Days(datetime.date(*first), datetime.date(*last))


_FOUNDED: Final = _Event(datetime.date(1949, 9, 30), datetime.date(1949, 10, 1), datetime.date(1956, 12, 31))
_LIBERATED: Final = _FOUNDED._replace(after=datetime.date(1949, 4, 21))
_REFORM: Final = _Event(datetime.date(1978, 12, 17), datetime.date(1978, 12, 18), datetime.date(1984, 12, 31))

_EVENTS: Final = {
    **dict.fromkeys(("建国", "新中国成立", "中华人民共和国成立", "共和国成立"), _FOUNDED),
    **dict.fromkeys(("解放", "全国解放"), _LIBERATED),
    "改革开放": _REFORM,
}

_STRETCHES: Final = {
    **dict.fromkeys(("文革", "文化大革命", "十年动乱", "十年浩劫"), _days((1966, 5, 16), (1976, 10, 31))),
    **dict.fromkeys(("抗战", "抗日战争", "抗日", "八年抗战"), _days((1937, 7, 7), (1945, 9, 3))),
    **dict.fromkeys(("解放战争", "国共内战"), _days((1945, 9, 3), (1949, 9, 30))),
    **dict.fromkeys(("大跃进", "大炼钢铁"), _days((1958, 1, 1), (1960, 12, 31))),
    **dict.fromkeys(("三年困难", "三年自然灾害", "三年困难时期"), _days((1959, 1, 1), (1961, 12, 31))),
    **dict.fromkeys(("土改", "土地改革"), _days((1950, 6, 1), (1953, 3, 31))),
    **dict.fromkeys(("合作化", "农业合作化"), _days((1952, 1, 1), (1957, 12, 31))),
    **dict.fromkeys(("人民公社", "公社化"), _days((1958, 8, 1), (1984, 12, 31))),
    **dict.fromkeys(("四清", "四清运动", "社教", "社会主义教育运动"), _days((1963, 1, 1), (1966, 12, 31))),
    "抗美援朝": _days((1950, 10, 1), (1953, 7, 31)),
    "民国": _days((1912, 1, 1), (1949, 12, 31)),
}

_WHOLE: Final = {
    **dict.fromkeys(("清代", "清朝", "明清时期"), _days((1644, 1, 1), (1911, 12, 31))),
    **dict.fromkeys(("清初",), _days((1644, 1, 1), (1735, 12, 31))),
    **dict.fromkeys(("清末", "晚清", "清朝末年", "清季"), _days((1840, 1, 1), (1911, 12, 31))),
    "清末民初": _days((1895, 1, 1), (1919, 12, 31)),
    **dict.fromkeys(("民初", "民国初年", "民国初期", "民国初"), _days((1912, 1, 1), (1919, 12, 31))),
    **dict.fromkeys(("明代", "明朝"), _days((1368, 1, 1), (1644, 12, 31))),
    **dict.fromkeys(("明末", "晚明"), _days((1573, 1, 1), (1644, 12, 31))),
}

_ALONE: Final = frozenset(("文革", "文化大革命", "民国"))
"""Names that are a period without a word that says so; 大跃进 and 土改 are subjects."""

_BEFORE: Final = frozenset(("前", "以前", "之前"))
_AFTER: Final = frozenset(("后", "以后", "之后", "以来"))
_FIRST_YEARS: Final = frozenset(("初", "初期", "之初", "初年"))

_NAMED: Final = re.compile(
    f"(?P<name>{'|'.join(sorted((*_EVENTS, *_STRETCHES), key=len, reverse=True))})"
    f"(?P<part>期间|时期|年间|时代|时|中|{'|'.join((*_BEFORE, *_AFTER, *_FIRST_YEARS))})?"
)
_REIGN: Final = re.compile(f"(?:大?清|大?明)?(?P<era>{ERA_NAMES})(?:年间|时期|朝|间|末年|初年)")


def named_period(text: str) -> Days | None:
    """Return the days of a period that goes by a name; None for any other text, simplified and folded."""
    if (whole := _WHOLE.get(text)) is not None:
        return whole
    if match := _NAMED.fullmatch(text):
        return _part(match["name"], match["part"] or "")
    if reign := _REIGN.fullmatch(text):
        era = ERAS[reign["era"]]
        return _days((era.first, 1, 1), (era.first + era.years - 1, 12, 31))
    return None


def _part(name: str, part: str) -> Days | None:
    if (event := _EVENTS.get(name)) is not None:
        return _of_event(event, part)
    days = _STRETCHES[name]
    day = datetime.timedelta(days=1)
    if part in _BEFORE:
        return Days(None, days.first - day) if days.first else None
    if part in _AFTER:
        return Days(days.last + day, None) if days.last else None
    return days if part not in _FIRST_YEARS and (part or name in _ALONE) else None


def _of_event(event: _Event, part: str) -> Days | None:
    if part in _BEFORE:
        return Days(None, event.before)
    if part in _FIRST_YEARS:
        return Days(event.after, event.early)
    # 解放时 is a day, 改革开放时期 what goes on since.
    is_since = part in _AFTER or (event is _REFORM and part in {"时期", "期间"})
    return Days(event.after, None) if is_since else None
