"""The research request 专题查档: a table compiled from many fonds, such as all who settled here in the 1950s.

It is a request like any other, with a plan beside it. The plan has parts, each given to one site and one person; the
table has lines, and each line says where each of its facts stands. A line without a source is shown as such and never
left out quietly; two lines about the same person are pointed out and never joined, for provenance forbids it.
"""

from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from hub.window.applicants import NAME_CHARS_MAX, plain, said
from hub.window.requests import TEXT_CHARS_MAX
from protocol.errors import BadValue
from protocol.sites import parse_site
from protocol.wording import Count, Text

COLUMNS_MAX: Final = 20
"""Columns of a table, sources not counted."""

PARTS_MAX: Final = 300
"""Parts of a plan: one for each site of a county, and some."""

LINES_MAX: Final = 5_000
"""Lines of a table; a longer one is a catalogue."""

SOURCES_MAX: Final = 10
"""Sources of one line."""


class PartState(StrEnum):
    """How far a part is."""

    PLANNED = "planned"
    ASSIGNED = "assigned"
    DONE = "done"
    NOTHING = "nothing"
    """Everything was gone through, and there was nothing."""
    UNREACHABLE = "unreachable"
    """The holder did not answer, or its papers are not catalogued."""


PART_STATES: Final = {
    PartState.PLANNED: Text(zh="待分派", en="planned"),
    PartState.ASSIGNED: Text(zh="查找中", en="assigned"),
    PartState.DONE: Text(zh="已查", en="done"),
    PartState.NOTHING: Text(zh="已查，无", en="nothing found"),
    PartState.UNREACHABLE: Text(zh="未能查", en="could not be searched"),
}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be compiled."""

    request_id: UUID
    title: str
    columns: tuple[str, ...]
    """What each line says, the person's name first: 姓名, 迁入时间, 迁出地."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of the work: one site, and what of it."""

    part_id: UUID
    title: str
    site: str
    scope: str = ""
    """Fonds, years and kinds that are gone through."""
    assignee: str = ""
    """Login of the person who does it; empty until it is given to somebody."""
    state: PartState = PartState.PLANNED
    note: str = ""
    """What came of it; needed where it could not be searched."""


class LineSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where something of a line stands."""

    site: str
    record_id: UUID
    ref_code: str
    page_no: str = ""
    """Page or pages within the record, as the stamp on them says."""
    proves: str = ""
    """The column that it proves; empty: the whole line."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    line_id: UUID
    cells: tuple[str, ...]
    sources: tuple[LineSource, ...] = ()
    part_id: UUID | None = None


class Research(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with its parts and its table, in the order in which they were made."""

    plan: Plan
    parts: tuple[Part, ...]
    lines: tuple[Line, ...]


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a reader of the table must know."""

    line: int | None
    """Number of the line, from 1; None for the whole table."""
    words: Text


def checked_plan(plan: Plan) -> Plan:
    """Return a plan as it may be kept.

    Raises:
        BadValue: it has no title or no columns, or a column stands twice.

    """
    title = said(plan.title, NAME_CHARS_MAX)
    columns = tuple(said(one, NAME_CHARS_MAX) for one in plan.columns)
    if not title or not columns or not all(columns):
        raise _bad(
            "没有填写标题或列名。",
            "the title or the name of a column is missing",
            "例如：姓名、迁入时间、迁出地。",
            "For example: name, year of settling, place of origin.",
        )
    if len(columns) > COLUMNS_MAX or len(set(columns)) < len(columns):
        raise _bad(
            f"列名重复，或超过 {COLUMNS_MAX} 列。",
            f"a column stands twice, or there are over {COLUMNS_MAX}",
            "请改正列名。",
            "Correct the names of the columns.",
        )
    return msgspec.structs.replace(plan, title=title, columns=columns)


def checked_part(part: Part) -> Part:
    """Return a part as it may be kept; one that somebody has is assigned.

    Raises:
        BadValue: the site is none, the title is missing, or it could not be searched and nobody says why.

    """
    made = msgspec.structs.replace(
        part,
        title=said(part.title, NAME_CHARS_MAX),
        site=parse_site(part.site).code,
        scope=said(part.scope, TEXT_CHARS_MAX),
        assignee=plain(part.assignee, NAME_CHARS_MAX),
        note=said(part.note, TEXT_CHARS_MAX),
    )
    if not made.title:
        raise _bad(
            "这一部分没有标题。",
            "the part has no title",
            "例如：梅溪镇 1955 年移民名册。",
            "For example: a township's register of settlers of 1955.",
        )
    if made.state is PartState.UNREACHABLE and not made.note:
        raise _bad(
            "未能查的部分须写明原因。",
            "a part that could not be searched needs a reason",
            "例如：该村目录未录入。",
            "For example: the village has no catalogue yet.",
        )
    if made.state is not PartState.PLANNED and not made.assignee:
        raise _bad("没有写明由谁查。", "it is not said who does it", "请指定经办人。", "Name the person who does it.")
    return made


def checked_line(plan: Plan, line: Line) -> Line:
    """Return a line as it may be kept: as many cells as columns, identity numbers masked.

    Raises:
        BadValue: its cells or sources do not fit the plan.

    """
    cells = tuple(said(one, TEXT_CHARS_MAX) for one in line.cells)
    if len(cells) != len(plan.columns) or not cells[0]:
        raise _bad(
            f"一行应有 {len(plan.columns)} 格，首格（{plan.columns[0]}）不能空。",
            f"a line has {Count(len(plan.columns)):cell|cells}, the first one filled in",
            "请按列填写。",
            "Fill the cells in by column.",
        )
    if len(line.sources) > SOURCES_MAX:
        raise _bad(
            f"一行最多 {SOURCES_MAX} 个出处。",
            f"a line has {SOURCES_MAX} sources at most",
            "请留下最有力的。",
            "Keep the strongest.",
        )
    sources = tuple(_source(plan, one) for one in line.sources)
    return msgspec.structs.replace(line, cells=cells, sources=sources)


def remarks(research: Research) -> tuple[Remark, ...]:
    """Return what a reader of the table must know: parts that are open, lines without sources, persons twice."""
    found = [
        Remark(
            line=None,
            words=Text(
                zh=f"“{part.title}”（{part.site}）：{PART_STATES[part.state].zh}"
                + (f"，{part.note}" if part.note else ""),
                en=f"{part.title} ({part.site}): {PART_STATES[part.state].en}"
                + (f", {part.note}" if part.note else ""),
            ),
        )
        for part in research.parts
        if part.state not in (PartState.DONE, PartState.NOTHING)
    ]
    first: dict[str, int] = {}
    for number, line in enumerate(research.lines, 1):
        if not line.sources:
            found.append(Remark(line=number, words=Text(zh="没有出处", en="has no source")))
        other = first.setdefault(line.cells[0], number)
        if other != number:
            words = Text(
                zh=f"与第 {other} 行姓名相同，请核对是否同一人", en=f"has the name of line {other}: is it one person?"
            )
            found.append(Remark(line=number, words=words))
    return tuple(found)


def _source(plan: Plan, source: LineSource) -> LineSource:
    made = msgspec.structs.replace(
        source,
        site=parse_site(source.site).code,
        ref_code=plain(source.ref_code, NAME_CHARS_MAX),
        page_no=plain(source.page_no, NAME_CHARS_MAX),
        proves=plain(source.proves, NAME_CHARS_MAX),
    )
    if made.proves and made.proves not in plan.columns:
        raise _bad(
            "出处所证的列不在表中。",
            "a source proves a column that the table does not have",
            "请从列名中选择。",
            "Choose one of the columns.",
        )
    return made


def _bad(zh: str, en: str, hint_zh: str, hint_en: str) -> BadValue:
    return BadValue(Text(zh=zh, en=en), Text(zh=hint_zh, en=hint_en))
