"""The gazetteer's table: one row a place, as the county edits it; taken whole or refused with every fault.

| 地名 name | 类别 kind | 代码 code | 起 from | 止 to | 变更 change | 去向 successors | 别名 aliases | 来源 source |
|---|---|---|---|---|---|---|---|---|
| 皈山乡 | 乡 | 330523204 | | 2014 | 改设 | 孝源街道 | | |

A successor is named by its name, or by its code where several places have that name; several are separated by 、.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hub.vocabulary.county_sheets import Sheet
from hub.vocabulary.county_tables import Fault, TableColumn, TableRow, raise_if_any, rows_of
from hub.vocabulary.gazetteer import ChangeKind, Gazetteer, Place
from hub.vocabulary.place_forms import KIND_WORDS, PlaceKind, place_name
from protocol.analysis import HAN, fold
from protocol.dates import DateSpan, parse_date
from protocol.wording import Count, Text

NAME_CHARS_MAX: Final = 30
"""Characters of a place's name."""

SUCCESSORS_MAX: Final = 12
"""Successors of one place, and aliases."""

NAME: Final = TableColumn(name=Text(zh="地名", en="name"), others=("名称", "place"), is_required=True)
KIND: Final = TableColumn(name=Text(zh="类别", en="kind"), others=("类型",))
CODE: Final = TableColumn(name=Text(zh="代码", en="code"), others=("区划代码", "行政区划代码"))
FROM: Final = TableColumn(name=Text(zh="起", en="from"), others=("起始", "设立时间", "启用时间", "valid from"))
TO: Final = TableColumn(name=Text(zh="止", en="to"), others=("终止", "撤销时间", "弃用时间", "valid to"))
CHANGE: Final = TableColumn(name=Text(zh="变更", en="change"), others=("变更方式",))
SUCCESSORS: Final = TableColumn(name=Text(zh="去向", en="successors"), others=("今名", "并入", "successor"))
ALIASES: Final = TableColumn(name=Text(zh="别名", en="aliases"), others=("又称", "alias"))
SOURCE: Final = TableColumn(name=Text(zh="来源", en="source"), others=("依据", "备注", "note"))
COLUMNS: Final = (NAME, KIND, CODE, FROM, TO, CHANGE, SUCCESSORS, ALIASES, SOURCE)

CHANGES: Final = {
    ChangeKind.RENAMED: "改名",
    ChangeKind.MERGED: "并入",
    ChangeKind.DIVIDED: "拆分",
    ChangeKind.CONVERTED: "改设",
    ChangeKind.RECODED: "换码",
    ChangeKind.ABOLISHED: "撤销",
}
"""How the table writes what became of a place."""

_OTHER_WORDS: Final = {
    **dict.fromkeys(("更名", "改称"), ChangeKind.RENAMED),
    **dict.fromkeys(("合并", "撤并"), ChangeKind.MERGED),
    **dict.fromkeys(("分设", "析置", "拆分为", "split"), ChangeKind.DIVIDED),
    **dict.fromkeys(("撤镇设街道", "撤乡设镇", "撤乡建街道", "改为"), ChangeKind.CONVERTED),
    **dict.fromkeys(("代码变更", "重新编码"), ChangeKind.RECODED),
    **dict.fromkeys(("撤消", "废止"), ChangeKind.ABOLISHED),
}
_CHANGE_BY_WORD: Final = {
    **{word: kind for kind, word in CHANGES.items()},
    **{kind.value: kind for kind in ChangeKind},
    **_OTHER_WORDS,
}
_KIND_BY_WORD: Final = {
    **{word: kind for kind, words in KIND_WORDS.items() for word in (words.zh, words.en)},
    "市": PlaceKind.COUNTY,
    "居委会": PlaceKind.COMMUNITY,
}
_SEPARATORS: Final = re.compile(r"[、，,;；/|\n]+")
_CODE: Final = re.compile(r"[0-9]{6}|[0-9]{9}|[0-9]{12}")
_NAME: Final = re.compile(rf"[\w{HAN}][\w·{HAN}]{{1,{NAME_CHARS_MAX - 1}}}")


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row that stands by itself; its successors are words still."""

    row: TableRow
    place: Place
    successors: tuple[str, ...]


def gazetteer_of(sheet: Sheet) -> Gazetteer:
    """Read the table.

    Raises:
        BadTable: something is wrong anywhere in it; every fault is named.

    """
    faults: list[Fault] = []
    rows = [found for row in rows_of(sheet, COLUMNS) if (found := _row(row, faults)) is not None]
    raise_if_any(sheet.name, [*faults, *_repeated(rows)])
    places = _linked(rows, faults)
    raise_if_any(sheet.name, faults)
    raise_if_any(sheet.name, _circles(places, rows))
    return Gazetteer(places)


def _row(row: TableRow, faults: list[Fault]) -> _Row | None:
    known = len(faults)
    written = row.of(NAME)
    if not _NAME.fullmatch(written):
        faults.append(row.fault(NAME, _text("不是地名", f"is no name of a place: {written}"), _NAME_REMEDY))
    kind = _KIND_BY_WORD.get(row.of(KIND).casefold())
    if row.of(KIND) and kind is None:
        faults.append(row.fault(KIND, _text(f"不认识的类别“{row.of(KIND)}”", f"unknown: {row.of(KIND)}"), _KIND_REMEDY))
    code = row.of(CODE)
    if code and not _CODE.fullmatch(code):
        faults.append(row.fault(CODE, _text(f"不是区划代码“{code}”", f"is no code: {code}"), _CODE_REMEDY))
    dates = [_date(row, column, faults) for column in (FROM, TO)]
    if _reversed(*dates):
        reversed_text = _text("早于起始时间", "is before the beginning")
        faults.append(row.fault(TO, reversed_text, _text("请核对起止时间。", "Check both dates.")))
    change = _change(row, faults)
    successors, aliases = (_parts(row, column, faults) for column in (SUCCESSORS, ALIASES))
    if len(faults) > known:
        return None
    place = Place(
        written=written,
        name=place_name(fold(written), kind),
        code=code,
        valid_from=dates[0].edtf,
        valid_to=dates[1].edtf,
        change=change,
        aliases=tuple(dict.fromkeys(map(fold, aliases))),
        source=row.of(SOURCE),
        line=row.line,
    )
    return _Row(row=row, place=place, successors=successors)


def _date(row: TableRow, column: TableColumn, faults: list[Fault]) -> DateSpan:
    span = parse_date(row.of(column))
    if row.of(column) and span.earliest is None:
        reason = _text(f"不是日期“{row.of(column)}”", f"is no date: {row.of(column)}")
        faults.append(row.fault(column, reason, _text("写年份即可，如 2014。", "A year is enough: 2014.")))
    return span


def _reversed(first: DateSpan, last: DateSpan) -> bool:
    return first.earliest is not None and last.latest is not None and last.latest < first.earliest


def _change(row: TableRow, faults: list[Fault]) -> ChangeKind | None:
    told, has_successors = row.of(CHANGE), bool(row.of(SUCCESSORS))
    change = _CHANGE_BY_WORD.get(told.casefold())
    if told and change is None:
        faults.append(row.fault(CHANGE, _text(f"不认识的变更“{told}”", f"unknown: {told}"), _CHANGE_REMEDY))
    elif has_successors and change is None:
        faults.append(row.fault(CHANGE, _text("写了去向，没写变更", "successors need a change"), _CHANGE_REMEDY))
    elif change not in (None, ChangeKind.ABOLISHED) and not has_successors:
        reason = _text(f"“{told}”须写明去向", f"{told} needs a successor")
        remedy = _text("填写去向；没有去向的写“撤销”。", "Name the successor, or write abolished.")
        faults.append(row.fault(SUCCESSORS, reason, remedy))
    return change


def _parts(row: TableRow, column: TableColumn, faults: list[Fault]) -> tuple[str, ...]:
    parts = tuple(dict.fromkeys(part.strip() for part in _SEPARATORS.split(row.of(column)) if part.strip()))
    if len(parts) > SUCCESSORS_MAX:
        reason = _text(f"超过 {SUCCESSORS_MAX} 个", f"more than {SUCCESSORS_MAX}")
        faults.append(row.fault(column, reason, _text("请核对。", "Check it.")))
    unfit = next((part for part in parts if not _NAME.fullmatch(part)), None)
    if unfit is not None:
        faults.append(row.fault(column, _text(f"不是地名“{unfit}”", f"is no name: {unfit}"), _NAME_REMEDY))
    return parts


def _repeated(rows: Sequence[_Row]) -> list[Fault]:
    first: dict[tuple[str, str, str], int] = {}
    faults = []
    for one in rows:
        key = (fold(one.place.written), one.place.code, one.place.valid_from)
        line = first.setdefault(key, one.row.line)
        if line != one.row.line:
            reason = _text(f"与第 {line} 行是同一地名", f"is the same place as line {line}")
            remedy = _text(
                "删去一行；若确是两地，请写明代码。", "Delete one; if they are two places, give their codes."
            )
            faults.append(one.row.fault(NAME, reason, remedy))
    return faults


def _linked(rows: Sequence[_Row], faults: list[Fault]) -> list[Place]:
    known: dict[str, list[int]] = {}
    for number, one in enumerate(rows):
        texts = (fold(one.place.written), one.place.name.proper, one.place.code)
        for text in dict.fromkeys(filter(None, texts)):
            known.setdefault(text, []).append(number)
    places = []
    for number, one in enumerate(rows):
        found = [_found(one, word, known, number, faults) for word in one.successors]
        successors = tuple(dict.fromkeys(other for other in found if other is not None))
        places.append(msgspec.structs.replace(one.place, successors=successors))
    return places


def _found(one: _Row, word: str, known: Mapping[str, list[int]], number: int, faults: list[Fault]) -> int | None:
    numbers = known.get(fold(word), [])
    if len(numbers) == 1 and numbers[0] != number:
        return numbers[0]
    if not numbers:
        reason = _text(f"表中没有“{word}”", f"there is no {word} in the table")
        remedy = _text("请为它加一行，或改正名称。", "Add a row for it, or correct the name.")
    elif numbers == [number]:
        reason, remedy = _text("去向是它自己", "its successor is itself"), _text("请改正。", "Correct it.")
    else:
        reason = _text(f"“{word}”有 {len(numbers)} 处", f"there are {Count(len(numbers)):place|places} named {word}")
        remedy = _text("请写它的代码。", "Write its code instead.")
    faults.append(one.row.fault(SUCCESSORS, reason, remedy))
    return None


def _circles(places: Sequence[Place], rows: Sequence[_Row]) -> list[Fault]:
    """Name every place whose successors lead into a circle: what is left when all ends have been taken away."""
    left = {number: set(place.successors) for number, place in enumerate(places)}
    before: dict[int, list[int]] = {}
    for number, place in enumerate(places):
        for other in place.successors:
            before.setdefault(other, []).append(number)
    ends = [number for number, successors in left.items() if not successors]
    while ends:
        end = ends.pop()
        del left[end]
        for number in before.get(end, ()):
            left[number].discard(end)
            if not left[number]:
                ends.append(number)
    names = "、".join(places[number].written for number in list(left)[:5])
    reason = _text(f"去向绕成一圈：{names}", f"the successors lead in a circle: {names}")
    remedy = _text(
        "请核对这几行的去向；改回旧名的另起一行。", "Check these rows; a name that came back is a row of its own."
    )
    return [rows[number].row.fault(SUCCESSORS, reason, remedy) for number in left]


def _text(zh: str, en: str) -> Text:
    return Text(zh=zh, en=en)


_NAME_REMEDY: Final = _text(
    f"2 至 {NAME_CHARS_MAX} 个字，不含标点。", f"2 to {NAME_CHARS_MAX} characters, no punctuation."
)
_KIND_REMEDY: Final = _text(
    f"可写：{'、'.join(words.zh for words in KIND_WORDS.values())}；也可留空。",
    f"One of {', '.join(words.en for words in KIND_WORDS.values())}, or nothing.",
)
_CODE_REMEDY: Final = _text("6、9 或 12 位数字，也可留空。", "6, 9 or 12 digits, or nothing.")
_CHANGE_REMEDY: Final = _text(f"可写：{'、'.join(CHANGES.values())}。", f"One of {', '.join(CHANGES)}.")
