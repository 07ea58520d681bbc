"""Lists that a person brings as CSV: read whole, in whatever encoding spreadsheet programs write, by their header."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from protocol.errors import BadFile
from protocol.wording import Text

LIST_BYTES_MAX = 8 * 1024 * 1024
"""Bytes of a list: a hundred thousand lines."""


class PersonList(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of list: what it is called, and what its header has to be."""

    called: Text
    header: str

    def bad(self, path: Path, fault: Text) -> BadFile:
        """Return the error for a list that cannot be taken."""
        return BadFile(
            Text(
                zh=f"{self.called.zh} {path.name} 读不了：{fault.zh}",
                en=f"{self.called.en} {path.name} cannot be read: {fault.en}",
            ),
            Text(zh=f"请用带表头的 CSV：{self.header}", en=f"Give a CSV with the header {self.header}."),
        )

    def read(self, path: Path) -> tuple[list[str], Iterator[tuple[int, Mapping[str, str]]]]:
        """Return the header of a list, and its lines by their numbers.

        Raises:
            BadFile: it cannot be read, or is too large.

        """
        try:
            with path.open("rb") as file:
                raw = file.read(LIST_BYTES_MAX + 1)
        except OSError as error:
            raise self.bad(path, Text(zh=str(error.strerror), en=str(error.strerror))) from error
        if len(raw) > LIST_BYTES_MAX:
            raise self.bad(path, Text(zh="文件过大", en="it is too large"))
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("gb18030", "replace")
        reader = csv.reader(io.StringIO(text))
        try:
            lines = [(reader.line_num, [cell.strip() for cell in line]) for line in reader if line]
        except csv.Error as error:
            raise self.bad(path, Text(zh="不是 CSV", en="it is no CSV")) from error
        header = lines[0][1] if lines else []
        return header, ((number, dict(zip(header, line, strict=False))) for number, line in lines[1:])
