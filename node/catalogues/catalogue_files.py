"""A catalogue file as a whole: which of its sheets are read, and why the others are not."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from node.catalogues.encodings import Encoding
from node.catalogues.fields import Field
from node.catalogues.refusals import UnreadableFile
from node.catalogues.rows import SheetReading
from node.catalogues.workbooks import RawTable, open_tables
from protocol.errors import BadSetting
from protocol.findings import Finding, finding
from protocol.wording import Text


class UnreadSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet that holds something and is not read, and why."""

    name: str
    reason: Text


class CatalogueFile(msgspec.Struct, frozen=True, kw_only=True):
    """An opened catalogue: its sheets in their order, each to be iterated once."""

    sheets: tuple[SheetReading, ...]
    unread: tuple[UnreadSheet, ...] = ()
    encoding: Encoding | None = None
    """Encoding of a text file; None for a workbook."""
    findings: tuple[Finding, ...] = ()
    """What was noticed about the file; what was noticed about a sheet's columns is in its `Columns.findings`."""


def open_catalogue(path: Path, mapping: Mapping[Field, str], fingerprint: bytes = b"") -> CatalogueFile:
    """Open a catalogue file and find the header of each of its sheets.

    ``mapping`` (field to header) and ``fingerprint`` (`DescriptionContext.fingerprint`) come from the settings.

    Raises:
        UnreadableFile: the file cannot be read, or none of its sheets is a catalogue.
        OSError: the file cannot be opened.

    """
    sheets, unread, findings = [], [], []
    tables = open_tables(path)
    refusal: UnreadableFile | None = None
    for table in tables:
        if table.height == 0:
            continue
        try:
            sheets.append(_read(table, mapping, fingerprint))
        except UnreadableFile as error:
            refusal = refusal or error
            unread.append(UnreadSheet(name=table.name, reason=error.reason))
            findings.append(finding("sheet_skipped", field="", value=table.name))
    if not sheets:
        raise refusal or UnreadableFile("file_empty")
    encoding = tables[0].encoding
    if encoding is not None and encoding.is_uncertain:
        findings.append(finding("encoding_uncertain", field="", value=encoding.label))
    return CatalogueFile(sheets=tuple(sheets), unread=tuple(unread), encoding=encoding, findings=tuple(findings))


def parse_mapping(settings: Mapping[str, str]) -> dict[Field, str]:
    """Read an explicit mapping from ``node.toml``: the name of a field to the header of its column.

    Raises:
        BadSetting: a field that does not exist.

    """
    unknown = sorted(set(settings) - {field.value for field in Field})
    if unknown:
        known, named = ", ".join(field.value for field in Field), ", ".join(unknown)
        raise BadSetting(
            Text(zh=f"列对应中没有这些栏目：{named}。", en=f"No such fields in a mapping: {named}."),
            Text(zh=f"可用的栏目：{known}。", en=f"Fields that can be mapped: {known}."),
        )
    return {Field(name): header for name, header in settings.items()}


def _read(table: RawTable, mapping: Mapping[Field, str], fingerprint: bytes) -> SheetReading:
    if table.is_hidden:
        raise UnreadableFile(
            "header_not_found",
            Text(zh="该工作表已隐藏，不读取。", en="The sheet is hidden and is not read."),
        )
    return SheetReading(table, mapping, fingerprint)
