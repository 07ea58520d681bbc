"""Reference codes that the archive gives to what it takes in 馆编档号: a list that a person brings, code by code."""

from pathlib import Path
from typing import Final

from protocol.reference_codes import fold_code
from protocol.wording import Text
from replication.person_lists import PersonList

OFFICE = "室编档号"
ARCHIVE = "馆编档号"

_LIST: Final = PersonList(called=Text(zh="馆编档号清单", en="the list of codes"), header=f"{OFFICE},{ARCHIVE}")


def codes_in(path: Path) -> dict[str, str]:
    """Read a CSV with the columns 室编档号 and 馆编档号; returns the archive's code by the office's folded one.

    Raises:
        BadFile: it cannot be read, a column is missing, two items are given one code, or one item two codes.

    """
    header, lines = _LIST.read(path)
    if not {OFFICE, ARCHIVE} <= set(header):
        raise _LIST.bad(path, Text(zh="缺少“室编档号”或“馆编档号”列", en="a column 室编档号 or 馆编档号 is missing"))
    codes: dict[str, str] = {}
    office_of: dict[str, str] = {}
    line_of: dict[str, int] = {}
    for number, line in lines:
        if not line.get(OFFICE) or not line.get(ARCHIVE):
            continue
        office, archive = fold_code(line[OFFICE]), line[ARCHIVE]
        first = line_of.setdefault(office, number)
        if codes.setdefault(office, archive) != archive:
            raise _LIST.bad(
                path,
                Text(
                    zh=f"第 {first} 行和第 {number} 行给 {line[OFFICE]} 两个馆编档号",
                    en=f"lines {first} and {number} give {line[OFFICE]} two archive codes",
                ),
            )
        other = office_of.setdefault(archive, office)
        if other != office:
            raise _LIST.bad(
                path,
                Text(
                    zh=f"有两条用了同一馆编档号 {archive}：第 {line_of[other]} 行和第 {number} 行",
                    en=f"two items have one archive code {archive}: lines {line_of[other]} and {number}",
                ),
            )
    return codes
