"""The rows of a page: its hits as they are read, one by one or with those that belong together.

A page is read by docids, in whatever order its hits stand; what the disk has spoilt leaves its place to the next.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from hub.catalogue import with_access
from hub.decisions.duplicates import Entry, Likeness, alike_on_page, likeness_of
from hub.searching.grouping import grouped
from protocol.codec import decode_record
from protocol.errors import BadValue
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from replication.dialects import rows_of


class HitRow(msgspec.Struct, frozen=True, kw_only=True):
    """One hit as it was read."""

    docid: int
    site: str
    epoch: str
    seq: int
    record: Record
    stage: int = 0
    likeness: Likeness = Likeness()
    group: int = 0

    @property
    def entry(self) -> Entry:
        """Return it as what may be alike."""
        return Entry(site=self.site, record=self.record)


Look = Callable[[Sequence[HitRow]], tuple[list[HitRow], int]]
"""Returns the hits of a page in the order in which they are shown, and how many groups they are."""


def hit_rows(connection: Connection, docids: Sequence[int]) -> list[HitRow]:
    """Return the entries of some docids, in their order, of no stage yet."""
    if not docids:
        return []
    marks = ", ".join("?" * len(docids))
    rows = rows_of(
        connection,
        "SELECT entry.docid, entry.site, site_epoch.epoch, entry.seq, entry.access_status, entry.body"  # noqa: S608 - marks only
        " FROM entry LEFT JOIN site_epoch ON site_epoch.site = entry.site AND site_epoch.ordinal = entry.epoch"
        f" WHERE entry.docid IN ({marks}) AND entry.body IS NOT NULL",
        tuple(docids),
    )
    found = {}
    for docid, site, epoch, seq, status, body in rows:
        try:
            found[docid] = (site, epoch or "", seq, with_access(decode_record(body), AccessStatus(status)))
        except BadValue:
            # One entry that the disk has spoilt must not fail the search; the nightly check finds and repairs it.
            continue
    return [
        HitRow(docid=docid, site=site, epoch=epoch, seq=seq, record=record)
        for docid in docids
        if docid in found
        for site, epoch, seq, record in (found[docid],)
    ]


def one_by_one(rows: Sequence[HitRow]) -> tuple[list[HitRow], int]:
    """Return a page as it was found."""
    return list(rows), len(rows)


def in_groups(connection: Connection, rows: Sequence[HitRow]) -> tuple[list[HitRow], int]:
    """Return a page with what belongs together side by side, and what each hit is like."""
    entries = [row.entry for row in rows]
    alike = likeness_of(connection, entries)
    together = alike_on_page(connection, [one for one in entries if one.key in alike])
    places = grouped(entries, together)
    shown = [
        replace(row, group=place.group, likeness=alike.get(row.entry.key, Likeness()))
        for place in places
        for row in (rows[place.index],)
    ]
    return shown, len({place.group for place in places})
