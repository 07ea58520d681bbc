"""Tables in text files: which character separates the cells, and the rows with the lines they start on."""

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from node.catalogues.encodings import Encoding
from node.catalogues.fields import meaning_of
from node.catalogues.refusals import UnreadableFile
from protocol.wording import Text

DELIMITERS: Final = (",", "\t", ";", "|")
"""Separators that are recognised; a comma is assumed where nothing separates anything."""

SAMPLED_ROWS: Final = 50
"""Rows by which the separator is recognised."""

SAMPLED_CHARS: Final = 64 * 1024
"""Characters of the start of a file that hold these rows."""

ROW_LINES_MAX: Final = 500
"""Lines of one row: more is a quotation mark that nobody closed."""


def text_rows(path: Path, encoding: Encoding) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a text file, each with the 1-based line on which it starts.

    Raises:
        UnreadableFile: a quotation mark is not closed, or the file changed while it was read.
        OSError: the file cannot be read.

    """
    line = 1
    try:
        with _opened(path, encoding) as source:
            delimiter = _delimiter(source.read(SAMPLED_CHARS))
        with _opened(path, encoding) as source:
            reader = csv.reader(source, delimiter=delimiter)
            for row in reader:
                if reader.line_num - line >= ROW_LINES_MAX:
                    raise UnreadableFile("file_unreadable", _unclosed(line))
                yield line, row
                line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile("file_unreadable", _unclosed(line)) from error
    except UnicodeDecodeError as error:
        raise UnreadableFile("encoding_unreadable") from error


def _opened(path: Path, encoding: Encoding) -> io.TextIOWrapper:
    source = path.open("rb")
    source.seek(encoding.mark_bytes)
    return io.TextIOWrapper(source, encoding=encoding.name, newline="")


def _delimiter(sample: str) -> str:
    """Return the separator that lays a header bare, or else cuts the most rows into the same number of cells."""
    lines = sample.splitlines(keepends=True)[:SAMPLED_ROWS]
    return max(DELIMITERS, key=lambda delimiter: _fitness([*csv.reader(lines, delimiter=delimiter)]))


def _fitness(rows: list[list[str]]) -> tuple[int, float]:
    names = max((sum(meaning_of(cell) is not None for cell in row) for row in rows), default=0)
    widths = Counter(len(row) for row in rows if row)
    return names, max((count * math.log2(width) for width, count in widths.items()), default=0.0)


def _unclosed(line: int) -> Text:
    return Text(
        zh=f"第 {line} 行起有引号没有配对，其后的行都被并入同一格。",
        en=f"From line {line} on a quotation mark is not closed and swallows the rows after it.",
    )
