"""What each site last said of its catalogue files: kept, so that it can be read while the site is away."""

import msgspec
from sqlalchemy import Connection, select

from hub.sites.contact_tables import site_report
from protocol.calls import FileLines
from replication.dialects import upsert

_reports = msgspec.json.Decoder(FileLines)


class SiteReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a site said of its files, and when."""

    heard_at_ms: int
    files: FileLines


def keep(connection: Connection, site: str, files: FileLines, now_ms: int) -> None:
    """Store what a site says now, in place of what it said before."""
    values = {"site": site, "heard_at_ms": now_ms, "report": msgspec.json.encode(files)}
    statement = upsert(site_report).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=[site_report.c.site], set_=values))


def of_site(connection: Connection, site: str) -> SiteReport | None:
    """Return what a site said last; None if it was never asked, or did not know the question."""
    row = connection.execute(select(site_report).where(site_report.c.site == site)).one_or_none()
    return None if row is None else SiteReport(heard_at_ms=row.heard_at_ms, files=_reports.decode(row.report))
