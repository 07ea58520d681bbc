"""The sheet of the rules of access 利用规则表: what the county edits, read whole or refused with every fault named.

A cell that names several things parts them by 、 or +; sets of papers of which one is enough are parted by | or ；.
任意 (any) names them all. Rows are read from above: the first that fits decides. A sheet is refused where a combination
fits no row, and where a row can never decide, for its writer believed that it does.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

from hub.commands.fields import ACCESS
from hub.home import HubHome
from hub.vocabulary.county_sheets import Sheet
from hub.vocabulary.county_tables import WHOLE, Fault, TableColumn, TableRow, raise_if_any, rows_of
from hub.vocabulary.word_tables import WordTable
from hub.window.applicants import PAPERS, REQUESTERS, Paper, Requester
from hub.window.requests import Use
from hub.window.rules import RELATIONS, SAYS, Relation, Rule, Rules, Say, gaps, idle
from protocol.vocabularies import AccessStatus
from protocol.wording import Text

ID_CHARS_MAX: Final = 20
"""Characters of a rule's id."""

BASIS_CHARS_MAX: Final = 200
"""Characters of the basis of a rule."""

ANY: Final = frozenset(("任意", "any", "*"))
"""Name everything."""

ID: Final = TableColumn(name=Text(zh="编号", en="id"), is_required=True)
REQUESTER: Final = TableColumn(name=Text(zh="申请人", en="requester"), others=("申请人类型",), is_required=True)
STATUS: Final = TableColumn(name=Text(zh="开放状态", en="access"), others=("开放标识",), is_required=True)
RELATION: Final = TableColumn(name=Text(zh="与档案的关系", en="relation"), others=("关系",), is_required=True)
VIEW: Final = TableColumn(name=Text(zh="查阅", en="view"), is_required=True)
COPY: Final = TableColumn(name=Text(zh="复制", en="copy"), is_required=True)
CERTIFIED: Final = TableColumn(name=Text(zh="出证", en="certified"), is_required=True)
EVIDENCE: Final = TableColumn(name=Text(zh="证明材料", en="evidence"))
BASIS: Final = TableColumn(name=Text(zh="依据", en="basis"), others=("说明",))
COLUMNS: Final = (ID, REQUESTER, STATUS, RELATION, VIEW, COPY, CERTIFIED, EVIDENCE, BASIS)

_SAY_COLUMNS: Final = {Use.VIEW: VIEW, Use.COPY: COPY, Use.CERTIFIED: CERTIFIED}
_AND: Final = re.compile("[、+＋]")
_OR: Final = re.compile("[|｜;；\n]")
_ID: Final = re.compile(f"[A-Za-z0-9._-]{{1,{ID_CHARS_MAX}}}")

_Word = TypeVar("_Word", bound=StrEnum)


def _known(words: Mapping[_Word, Text], more: Mapping[str, _Word] | None = None) -> dict[str, _Word]:
    named = {name: value for value, text in words.items() for name in (text.zh, text.en, value.value)}
    return {_tight(name): value for name, value in {**named, **(more or {})}.items()}


def _tight(cell: str) -> str:
    return "".join(cell.split()).casefold()


_REQUESTERS: Final = _known(REQUESTERS)
_STATUSES: Final = _known(ACCESS, {"控制使用": AccessStatus.RESTRICTED})
_RELATIONS: Final = _known(RELATIONS, {"无": Relation.NONE})
_SAYS: Final = _known(SAYS, {"允许": Say.YES, "转人工": Say.REFER, "不可": Say.NO})
_PAPERS: Final = _known(PAPERS)


def rules_of(sheet: Sheet) -> Rules:
    """Understand a sheet of rules.

    Raises:
        BadTable: there are faults; it names every one with its line, column, reason and remedy.

    """
    faults: list[Fault] = []
    read = [(_rule(row, faults), row) for row in rows_of(sheet, COLUMNS)]
    rules = [rule for rule, _ in read]
    lines = {rule.id: row.line for rule, row in reversed(read)}
    faults += [
        row.fault(ID, _text(f"编号与第 {lines[rule.id]} 行相同", f"has the id of line {lines[rule.id]}"), _ID_REMEDY)
        for rule, row in read
        if lines[rule.id] != row.line
    ]
    raise_if_any(sheet.name, faults)
    last = max((row.line for _, row in read), default=1)
    faults = [_gap(last, *one) for one in gaps(rules)]
    faults += [_idle(lines[rule.id]) for rule in idle(rules)]
    raise_if_any(sheet.name, faults)
    return Rules(rows=tuple(rules))


def rule_table(home: HubHome) -> WordTable[Rules]:
    """Return the table of rules in a home, with its versions."""
    return WordTable(home, "rules", rules_of)


def _rule(row: TableRow, faults: list[Fault]) -> Rule:
    if not _ID.fullmatch(row.of(ID)):
        faults.append(row.fault(ID, _text("编号写法不对", "is no id"), _ID_REMEDY))
    says = {use: _say(row, column, faults) for use, column in _SAY_COLUMNS.items()}
    evidence = _evidence(row, faults)
    if not evidence and any(say is not Say.NO for say in says.values()):
        reason = _text("允许利用，却不要任何证明", "something is allowed without any paper")
        faults.append(row.fault(EVIDENCE, reason, _text("请写明证明材料。", "Say which papers are needed.")))
    return Rule(
        id=row.of(ID),
        requesters=_several(row, REQUESTER, (_REQUESTERS, REQUESTERS), faults),
        statuses=_several(row, STATUS, (_STATUSES, ACCESS), faults),
        relations=_several(row, RELATION, (_RELATIONS, RELATIONS), faults),
        says=says,
        evidence=evidence,
        basis=row.of(BASIS)[:BASIS_CHARS_MAX],
    )


def _several(
    row: TableRow, column: TableColumn, words: tuple[Mapping[str, _Word], Mapping[_Word, Text]], faults: list[Fault]
) -> frozenset[_Word]:
    known, spoken = words
    cell = row.of(column)
    if _tight(cell) in ANY:
        return frozenset(spoken)
    found = set()
    for word in filter(None, map(_tight, _AND.split(cell))):
        if word in known:
            found.add(known[word])
        else:
            faults.append(
                row.fault(column, _text(f"不认识“{word}”", f"{word} is not known"), _one_of(spoken, any_too=True))
            )
    return frozenset(found)


def _say(row: TableRow, column: TableColumn, faults: list[Fault]) -> Say:
    said = _SAYS.get(_tight(row.of(column)))
    if said is None:
        word = row.of(column)
        faults.append(row.fault(column, _text(f"不认识“{word}”", f"{word} is not known"), _one_of(SAYS)))
        return Say.NO
    return said


def _evidence(row: TableRow, faults: list[Fault]) -> tuple[tuple[Paper, ...], ...]:
    sets = []
    for some in _OR.split(row.of(EVIDENCE)):
        papers = []
        for word in filter(None, map(_tight, _AND.split(some))):
            if word in _PAPERS:
                papers.append(_PAPERS[word])
            else:
                faults.append(row.fault(EVIDENCE, _text(f"不认识“{word}”", f"{word} is not known"), _one_of(PAPERS)))
        if papers:
            sets.append(tuple(dict.fromkeys(papers)))
    return tuple(sets)


def _gap(line: int, requester: Requester, status: AccessStatus, relation: Relation) -> Fault:
    zh = f"{REQUESTERS[requester].zh} × {ACCESS[status].zh} × {RELATIONS[relation].zh}"
    en = f"{REQUESTERS[requester].en} × {ACCESS[status].en} × {RELATIONS[relation].en}"
    return Fault(
        line=line,
        column=WHOLE,
        reason=_text(f"没有一行规定：{zh}", f"no row decides: {en}"),
        remedy=_text(
            "请补一行；拿不准的写“审核”，由人决定。", "Add a row; where in doubt write refer, and a person decides."
        ),
    )


def _idle(line: int) -> Fault:
    return Fault(
        line=line,
        column=WHOLE,
        reason=_text("这一行永远用不上：前面的行已全部规定", "this row never decides: those above it always do"),
        remedy=_text("请上移此行，或删去。", "Move it up, or delete it."),
    )


def _one_of(words: Mapping[_Word, Text], *, any_too: bool = False) -> Text:
    zh, en = [text.zh for text in words.values()], [text.en for text in words.values()]
    if any_too:
        zh, en = ["任意", *zh], ["any", *en]
    return _text(f"可写：{'、'.join(zh)}。", f"One of: {'; '.join(en)}.")


def _text(zh: str, en: str) -> Text:
    return Text(zh=zh, en=en)


_ID_REMEDY: Final = _text(
    f"请用不重复的字母和数字，最多 {ID_CHARS_MAX} 个，如 R01。",
    f"Use letters and digits, {ID_CHARS_MAX} at most, once each, such as R01.",
)
