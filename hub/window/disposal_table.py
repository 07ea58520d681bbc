"""The sheet of how long personal data of requests are kept 查档个人信息保留期限表: by who asked, and for what.

The first row that fits decides. A request that belongs to a mediation case follows the retention of the case's file.
"""

import re
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from hub.home import HubHome
from hub.vocabulary.county_sheets import Sheet
from hub.vocabulary.county_tables import WHOLE, Fault, TableColumn, TableRow, raise_if_any, rows_of
from hub.vocabulary.word_tables import WordTable
from hub.window.applicants import REQUESTERS, Requester
from hub.window.requests import PURPOSES, Purpose
from protocol.errors import BadFile
from protocol.retention import PERMANENT, Retention, RetentionKind, parse_retention
from protocol.wording import Text

ROWS_MAX: Final = 100
"""Rows of one table."""

ID: Final = TableColumn(name=Text(zh="编号", en="id"), is_required=True)
REQUESTER: Final = TableColumn(name=Text(zh="申请人", en="requester"), is_required=True)
PURPOSE: Final = TableColumn(name=Text(zh="目的", en="purpose"), is_required=True)
RETENTION: Final = TableColumn(name=Text(zh="保留期限", en="retention"), others=("期限",), is_required=True)
PAPERS: Final = TableColumn(name=Text(zh="证明留底", en="papers"))
BASIS: Final = TableColumn(name=Text(zh="依据", en="basis"), others=("说明",))
COLUMNS: Final = (ID, REQUESTER, PURPOSE, RETENTION, PAPERS, BASIS)
ANY: Final = frozenset(("任意", "any"))

_ID: Final = re.compile("[A-Z][A-Z0-9]{0,9}")
_AND: Final = re.compile("[、,，;；]+")

_W = TypeVar("_W", Requester, Purpose)
T = TypeVar("T")


class DisposalRule(msgspec.Struct, frozen=True, kw_only=True):
    """One row: whose requests it is about, and how long their personal data are kept."""

    id: str
    requesters: frozenset[Requester]
    purposes: frozenset[Purpose]
    retention: Retention
    """A number of years, from the one after the request ended, or permanent."""
    papers: Retention = PERMANENT
    """The same of the certificates' files and contents; the register is permanent."""
    basis: str = ""


class DisposalRules(msgspec.Struct, frozen=True, kw_only=True):
    """The table."""

    rows: tuple[DisposalRule, ...]

    def of(self, requester: Requester, purpose: Purpose) -> DisposalRule | None:
        """Return the row that decides; None if there is none, and then everything is kept."""
        return next((one for one in self.rows if requester in one.requesters and purpose in one.purposes), None)


def disposal_rules_of(sheet: Sheet) -> DisposalRules:
    """Understand a sheet of retention.

    Raises:
        BadTable: there are faults, or something that is decided by no row; it names every one.

    """
    faults: list[Fault] = []
    rows = rows_of(sheet, COLUMNS)
    rules = [_rule(row, faults) for row in rows]
    if not 0 < len(rules) <= ROWS_MAX:
        reason = Text(zh=f"应有 1 至 {ROWS_MAX} 行", en=f"a table has 1 to {ROWS_MAX} rows")
        faults.append(Fault(line=1, column=WHOLE, reason=reason, remedy=Text(zh="请改正。", en="Correct it.")))
    seen: dict[str, int] = {}
    for rule, row in zip(rules, rows, strict=True):
        if seen.setdefault(rule.id, row.line) != row.line:
            reason = Text(zh=f"编号与第 {seen[rule.id]} 行相同", en=f"has the id of line {seen[rule.id]}")
            faults.append(row.fault(ID, reason, _ID_REMEDY))
    raise_if_any(sheet.name, faults)
    made = DisposalRules(rows=tuple(rules))
    raise_if_any(sheet.name, [_gap(max(row.line for row in rows), *one) for one in _gaps(made)][:1])
    return made


def disposal_table(home: HubHome) -> WordTable[DisposalRules]:
    """Return the table of retention in a home, with its versions."""
    return WordTable(home, "disposal", disposal_rules_of)


def newest_of(table: WordTable[T]) -> T:
    """Return the newest version of a table that disposal goes by, never an older one in its place.

    A damaged table is elsewhere passed over for the one before; here that could remove what the newest one keeps.

    Raises:
        BadFile: the newest version cannot be read.

    """
    number, made = table.in_force()
    newest = table.versions()[0].number
    if number != newest:
        raise BadFile(
            Text(
                zh=f"表 {table.name} 第 {newest} 版已损坏。",
                en=f"version {newest} of {table.name} is damaged",
            ),
            Text(zh="请重新启用一份好表；此前不清除任何内容。", en="Load a good one; until then nothing is removed."),
        )
    return made


def _rule(row: TableRow, faults: list[Fault]) -> DisposalRule:
    if not _ID.fullmatch(row.of(ID)):
        faults.append(row.fault(ID, Text(zh="编号写法不对", en="is no id"), _ID_REMEDY))
    retention = _retention(row, RETENTION, faults)
    # What the county says nothing about is kept.
    papers = _retention(row, PAPERS, faults) if row.of(PAPERS) else PERMANENT
    if retention.years is not None and papers.years is not None and papers.years < retention.years:
        reason = Text(zh="短于个人信息的保留期限", en="is shorter than the retention of personal data")
        faults.append(
            row.fault(PAPERS, reason, Text(zh="请写同样或更长的期限。", en="Write as long a term, or longer."))
        )
    return DisposalRule(
        id=row.of(ID),
        requesters=_several(row, REQUESTER, REQUESTERS, faults),
        purposes=_several(row, PURPOSE, PURPOSES, faults),
        retention=retention,
        papers=papers,
        basis=row.of(BASIS),
    )


def _retention(row: TableRow, column: TableColumn, faults: list[Fault]) -> Retention:
    retention = parse_retention(row.of(column))
    if retention.kind is not RetentionKind.YEARS and retention != PERMANENT:
        reason = Text(zh="应是年数或永久", en="must be a number of years, or permanent")
        faults.append(row.fault(column, reason, Text(zh="例如：3年、永久。", en="For example: 3年, 永久.")))
    return retention


def _several(row: TableRow, column: TableColumn, spoken: Mapping[_W, Text], faults: list[Fault]) -> frozenset[_W]:
    cell = row.of(column).strip()
    if cell in ANY:
        return frozenset(spoken)
    # A purpose may have the mark in its name that divides several: 信访、矛盾调解.
    known = {name: one for one, words in spoken.items() for name in (words.zh, words.en, one.value)}
    if cell in known:
        return frozenset((known[cell],))
    found, left = set(), cell
    for name in sorted(known, key=len, reverse=True):
        if _AND.search(name) and name in left:
            found.add(known[name])
            left = left.replace(name, "、")
    for word in filter(None, (part.strip() for part in _AND.split(left))):
        if word in known:
            found.add(known[word])
        else:
            names = "、".join(words.zh for words in spoken.values())
            remedy = Text(zh=f"可写：任意、{names}。", en=f"One of: any; {'; '.join(w.en for w in spoken.values())}.")
            faults.append(row.fault(column, Text(zh=f"不认识“{word}”", en=f"{word} is not known"), remedy))
    return frozenset(found)


def _gaps(rules: DisposalRules) -> list[tuple[Requester, Purpose]]:
    return [(who, why) for who in Requester for why in Purpose if rules.of(who, why) is None]


def _gap(line: int, requester: Requester, purpose: Purpose) -> Fault:
    zh, en = (f"{REQUESTERS[requester].zh} × {PURPOSES[purpose].zh}", f"{requester.value} × {purpose.value}")
    return Fault(
        line=line,
        column=WHOLE,
        reason=Text(zh=f"没有一行规定：{zh}", en=f"no row decides: {en}"),
        remedy=Text(zh="请在最后补一行“任意、任意”。", en="Add a last row for any requester and any purpose."),
    )


_ID_REMEDY: Final = Text(
    zh="大写字母开头，字母和数字，不重复，如 D01。", en="Capital letters and digits, once each, such as D01."
)
