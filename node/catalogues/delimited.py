"""Tables in text files: which character separates the cells, and the rows with the lines they start on."""

import codecs
import csv
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from node.catalogues.cells import SEPARATOR
from node.catalogues.encodings import BOM, Encoding
from node.catalogues.refusals import UnreadableFile
from protocol.wording import Text

DELIMITERS: Final = ("\t", ",", ";", "|")
"""Separators that are recognised."""

SAMPLED_ROWS: Final = 50
"""Rows by which the separator is recognised."""

CELL_CHARS_MAX: Final = 40_000
"""Characters of one cell: a spreadsheet allows 32,767; more is a quotation mark that nobody closed."""

ROW_LINES_MAX: Final = 500
"""Lines of one row: more is a quotation mark that nobody closed."""


def text_rows(path: Path, encoding: Encoding) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a text file, each with the 1-based line on which it starts.

    Raises:
        UnreadableFile: a quotation mark is not closed, or the file changed while it was read.
        OSError: the file cannot be read.

    """
    delimiter = _delimiter(path, encoding)
    with _opened(path, encoding) as source:
        reader = csv.reader(source, delimiter=delimiter)
        line = 1
        try:
            for row in reader:
                if reader.line_num - line >= ROW_LINES_MAX:
                    raise UnreadableFile("file_unreadable", _unclosed(line))
                if line == 1 and row:
                    row[0] = row[0].removeprefix(BOM)
                yield line, row
                line = reader.line_num + 1
        except csv.Error as error:
            raise UnreadableFile("file_unreadable", _unclosed(line)) from error
        except UnicodeDecodeError as error:
            raise UnreadableFile("encoding_unreadable") from error


def _opened(path: Path, encoding: Encoding) -> codecs.StreamReaderWriter: ...
