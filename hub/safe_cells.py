"""Cells of files for spreadsheets: always text; what begins like a formula is never calculated by whoever opens it."""

import re
from typing import Final

CELL_CHARS_MAX: Final = 32_767
"""Characters that a cell of XLSX holds."""

UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 does not allow (production 2)."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a cell of CSV must not begin with, for spreadsheets calculate it."""


def harmless(cell: str) -> str:
    """Return a cell of CSV with a sign in front if a spreadsheet would calculate it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def printable(cell: str) -> str:
    """Return a cell of XLSX: what XML does not allow is left out, and what is too long is cut."""
    return UNPRINTABLE.sub("", cell)[:CELL_CHARS_MAX]
