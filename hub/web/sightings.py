"""What of restricted entries somebody was shown in a list, written into the audit log before it is shown."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from hub import audit
from hub.audit import Action, AuditEntry
from hub.disclosure.guarding import GUARDED
from hub.staff.administration import Actor
from hub.web.asking import AnyRequest
from hub.web.backstage import Backstage, backstage_of
from hub.web.pages.deciding import actor_of
from protocol.records import Record

IDS_A_LINE: Final = 12
"""Entries that one line names: the log cuts what is longer, and an id that is cut off was seen by nobody."""


async def note_listed(backstage: Backstage, actor: Actor, where: str, ids: Sequence[UUID]) -> None:
    """Write into the audit log that titles of entries were shown; the words of a search are nobody's business.

    Args:
        backstage: the console's.
        actor: who saw them.
        where: the list, or the entry beside which they stood.
        ids: the entries.

    """
    lots = [ids[at : at + IDS_A_LINE] for at in range(0, len(ids), IDS_A_LINE)]
    if not lots:
        return
    entries = [
        AuditEntry(
            who=actor.who,
            action=Action.ENTRIES_LISTED,
            object=where,
            origin=actor.origin,
            detail=f"{len(some)}: {' '.join(map(str, some))}",
        )
        for some in lots
    ]
    await backstage.database.write(lambda connection: audit.append_all(connection, entries, backstage.clock_ms()))


async def note_records(request: AnyRequest, where: str, records: Iterable[Record | None]) -> None:
    """Write the same of the restricted ones among some records, each once."""
    ids = dict.fromkeys(one.record_id for one in records if one is not None and one.access_status in GUARDED)
    await note_listed(backstage_of(request), actor_of(request), where, list(ids))
