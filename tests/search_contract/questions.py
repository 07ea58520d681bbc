"""The reviewed questions: ``questions/``, one a line, each with what a person who read the records expects of it.

``id ¦ class ¦ query ¦ filters ¦ expected ¦ unwanted ¦ why``. *Expected* names records; ``>`` parts tiers: whatever is
found of a later tier stands behind what is found of an earlier one. ``?name@*`` asks for at least one of those that fit
the pattern. *Unwanted* records are never among the first twenty; ``~name`` may be there, behind everything expected;
``*`` is every record.
"""

import datetime
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import msgspec

from protocol.vocabularies import AccessStatus, Level
from tests.search_contract.catalogue import SEPARATOR, unescaped

QUESTIONS: Final = Path(__file__).with_name("questions")

HITS: Final = 20
"""Hits that count: the first page."""


class Filters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked for beside the words."""

    site: str = ""
    start: datetime.date | None = msgspec.field(default=None, name="from")
    end: datetime.date | None = msgspec.field(default=None, name="to")
    fonds: str = ""
    kind: str = ""
    access: AccessStatus | None = None
    level: Level | None = None
    homophones: str = ""
    """``yes``: names that sound alike are asked for; ``no``: they are not; else the search decides."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question."""

    id: str
    kind: str
    """The class in whose recall it counts."""
    query: str
    filters: Filters
    expected: tuple[tuple[str, ...], ...]
    """Names of records in tiers."""
    unwanted: tuple[str, ...]
    tolerated: tuple[str, ...]
    why: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer is worth."""

    found: int
    expected: int
    missed: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()
    """Records that stand where they must not."""

    @property
    def recall(self) -> float:
        """The part of what was expected that was found; 1.0 where nothing was."""
        return self.found / self.expected if self.expected else 1.0


def all_questions(folder: Path = QUESTIONS) -> list[Question]:
    """Return the questions of a folder, in their order."""
    return [
        _question(row)
        for path in sorted(folder.glob("*.txt"))
        for row in path.read_text("utf-8").splitlines()
        if row.strip() and not row.startswith("#")
    ]


def _question(row: str) -> Question:
    cells = [cell.strip() for cell in f"{row} ".split(SEPARATOR.rstrip())]
    name, kind, query, filters, expected, unwanted, *why = cells
    said = dict(part.strip().split("=", 1) for part in filters.split(";") if part.strip())
    refused = unwanted.split()
    return Question(
        id=name,
        kind=kind,
        query=unescaped(query),
        filters=msgspec.convert(said, Filters, strict=False),
        expected=tuple(tuple(tier.split()) for tier in expected.split(" > ")) if expected else (),
        unwanted=tuple(one for one in refused if not one.startswith("~")),
        tolerated=tuple(one[1:] for one in refused if one.startswith("~")),
        why="".join(why),
    )


def judged(question: Question, answer: Sequence[str]) -> Verdict:
    """Judge the names of the records that were found, best first."""
    first = list(dict.fromkeys(answer))[:HITS]
    places = {name: place for place, name in enumerate(first)}
    tiers = [[_place(one, places) for one in tier] for tier in question.expected]
    wanted = [one for tier in question.expected for one in tier]
    found = [place for tier in tiers for place in tier if place is not None]
    missed = [one for one, place in zip(wanted, (p for tier in tiers for p in tier), strict=True) if place is None]
    wrong = [name for name in first if any(fnmatchcase(name, pattern) for pattern in question.unwanted)]
    last = max(found, default=-1)
    wrong += [f"~{name}" for name in question.tolerated if -1 < places.get(name, HITS) < last]
    reached = -1
    for tier in tiers:
        seen = [place for place in tier if place is not None]
        if seen and min(seen) < reached:
            wrong.append(f">{first[min(seen)]}")
        reached = max([reached, *seen])
    return Verdict(found=len(found), expected=min(len(wanted), HITS), missed=tuple(missed), violations=tuple(wrong))


def within(question: Question, held: Collection[str]) -> Question:
    """Return the question with no more expected than what is held where it is put."""
    tiers = tuple(tuple(one for one in tier if _is_held(one, held)) for tier in question.expected)
    return msgspec.structs.replace(question, expected=tuple(filter(None, tiers)))


def _is_held(wanted: str, held: Collection[str]) -> bool:
    return any(fnmatchcase(name, wanted[1:]) for name in held) if wanted.startswith("?") else wanted in held


def _place(wanted: str, places: dict[str, int]) -> int | None:
    if wanted.startswith("?"):
        return min((place for name, place in places.items() if fnmatchcase(name, wanted[1:])), default=None)
    return places.get(wanted)
