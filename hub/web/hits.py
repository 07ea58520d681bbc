"""Hits as a list shows them: what a reader may see of each, why it was found, and what stands together."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from hub.commands.fields import ACCESS, field_word
from hub.decisions.duplicates import Likeness
from hub.disclosure.guarding import GUARDED
from hub.searching.gathering import MergedHit
from hub.searching.search import Found
from protocol.analysis import fold
from protocol.calls import Match
from protocol.records import Record
from protocol.vocabularies import LIVELIHOOD_KINDS, AccessStatus
from protocol.wording import Text

TITLE_CHARS_MAX: Final = 300
"""Characters of a title in a list; the entry's page shows all."""

_HOW: Final = {
    "variant": Text(zh="繁简、全半角不同", en="in another script or width"),
    "whole": Text(zh="写法不同的同一编号", en="the same number, written otherwise"),
    "beginning": Text(zh="编号的开头", en="the beginning of the code"),
    "dated": Text(zh="按日期", en="by its date"),
}


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a title, marked where the words stand."""

    text: str
    is_marked: bool = False


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why an entry was found: in which field, what stands there, and what had to be done to the words."""

    field: Text
    word: str
    how: Text | None


class HitLine(msgspec.Struct, frozen=True, kw_only=True):
    """One hit."""

    site: str
    site_name: str
    record_id: UUID
    is_guarded: bool
    """The reader sees that there is an entry, and no more."""
    status: AccessStatus
    access: Text
    title: tuple[Stretch, ...] = ()
    date: str = ""
    ref_code: str = ""
    fonds_no: str = ""
    kind: Text | None = None
    reasons: tuple[Reason, ...] = ()
    likeness: Likeness = Likeness()
    is_live: bool = False

    @property
    def path(self) -> str:
        """Address of the entry."""
        return f"/catalogue/{self.site}/{self.record_id}"


def groups_of(hits: Iterable[Found | MergedHit], names: Mapping[str, str], *, sees_all: bool) -> list[list[HitLine]]:
    """Return hits in their order, those that belong together in one list.

    Args:
        hits: as the search gives them, members of a group one behind the other.
        names: of the sites.
        sees_all: whether the reader may read restricted entries.

    """
    groups: list[list[HitLine]] = []
    last: int | None = None
    for hit in hits:
        line = _line(hit, names, sees_all=sees_all)
        if groups and hit.group >= 0 and hit.group == last:
            groups[-1].append(line)
        else:
            groups.append([line])
        last = hit.group
    return groups


def restricted_in(groups: Sequence[Sequence[HitLine]]) -> list[UUID]:
    """Return the restricted entries of a list whose titles the reader saw."""
    return [line.record_id for some in groups for line in some if line.status in GUARDED and not line.is_guarded]


def date_of(record: Record) -> str:
    """Return a record's date as a list shows it."""
    return record.date_edtf or record.date_raw or str(record.filing_year or "")


def _line(hit: Found | MergedHit, names: Mapping[str, str], *, sees_all: bool) -> HitLine:
    record = hit.record
    bare = HitLine(
        site=hit.site,
        site_name=names.get(hit.site, ""),
        record_id=record.record_id,
        is_guarded=record.access_status in GUARDED and not sees_all,
        status=record.access_status,
        access=ACCESS[record.access_status],
        is_live=isinstance(hit, MergedHit) and hit.live,
    )
    if bare.is_guarded:
        return bare
    kind = LIVELIHOOD_KINDS.get(record.livelihood_kind)
    return msgspec.structs.replace(
        bare,
        title=stretches(record.title[:TITLE_CHARS_MAX], hit.matches),
        date=date_of(record),
        ref_code=record.ref_code,
        fonds_no=record.fonds_no,
        kind=Text(zh=kind.zh, en=kind.en) if kind is not None else None,
        reasons=tuple(_reason(match) for match in hit.matches),
        likeness=hit.likeness,
    )


def _reason(match: Match) -> Reason:
    how = match.note or (None if match.how == "literal" else _HOW.get(match.how, Text(zh=match.how, en=match.how)))
    return Reason(field=field_word(match.field), word=match.word, how=how)


def stretches(title: str, matches: Sequence[Match]) -> tuple[Stretch, ...]:
    """Return a title with the words marked where they stand as the match says; folding may hide some, never add any."""
    folded = fold(title)
    words = {fold(word) for match in matches if match.field == "title" for word in match.word.split() if word}
    if len(folded) != len(title) or not words:
        return (Stretch(text=title),)
    marked = [False] * len(title)
    for word in words:
        at = folded.find(word)
        while word and at >= 0:
            marked[at : at + len(word)] = [True] * len(word)
            at = folded.find(word, at + len(word))
    found: list[Stretch] = []
    begin = 0
    for at in range(1, len(title) + 1):
        if at == len(title) or marked[at] != marked[begin]:
            found.append(Stretch(text=title[begin:at], is_marked=marked[begin]))
            begin = at
    return tuple(found)
