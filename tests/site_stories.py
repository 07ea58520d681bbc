"""A site with a story: two weeks of office hours, a lost line, a hub that was stopped, and files that need mending."""

import datetime

from sqlalchemy import Connection, insert

from hub.sites.board import record_beats
from hub.sites.contact_tables import site_contact
from hub.sites.contacts import Contact
from protocol.beats import Beat
from protocol.calls import FileLine, FileLines, FindingCount
from protocol.county_time import local_time
from protocol.findings import rule
from protocol.rhythms import Rhythm, parse_hours
from tests.consoles import fill_county

SITE = "330599001202"
"""Beats, and is well."""
HOUR_MS = 3600 * 1000
FILES = FileLines(
    lines=(
        FileLine(
            name="永久/2015年文书档案目录.xlsx",
            state="taken",
            accepted=1_204,
            warned=96,
            rejected=31,
            read_at_ms=1_790_000_000_000,
            findings=(
                FindingCount(code="date_missing", rows=74),
                FindingCount(code="ref_code_damaged_by_spreadsheet", rows=31),
                FindingCount(code="responsible_unresolved", rows=22),
            ),
        ),
        FileLine(
            name="婚姻登记档案.xls",
            state="refused",
            read_at_ms=1_790_000_500_000,
            reason=rule("file_encrypted").reason,
            hint=rule("file_encrypted").remedy,
        ),
        FileLine(name="土地承包.csv", state="taken", accepted=388, read_at_ms=1_790_000_900_000, is_missing=True),
    ),
    total=3,
    refused=1,
    accepted=1_592,
    warned=96,
    rejected=31,
    findings=(
        FindingCount(code="date_missing", rows=74),
        FindingCount(code="ref_code_damaged_by_spreadsheet", rows=31),
        FindingCount(code="responsible_unresolved", rows=22),
        FindingCount(code="id_number_masked", rows=9),
    ),
)


def fill_story(connection: Connection, now_ms: int) -> None:
    """Fill a county, and one of its sites with a story."""
    fill_county(connection, now_ms)
    connection.execute(insert(site_contact), list(_turns(now_ms)))
    beat = Beat(
        site=SITE,
        node=f"U{SITE:A<55}",
        epoch="e1",
        seq=4037,
        records=3931,
        files=3,
        rejected=31,
        warned=96,
        disk_free_bytes=83 * 1024**3,
        software="1.0.0",
        started_at_ms=now_ms - 5 * HOUR_MS,
        at_ms=now_ms + 11 * 60_000,
        rhythm=Rhythm(hours=(parse_hours("1-5 08:30-17:30"), parse_hours("6 09:00-11:30"))),
        folders_unread=1,
        faults=("dropped",),
    )
    record_beats(connection, [beat], now_ms - 20_000)


def _turns(now_ms: int) -> list[dict[str, object]]:
    today = local_time(now_ms).replace(hour=0, minute=0, second=0)
    found: dict[int, Contact] = {}
    for back in range(13, 0, -1):
        midnight_ms = int((today - datetime.timedelta(days=back)).timestamp() * 1000)
        if back == 6:
            continue
        found[midnight_ms + 8 * HOUR_MS + back * 300_000] = Contact.HEARD
        if back == 4:
            found[midnight_ms + 10 * HOUR_MS] = Contact.SILENT
            found[midnight_ms + 13 * HOUR_MS] = Contact.HEARD
        if back == 9:
            found[midnight_ms + 14 * HOUR_MS] = Contact.UNWATCHED
            found[midnight_ms + 15 * HOUR_MS] = Contact.HEARD
        found[midnight_ms + 17 * HOUR_MS + back * 200_000] = Contact.CLOSED
    found[int(today.timestamp() * 1000) + 1_000] = Contact.HEARD
    rows = [(at_ms, contact) for at_ms, contact in sorted(found.items()) if at_ms < now_ms]
    return [{"site": SITE, "since_ms": at_ms, "contact": contact.value} for at_ms, contact in rows]
