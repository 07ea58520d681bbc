"""The reject file: the rows that were set aside, with the reason and the remedy of each, beside the catalogue itself.

It is a spreadsheet that the site's keeper opens, corrects the catalogue by, and need not delete: it is rewritten after
every reading and disappears with the last rejected row. It is never taken for a catalogue.
"""

import contextlib
import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from node.catalogues.description import RejectedRow
from protocol.findings import Finding, Severity
from protocol.identity_numbers import mask_identity_numbers

REJECT_SUFFIX: Final = ".rejected.csv"
"""Ending of a reject file, behind the catalogue's whole name."""

REJECT_LINES_MAX: Final = 20_000
"""Lines of one reject file; a catalogue with more faults has one fault in a column, which the first lines show."""

VALUE_CHARS_MAX: Final = 500
"""Characters of a value that are shown."""

_HEADER: Final = ("工作表 sheet", "行 line", "栏目 field", "内容 value", "原因", "reason", "处理办法", "remedy")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why one row was set aside."""

    sheet: str
    line: int
    finding: Finding
    column: str = ""
    """Header of the column, empty if the fault is in none."""


def rejects_of(sheet: str, row: RejectedRow, headers: Mapping[str, str]) -> list[Reject]:
    """Return the lines for one row; ``headers`` tells the header of each mapped field (`Columns.mapping`)."""
    return [
        Reject(sheet=sheet, line=row.line, finding=finding, column=headers.get(finding.field, ""))
        for finding in row.findings
        if finding.severity is Severity.REJECT
    ]


def reject_path(catalogue: Path) -> Path:
    """Where the reject file of a catalogue stands."""
    return catalogue.with_name(f"{catalogue.name}{REJECT_SUFFIX}")


def write_rejects(catalogue: Path, rejects: Iterable[Reject]) -> Path | None:
    """Write the reject file of a catalogue at once, or remove it if nothing is rejected; return its path if it stands.

    Raises:
        OSError: the folder cannot be written, or somebody has the reject file open on Windows.

    """
    lines = iter(rejects)
    first = next(lines, None)
    path = reject_path(catalogue)
    if first is None:
        path.unlink(missing_ok=True)
        return None
    unfinished = path.with_name(f"{path.name}.tmp")
    try:
        with unfinished.open("w", encoding="utf-8-sig", newline="") as target:
            _write(target, first, lines)
            target.flush()
            os.fsync(target.fileno())
        unfinished.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    return path


def _write(target: io.TextIOBase, first: Reject, others: Iterator[Reject]) -> None:
    writer = csv.writer(target)
    writer.writerow(_HEADER)
    writer.writerow(_line(first))
    written, left_out = 1, 0
    for reject in others:
        if written < REJECT_LINES_MAX:
            writer.writerow(_line(reject))
            written += 1
        else:
            left_out += 1
    if left_out:
        writer.writerow(("", "", "", "", f"另有 {left_out} 处未列出。", f"{left_out} more are not listed.", "", ""))


def _line(reject: Reject) -> tuple[str, ...]:
    finding = reject.finding
    field = f"{reject.column} ({finding.field})" if reject.column else finding.field
    return (
        _harmless(reject.sheet),
        str(reject.line),
        _harmless(field),
        _harmless(mask_identity_numbers(finding.value)[0][:VALUE_CHARS_MAX]),
        finding.text.zh,
        finding.text.en,
        finding.remedy.zh,
        finding.remedy.en,
    )


def _harmless(text: str) -> str:
    """A spreadsheet program must show a cell's text, not calculate it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
