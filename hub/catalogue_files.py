"""Entries as files that others can read: CSV, XLSX and EAD3, written entry by entry, so that size costs no memory.

EAD3 is the Society of American Archivists' schema for finding aids (version 1.1.2); a volume of papers is its ``file``.
A cell is always text: what begins like a formula is never calculated by the program that opens it.
"""

import csv
import datetime
import io
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import BinaryIO, Final, Protocol
from xml.sax.saxutils import escape, quoteattr

import msgspec
import xlsxwriter

from hub.commands.fields import ACCESS
from hub.safe_cells import UNPRINTABLE, harmless, printable
from protocol.records import Record
from protocol.vocabularies import LIVELIHOOD_KINDS, Level
from protocol.wording import Text


class FileFormat(StrEnum):
    """What is written."""

    CSV = "csv"
    XLSX = "xlsx"
    EAD3 = "xml"


MEDIA_TYPES: Final = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.EAD3: "application/xml; charset=utf-8",
}

_HEADERS: Final = (
    Text(zh="站点代码", en="site"),
    Text(zh="站点", en="site name"),
    Text(zh="档号", en="reference code"),
    Text(zh="题名", en="title"),
    Text(zh="责任者", en="responsible parties"),
    Text(zh="文号", en="document number"),
    Text(zh="日期", en="date"),
    Text(zh="日期（原文）", en="date as given"),
    Text(zh="全宗号", en="fonds"),
    Text(zh="年度", en="filing year"),
    Text(zh="保管期限", en="retention"),
    Text(zh="开放状态", en="access"),
    Text(zh="民生类别", en="livelihood kind"),
    Text(zh="页数", en="pages"),
    Text(zh="提要", en="scope and content"),
    Text(zh="附注", en="note"),
    Text(zh="条目标识", en="record id"),
)

_LEVELS: Final = {Level.FONDS: "fonds", Level.SERIES: "series", Level.VOLUME: "file", Level.ITEM: "item"}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One entry to be written."""

    site: str
    site_name: str
    record: Record


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself."""

    title: str
    agency: str
    language: str
    made_at: datetime.datetime


class CatalogueFile(Protocol):
    """A file that is being written."""

    def add(self, lines: Iterable[Line]) -> None:
        """Write some entries."""

    def close(self) -> None:
        """Write the end; the stream below stays open."""


def begun(kind: FileFormat, stream: BinaryIO, heading: Heading) -> CatalogueFile:
    """Begin a file of a format on a stream that can seek."""
    if kind is FileFormat.CSV:
        return CsvFile(stream, heading)
    return XlsxFile(stream, heading) if kind is FileFormat.XLSX else Ead3File(stream, heading)


class CsvFile:
    """Comma-separated values (RFC 4180) in UTF-8 with the mark by which spreadsheets know it."""

    def __init__(self, stream: BinaryIO, heading: Heading) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        self._language = heading.language
        self._rows = csv.writer(self._text)
        self._rows.writerow([one.in_language(heading.language) for one in _HEADERS])

    def add(self, lines: Iterable[Line]) -> None:
        """Write some entries."""
        for line in lines:
            self._rows.writerow([harmless(cell) for cell in cells_of(line, self._language)])

    def close(self) -> None:
        """Write what is still in the buffer."""
        self._text.flush()
        self._text.detach()


class XlsxFile:
    """A workbook of one sheet (ECMA-376); every cell is text."""

    def __init__(self, stream: BinaryIO, heading: Heading) -> None:
        self._book = xlsxwriter.Workbook(stream, {"constant_memory": True, "strings_to_formulas": False})
        self._sheet = self._book.add_worksheet()
        self._language = heading.language
        self._row = 1
        bold = self._book.add_format({"bold": True})
        for column, one in enumerate(_HEADERS):
            self._sheet.write_string(0, column, one.in_language(heading.language), bold)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(2, 3, 40)

    def add(self, lines: Iterable[Line]) -> None:
        """Write some entries."""
        for line in lines:
            for column, cell in enumerate(cells_of(line, self._language)):
                self._sheet.write_string(self._row, column, printable(cell))
            self._row += 1

    def close(self) -> None:
        """Pack the workbook."""
        self._book.close()


class Ead3File:
    """A finding aid whose components are the entries."""

    def __init__(self, stream: BinaryIO, heading: Heading) -> None:
        self._stream = stream
        self._language = heading.language
        self._write(_ead_head(heading))

    def add(self, lines: Iterable[Line]) -> None:
        """Write some entries."""
        self._write("".join(_component(line, self._language) for line in lines))

    def close(self) -> None:
        """Close what is open."""
        self._write("</dsc></archdesc></ead>\n")

    def _write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8"))


def cells_of(line: Line, language: str) -> Sequence[str]:
    """Return what stands in the cells of an entry's row."""
    record = line.record
    kind = LIVELIHOOD_KINDS.get(record.livelihood_kind)
    return (
        line.site,
        line.site_name,
        record.ref_code,
        record.title,
        "；".join(record.responsible_parties),
        record.doc_no,
        record.date_edtf,
        record.date_raw,
        record.fonds_no,
        "" if record.filing_year is None else str(record.filing_year),
        record.retention.label().in_language(language) if record.retention else "",
        ACCESS[record.access_status].in_language(language),
        "" if kind is None else Text(zh=kind.zh, en=kind.en).in_language(language),
        "" if record.page_count is None else str(record.page_count),
        record.scope,
        record.note,
        str(record.record_id),
    )


# EAD3


def _text(value: str) -> str:
    return escape(UNPRINTABLE.sub("", value))


def _tag(name: str, value: str) -> str:
    return f"<{name}>{_text(value)}</{name}>" if value else ""


def _ead_head(heading: Heading) -> str:
    made = heading.made_at.isoformat(timespec="seconds")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ead xmlns="http://ead3.archivists.org/schema/"><control>'
        f"<recordid>danglian-{heading.made_at:%Y%m%d%H%M%S}</recordid>"
        f"<filedesc><titlestmt><titleproper>{_text(heading.title)}</titleproper></titlestmt></filedesc>"
        '<maintenancestatus value="new"/>'
        f"<maintenanceagency><agencyname>{_text(heading.agency)}</agencyname></maintenanceagency>"
        '<maintenancehistory><maintenanceevent><eventtype value="created"/>'
        f"<eventdatetime>{made}</eventdatetime>"
        '<agenttype value="machine"/><agent>Danglian</agent></maintenanceevent></maintenancehistory></control>'
        f'<archdesc level="collection"><did><unittitle>{_text(heading.title)}</unittitle>'
        f"<repository><corpname><part>{_text(heading.agency)}</part></corpname></repository></did><dsc>\n"
    )


def _component(line: Line, language: str) -> str:
    record = line.record
    level = _LEVELS.get(record.level)
    levels = f'level="{level}"' if level else f'level="otherlevel" otherlevel={quoteattr(record.level.value)}'
    parties = "".join(f"<name><part>{_text(one)}</part></name>" for one in record.responsible_parties)
    pages = "" if record.page_count is None else str(record.page_count)
    did = (
        _tag("unitid", record.ref_code),
        _tag("unittitle", record.title or "—"),
        _date(record),
        f"<origination>{parties}</origination>" if parties else "",
        f"<physdesc>{_text(pages)} {'页' if language == 'zh' else 'pages'}</physdesc>" if pages else "",
        f"<repository><corpname><part>{_text(line.site_name or line.site)}</part></corpname></repository>",
    )
    access = ACCESS[record.access_status].in_language(language)
    rest = (
        f"<accessrestrict><p>{_text(access)}</p></accessrestrict>",
        f"<scopecontent><p>{_text(record.scope)}</p></scopecontent>" if record.scope else "",
        f"<odd><p>{_text(record.note)}</p></odd>" if record.note else "",
    )
    # The same record id at two sites is two entries, so the id of the component has both.
    name = f"r{record.record_id.hex}-{line.site}"
    return f'<c {levels} id="{name}"><did>{"".join(did)}</did>{"".join(rest)}</c>\n'


def _date(record: Record) -> str:
    first, last = record.date_earliest, record.date_latest
    shown = record.date_raw or record.date_edtf
    if first is None or last is None:
        return _tag("unitdate", shown)
    if first == last:
        dated = f'<datesingle standarddate="{first}">{_text(shown)}</datesingle>'
    else:
        dated = (
            f'<daterange><fromdate standarddate="{first}">{first}</fromdate>'
            f'<todate standarddate="{last}">{last}</todate></daterange>'
        )
    return f"<unitdatestructured>{dated}</unitdatestructured>"
