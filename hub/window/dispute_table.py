"""The sheet of dispute kinds 纠纷类型与保管期限表: which kinds the county counts, and how long their files are kept.

No statute says how long a mediation file is kept; counties decide, by kind. Hence a table of theirs, with versions.
"""

import re
from typing import Final

from hub.home import HubHome
from hub.vocabulary.county_sheets import Sheet
from hub.vocabulary.county_tables import WHOLE, Fault, TableColumn, TableRow, raise_if_any, rows_of
from hub.vocabulary.word_tables import WordTable
from hub.window.mediation import DisputeKind, DisputeKinds
from protocol.retention import RetentionKind, parse_retention
from protocol.wording import Text

KINDS_MAX: Final = 200
"""Kinds of one table: more than a report can show."""

ID: Final = TableColumn(name=Text(zh="代号", en="id"), is_required=True)
NAME: Final = TableColumn(name=Text(zh="纠纷类型", en="kind"), others=("类型",), is_required=True)
ENGLISH: Final = TableColumn(name=Text(zh="英文", en="english"))
RETENTION: Final = TableColumn(name=Text(zh="保管期限", en="retention"), others=("期限",), is_required=True)
BASIS: Final = TableColumn(name=Text(zh="依据", en="basis"), others=("说明",))
COLUMNS: Final = (ID, NAME, ENGLISH, RETENTION, BASIS)

_ID: Final = re.compile("[a-z][a-z0-9_]{0,29}")


def kinds_of(sheet: Sheet) -> DisputeKinds:
    """Understand a sheet of dispute kinds.

    Raises:
        BadTable: there are faults; it names every one with its line, column, reason and remedy.

    """
    rows = rows_of(sheet, COLUMNS)
    faults: list[Fault] = []
    first: dict[str, int] = {}
    kinds = []
    for row in rows:
        kinds.append(_kind(row, faults))
        line = first.setdefault(row.of(ID), row.line)
        if line != row.line:
            reason = Text(zh=f"代号与第 {line} 行相同", en=f"has the id of line {line}")
            faults.append(row.fault(ID, reason, _ID_REMEDY))
    if not 0 < len(kinds) <= KINDS_MAX:
        reason = Text(zh=f"应有 1 至 {KINDS_MAX} 种类型", en=f"a table has 1 to {KINDS_MAX} kinds")
        faults.append(Fault(line=1, column=WHOLE, reason=reason, remedy=Text(zh="请改正。", en="Correct it.")))
    raise_if_any(sheet.name, faults)
    return DisputeKinds(kinds=tuple(kinds))


def dispute_table(home: HubHome) -> WordTable[DisputeKinds]:
    """Return the table of dispute kinds in a home, with its versions."""
    return WordTable(home, "disputes", kinds_of)


def _kind(row: TableRow, faults: list[Fault]) -> DisputeKind:
    if not _ID.fullmatch(row.of(ID)):
        faults.append(row.fault(ID, Text(zh="代号写法不对", en="is no id"), _ID_REMEDY))
    retention = parse_retention(row.of(RETENTION))
    if retention.kind is RetentionKind.UNKNOWN:
        reason = Text(zh="读不懂的保管期限", en="this retention cannot be read")
        faults.append(row.fault(RETENTION, reason, _RETENTION_REMEDY))
    name = row.of(NAME)
    return DisputeKind(
        id=row.of(ID), name=Text(zh=name, en=row.of(ENGLISH) or name), retention=retention, basis=row.of(BASIS)
    )


_ID_REMEDY: Final = Text(
    zh="小写字母开头，字母、数字、下划线，不重复，如 forest_land。",
    en="Small letters, digits and underscores, once each, such as forest_land.",
)
_RETENTION_REMEDY: Final = Text(zh="例如：永久、30年、10年、长期。", en="For example: 永久, 30年, 10年, 长期.")
