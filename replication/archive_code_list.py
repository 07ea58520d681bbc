"""Reference codes that the archive gives to what it takes in 馆编档号: a list that a person brings, code by code."""

import csv
import io
from pathlib import Path

from protocol.errors import BadFile
from protocol.reference_codes import fold_code
from protocol.wording import Text

OFFICE = "室编档号"
ARCHIVE = "馆编档号"

CODE_LIST_BYTES_MAX = 8 * 1024 * 1024
"""Bytes of a list of codes: a hundred thousand lines."""


def codes_in(path: Path) -> dict[str, str]:
    """Read a CSV with the columns 室编档号 and 馆编档号; returns the archive's code by the office's folded one.

    Raises:
        BadFile: it cannot be read, a column is missing, or two items are given one code.

    """
    try:
        with path.open("rb") as file:
            raw = file.read(CODE_LIST_BYTES_MAX + 1)
    except OSError as error:
        raise _bad(path, str(error.strerror), str(error.strerror)) from error
    if len(raw) > CODE_LIST_BYTES_MAX:
        raise _bad(path, "文件过大", "it is too large")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    try:
        header, *lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text)) if line] or [[]]
    except csv.Error as error:
        raise _bad(path, "不是 CSV", "it is no CSV") from error
    if not {OFFICE, ARCHIVE} <= set(header):
        raise _bad(path, "缺少“室编档号”或“馆编档号”列", "a column 室编档号 or 馆编档号 is missing")
    items = [dict(zip(header, line, strict=False)) for line in lines]
    codes = {fold_code(one[OFFICE]): one[ARCHIVE] for one in items if one.get(OFFICE) and one.get(ARCHIVE)}
    if len(set(codes.values())) != len(codes):
        raise _bad(path, "有两条用了同一馆编档号", "two items have one archive code")
    return codes


def _bad(path: Path, zh: str, en: str) -> BadFile:
    return BadFile(
        Text(zh=f"馆编档号清单 {path.name} 读不了：{zh}", en=f"the list of codes {path.name} cannot be read: {en}"),
        Text(zh="请用带表头的 CSV：室编档号,馆编档号", en="Give a CSV with the header 室编档号,馆编档号."),
    )
