"""One catalogue file being read: its sheets, its rows, and the report that tells what was made of it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from node.catalogues.catalogue_files import open_catalogue, parse_mapping
from node.catalogues.columns import Columns
from node.catalogues.context import DescriptionContext
from node.catalogues.description import DescribedRow, SheetDescription
from node.catalogues.description import RejectedRow as DescribedAsRejected
from node.catalogues.fields import Field
from node.catalogues.numbering import Gap, numbering_gaps
from node.catalogues.rejects import Reject, rejects_of
from node.catalogues.rows import RawRow, RowCounts, SheetReading
from node.changes import IncomingRow
from node.config import FolderSettings
from node.files import RejectedRow
from node.volumes import named_volume
from protocol.findings import Severity
from protocol.fingerprints import content_key
from protocol.wording import Text

DIGEST_BYTES = 16
"""Bytes of the digest that names all rows of a file."""

GAPS_REPORTED_MAX = 200
"""Gaps in the numbering that a report lists; more is another kind of numbering."""


class SheetReport(msgspec.Struct, frozen=True, kw_only=True):
    """How one sheet was understood."""

    name: str
    header_line: int
    mapping: tuple[tuple[str, str], ...]
    """Field and header of every column that was taken."""
    unmapped: tuple[str, ...]
    encoding: str
    counts: RowCounts


class UnreadSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet that was not read, and why."""

    name: str
    reason: Text


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was made of a file, for its keeper; holds no cell of a row."""

    digest: str = ""
    """Of all rows in their order, as they were compared."""
    sheets: tuple[SheetReport, ...] = ()
    unread: tuple[UnreadSheet, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    """Code of a finding about the file, a sheet or a column, and what it is about."""
    rows_read: int = 0
    accepted: int = 0
    duplicates: int = 0
    gaps: tuple[Gap, ...] = ()
    warned: dict[str, int] = {}
    rejected: dict[str, int] = {}


class FileReading:
    """A catalogue file that is open; its rows can be walked through once.

    Everything here blocks: it is meant for a worker thread.
    """

    def __init__(self, path: Path, settings: FolderSettings, context: DescriptionContext) -> None:
        """Open the file and find its headers.

        Raises:
            UnreadableFile: it cannot be read as a whole, or no sheet has a header.
            OSError: it cannot be opened.

        """
        self._level = settings.level
        self._digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        fingerprint = reading_fingerprint(settings, context).encode()
        self._catalogue = open_catalogue(path, parse_mapping(settings.columns), fingerprint)
        self._descriptions = {sheet: SheetDescription(sheet.columns, context) for sheet in self._catalogue.sheets}

    def rows(self) -> Iterator[tuple[SheetReading, RawRow]]:
        """Yield the rows of all sheets.

        Raises:
            UnreadableFile: a text file turns out to be damaged further down.

        """
        update = self._digest.update
        for sheet in self._catalogue.sheets:
            for row in sheet:
                update(row.digest)
                yield sheet, row

    def described(self, sheet: SheetReading, raw: RawRow) -> IncomingRow | RejectedRow:
        """Describe one row."""
        row = self._descriptions[sheet].describe(raw)
        if not isinstance(row, DescribedRow):
            return RejectedRow(sheet=sheet.name, line=row.line, findings=row.findings, cells=row.cells)
        record = row.record
        if self._level is not None and sheet.columns.column(Field.LEVEL) is None:
            record = msgspec.structs.replace(record, level=self._level)
        return IncomingRow(
            sheet=sheet.name,
            line=row.line,
            row_digest=raw.digest,
            record=record,
            content_key=content_key(record),
            warnings=",".join([one.code for one in row.findings]) if row.findings else "",
            raw=msgspec.json.encode(row.raw) if row.raw else b"",
            volume_code=named_volume(record),
        )

    def rejects(self, rows: Iterable[RejectedRow]) -> Iterator[Reject]:
        """Return the lines of the reject file for rows that were set aside."""
        headers = {sheet.name: dict(sheet.columns.mapping) for sheet in self._catalogue.sheets}
        for row in rows:
            raw = DescribedAsRejected(line=row.line, findings=row.findings, cells=row.cells)
            yield from rejects_of(row.sheet, raw, headers[row.sheet])

    def report(self) -> FileReport:
        """Return how the file was understood; complete when its rows have been read to the end."""
        catalogue = self._catalogue
        encoding = catalogue.encoding.label if catalogue.encoding is not None else ""
        noticed = (*catalogue.findings, *(one for sheet in catalogue.sheets for one in sheet.columns.findings))
        return FileReport(
            digest=self._digest.hexdigest(),
            sheets=tuple(
                SheetReport(
                    name=sheet.name,
                    header_line=sheet.header.first_line,
                    mapping=sheet.columns.mapping,
                    unmapped=_unmapped(sheet.columns),
                    encoding=encoding,
                    counts=sheet.counts,
                )
                for sheet in catalogue.sheets
            ),
            unread=tuple(UnreadSheet(name=sheet.name, reason=sheet.reason) for sheet in catalogue.unread),
            notes=tuple((one.code, one.value) for one in noticed),
            rows_read=sum(sheet.counts.read for sheet in catalogue.sheets),
        )


def _unmapped(columns: Columns) -> tuple[str, ...]:
    taken = {index for _, index in columns.fields}
    return tuple(header for index, header in enumerate(columns.headers) if header and index not in taken)


def context_of(site: str, settings: FolderSettings, county_key: bytes) -> DescriptionContext:
    """Return what the rows of a folder are described by beside their sheets."""
    return DescriptionContext(
        site=site,
        profiles=settings.profiles,
        fonds_no=settings.fonds_no,
        livelihood_kind=settings.livelihood_kind,
        owner=settings.owner,
        custodian=settings.custodian,
        releaser=settings.releaser,
        county_key=county_key,
    )


def reading_fingerprint(settings: FolderSettings, context: DescriptionContext) -> str:
    """Return what changes whenever unchanged bytes would be read or described otherwise."""
    told = repr((settings.level, sorted(settings.columns.items()))).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(told + context.fingerprint, digest_size=DIGEST_BYTES).hexdigest()


def rejections(rows: Sequence[RejectedRow]) -> dict[str, int]:
    """Count what rows were rejected for."""
    return dict(
        Counter(one.code for row in rows for one in row.findings if one.severity is Severity.REJECT).most_common()
    )


def by_code(warned: Mapping[str, int]) -> dict[str, int]:
    """Count warnings one by one, from the counts of rows by all their warnings."""
    counted: Counter[str] = Counter()
    for codes, rows in warned.items():
        for code in codes.split(","):
            counted[code] += rows
    return dict(counted.most_common())


def gaps_of(ref_codes: Iterable[str]) -> tuple[Gap, ...]:
    """Return the gaps in the numbering, as many as a report lists."""
    return tuple(numbering_gaps(ref_codes)[:GAPS_REPORTED_MAX])
