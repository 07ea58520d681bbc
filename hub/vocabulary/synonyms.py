"""Equal words: groups in which each word may stand for each other, as the county's table has them.

| 词语 words | 说明 note |
|---|---|
| 林权、山林权、山林所有权 | 山林权属 |

Equal means: whoever looks for one wants the others as well. Groups are not joined: a word of two groups stands for the
words of both, but these not for each other.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from hub.vocabulary.county_sheets import Sheet
from hub.vocabulary.county_tables import Fault, TableColumn, TableRow, raise_if_any, rows_of
from hub.vocabulary.passages import Passages
from protocol.analysis import HAN, fold
from protocol.readings import Reading, ReadingKind
from protocol.wording import Text

WORDS_MAX: Final = 24
"""Words of one group."""

GROUPS_MAX: Final = 6
"""Groups that one word may be in."""

WORD_CHARS_MAX: Final = 20
"""Characters of a word; one character alone is no word, for it stands in every text."""

SYNONYM_READINGS_MAX: Final = 12
"""Readings of one word by the table."""

WORDS: Final = TableColumn(name=Text(zh="词语", en="words"), others=("同义词", "synonyms"), is_required=True)
NOTE: Final = TableColumn(name=Text(zh="说明", en="note"), others=("备注", "类别"))
COLUMNS: Final = (WORDS, NOTE)

_SEPARATORS: Final = re.compile(r"[、，,;；/|\n]+")
_WORD: Final = re.compile(rf"[\w{HAN}][\w·{HAN}]{{1,{WORD_CHARS_MAX - 1}}}")


class SynonymGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Words that stand for each other, folded, in the order of the table."""

    words: tuple[str, ...]
    note: str = ""
    line: int = 0


class Synonyms:
    """All groups; made whole and never changed, so that any thread may read it."""

    def __init__(self, groups: Sequence[SynonymGroup]) -> None:
        self.groups = tuple(groups)
        self._groups_of: dict[str, list[SynonymGroup]] = {}
        for group in self.groups:
            for word in group.words:
                self._groups_of.setdefault(word, []).append(group)
        self._passages = Passages(self._groups_of)

    def names(self, word: str) -> bool:
        """Tell whether a folded word is in the table."""
        return word in self._groups_of

    def readings(self, word: str) -> tuple[Reading, ...]:
        """Return the readings of a folded word that is, or contains, a word of the table."""
        readings: dict[str, Reading] = {}
        for passage in self._passages.found(word):
            for group in self._groups_of[passage.text]:
                for equal in group.words:
                    other = passage.replaced(word, equal)
                    # What contains the word is found by the word itself.
                    if word not in other and other not in readings:
                        readings[other] = Reading(text=other, kind=ReadingKind.SYNONYM, note=_note(passage.text, equal))
        return tuple(readings.values())[:SYNONYM_READINGS_MAX]


def synonyms_of(sheet: Sheet) -> Synonyms:
    """Read the table.

    Raises:
        BadTable: something is wrong anywhere in it; every fault is named.

    """
    faults: list[Fault] = []
    groups = [_group(row, faults) for row in rows_of(sheet, COLUMNS)]
    raise_if_any(sheet.name, [*faults, *_crowded(groups)])
    return Synonyms(groups)


def _group(row: TableRow, faults: list[Fault]) -> SynonymGroup:
    given = [part.strip() for part in _SEPARATORS.split(row.of(WORDS)) if part.strip()]
    words = tuple(dict.fromkeys(map(fold, given)))
    unfit = next((word for word in given if not _WORD.fullmatch(word)), None)
    if unfit is not None:
        faults.append(row.fault(WORDS, Text(zh=f"不能用作词语“{unfit}”", en=f"is no word: {unfit}"), _WORD_REMEDY))
    elif len(words) < len(given):
        twice = next(word for number, word in enumerate(given) if fold(word) in map(fold, given[:number]))
        reason = Text(zh=f"“{twice}”写了两次", en=f"{twice} stands twice")
        faults.append(row.fault(WORDS, reason, Text(zh="请只写一次。", en="Write it once.")))
    elif not 2 <= len(words) <= WORDS_MAX:
        reason = Text(zh=f"一组应有 2 至 {WORDS_MAX} 个词语", en=f"a group has 2 to {WORDS_MAX} words")
        remedy = Text(zh="词语之间用顿号“、”隔开，一组一行。", en="Separate words by 、 and write a group in each row.")
        faults.append(row.fault(WORDS, reason, remedy))
    return SynonymGroup(words=words, note=row.of(NOTE), line=row.line)


def _crowded(groups: Sequence[SynonymGroup]) -> list[Fault]:
    lines: dict[str, list[int]] = {}
    for group in groups:
        for word in group.words:
            lines.setdefault(word, []).append(group.line)
    return [_fault(word, found) for word, found in lines.items() if len(found) > GROUPS_MAX]


def _fault(word: str, lines: Sequence[int]) -> Fault:
    return Fault(
        line=lines[GROUPS_MAX],
        column=WORDS.name,
        reason=Text(zh=f"“{word}”已在 {GROUPS_MAX} 组中", en=f"{word} is in {GROUPS_MAX} groups already"),
        remedy=Text(zh="请合并这些组，或删去它。", en="Join these groups, or leave it out."),
    )


def _note(word: str, equal: str) -> Text:
    return Text(
        zh=f"“{equal}”与“{word}”同义（县同义词表）", en=f"{equal} equals {word} (the county's table of synonyms)"
    )


_WORD_REMEDY: Final = Text(
    zh=f"2 至 {WORD_CHARS_MAX} 个字，不含标点和空格；词语之间用顿号“、”隔开。",
    en=f"2 to {WORD_CHARS_MAX} characters without punctuation or blanks; separate words by 、.",
)
