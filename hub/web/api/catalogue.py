"""The catalogue over the interface: what a token may see of it, and the audit line of what is not open."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub import audit
from hub.audit import Action, AuditEntry
from hub.decisions import duplicates
from hub.decisions.duplicates import Decision, Likeness
from hub.disclosure.disclosures import is_public
from hub.entry_views import EntryView, view_of
from hub.membership import keyring
from hub.searching import search
from hub.searching.search import Found, Query
from hub.volumes import Content, Contents
from hub.web.api.asked import Asked
from hub.web.api.shapes import (
    AlikeEntry,
    DuplicatesAnswer,
    EntryAnswer,
    HistoryAnswer,
    Hit,
    Nothing,
    SearchAnswer,
    SearchAsked,
    SiteHistory,
)
from hub.web.asking import id_of
from hub.web.faults import Missing
from hub.web.forms import clean
from hub.web.sightings import note_listed
from protocol.errors import Refused
from protocol.records import Record
from protocol.vocabularies import AccessStatus

P = TypeVar("P")
T = TypeVar("T")


async def search_catalogue(asked: Asked[SearchAsked]) -> SearchAnswer:
    """Search the hub's copy of every site's catalogue."""
    sees_closed, given = asked.bearer.sees_closed, asked.parameters
    query = Query(
        words=clean(given.q),
        site_glob=clean(given.site),
        date_from=given.date_from,
        date_to=given.date_to,
        fonds_no=clean(given.fonds),
        livelihood_kind=clean(given.kind),
        access_status=given.access if sees_closed else AccessStatus.OPEN,
        level=given.level,
        limit=given.limit,
        cursor=given.cursor,
        with_facets=given.facets,
    )
    if not sees_closed and given.access not in (None, AccessStatus.OPEN):
        return SearchAnswer(total=0, exact=True, was_cut=False, hits=[], facets=None, next="")

    def read(connection: Connection) -> SearchAnswer:
        names = keyring.site_names(connection)
        found = search.search(connection, query, asked.backstage.names())
        answer = SearchAnswer(
            total=found.total,
            exact=found.exact,
            was_cut=found.was_cut,
            hits=[_hit(one, names) for one in found.hits],
            facets=found.facets,
            next=found.cursor,
        )
        return answer if sees_closed else _open_answer(answer, is_all=not given.cursor and not found.cursor)

    answer = await asked.backstage.database.read(read)
    await note_closed(asked, "search", [hit.record for hit in answer.hits])
    return answer


def _open_answer(answer: SearchAnswer, *, is_all: bool) -> SearchAnswer:
    """Return what a token may know that sees public entries alone.

    The index knows no marks of secrecy, and might lag: what is not public is taken out, and what was counted with it
    (totals beyond one page, facets, look-alikes) is not told as if it were known.
    """
    shown = [msgspec.structs.replace(hit, likeness=Likeness()) for hit in answer.hits if is_open(hit.record)]
    total, exact = (len(shown), answer.exact) if is_all else (answer.total, False)
    return msgspec.structs.replace(answer, total=total, exact=exact, hits=shown, facets=None)


async def read_entry(asked: Asked[Nothing]) -> EntryAnswer:
    """Return an entry with where each field came from, its history, volume, and entries that look alike."""
    record_id = id_of(asked.name)
    entries = await _entries(asked, record_id)
    return EntryAnswer(record_id=record_id, entries=entries)


async def read_history(asked: Asked[Nothing]) -> HistoryAnswer:
    """Return what changed in an entry after its first description: names of fields, never values."""
    record_id = id_of(asked.name)
    entries = await _entries(asked, record_id)
    histories = [SiteHistory(site=one.site, steps=one.history) for one in entries]
    return HistoryAnswer(record_id=record_id, histories=histories)


async def read_duplicates(asked: Asked[Nothing]) -> DuplicatesAnswer:
    """Return entries that look like the same thing, with the fields that agree, and what people decided."""
    record_id = id_of(asked.name)
    entries = await _entries(asked, record_id)
    decisions: list[Decision] = []
    if asked.bearer.sees_closed:
        # A decision names the other record, which may be closed.
        decisions = await asked.backstage.database.read(
            lambda connection: duplicates.decisions_about(connection, record_id)
        )
    alike = [
        AlikeEntry(site=one.site, record=one.record, evidence=[proof.value for proof in one.evidence], apart=one.apart)
        for entry in entries
        for one in entry.alike
    ]
    return DuplicatesAnswer(record_id=record_id, alike=alike, decisions=decisions)


async def _entries(asked: Asked[Nothing], record_id: UUID) -> list[EntryView]:
    """Return what a token may see under a record id; that one of it is not open is in the audit log first.

    Raises:
        Missing: the hub knows nothing, or nothing that may be seen, under the id.

    """
    found = await asked.backstage.database.read(lambda connection: _known(lambda: view_of(connection, record_id)))
    if found is None:
        raise Missing
    if asked.bearer.sees_closed:
        shown = [_without_keys(one) for one in found.entries]
        if any(not is_open(one.record) for one in shown):
            await _note_read(asked, record_id)
        await note_listed(asked.backstage, asked.bearer.actor, str(record_id), _closed_beside(shown))
        return shown
    open_ones = [_open_part(_without_keys(one)) for one in found.entries if is_open(one.record)]
    if not open_ones:
        # The same answer as for an id that nobody bears: that there is such an entry is not told either.
        raise Missing
    return open_ones


def _known(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except Refused:
        return None


def is_open(record: Record | None) -> bool:
    """Tell whether anybody may see a record."""
    return record is not None and is_public(record.access_status.value, record.secrecy.value)


def _closed_beside(entries: Sequence[EntryView]) -> list[UUID]:
    """Return what is not open of that which stands beside entries: what is alike, and what lies in them."""
    alike = [one.record.record_id for entry in entries for one in entry.alike if not is_open(one.record)]
    inside = [one.record_id for entry in entries for one in entry.contents.first if not _is_public(one)]
    return list(dict.fromkeys((*alike, *inside)))


def _is_public(one: Content) -> bool:
    return is_public(one.access_status.value, one.secrecy.value)


def _open_part(entry: EntryView) -> EntryView:
    """Return an open entry without what it tells of others that are not open."""
    contents = [one for one in entry.contents.first if _is_public(one)]
    return msgspec.structs.replace(
        entry,
        alike=[one for one in entry.alike if is_open(one.record)],
        # The volume's own status is not known here, and its title may say what is closed in it.
        volume=None,
        contents=Contents(total=len(contents), first=tuple(contents)),
    )


def _without_keys(entry: EntryView) -> EntryView:
    alike = [msgspec.structs.replace(one, record=public_part(one.record)) for one in entry.alike]
    record = None if entry.record is None else public_part(entry.record)
    return msgspec.structs.replace(entry, record=record, alike=alike)


def public_part(record: Record) -> Record:
    """Return a record without the keyed hashes by which persons are matched: they are nobody else's business."""
    return msgspec.structs.replace(record, person_keys=()) if record.person_keys else record


def _hit(found: Found, names: dict[str, str]) -> Hit:
    return Hit(
        site=found.site,
        site_name=names.get(found.site, ""),
        record=public_part(found.record),
        matches=found.matches,
        likeness=found.likeness,
        stage=found.stage,
        group=found.group,
    )


async def note_closed(asked: Asked[P], where: str, records: Sequence[Record]) -> None:
    """Write into the audit log which entries that are not open a list has shown."""
    ids = [one.record_id for one in records if not is_open(one)]
    await note_listed(asked.backstage, asked.bearer.actor, where, ids)


async def _note_read(asked: Asked[Nothing], record_id: UUID) -> None:
    backstage, actor = asked.backstage, asked.bearer.actor
    entry = AuditEntry(who=actor.who, action=Action.ENTRY_READ, object=str(record_id), origin=actor.origin)
    await backstage.database.write(lambda connection: audit.append(connection, entry, backstage.clock_ms()))
