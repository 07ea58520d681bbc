"""Citizens' identity numbers 公民身份号码: recognised to keep them out of what travels.

GB 11643-1999: six digits of area, eight of birth date, three of serial, one check character; the form of 1989 has 15
digits, two for the year and no check. The area is never judged: areas are abolished and numbers stay.
"""

import datetime
import re
from typing import Final

BIRTH_YEAR_MIN: Final = 1850
"""Earliest year of birth of a person with a number: born before it, nobody lived when numbers were given out."""

BIRTH_YEAR_MAX: Final = 2100
"""Latest year of birth: this module has no clock."""

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_NUMBER: Final = re.compile("[0-9]{17}[0-9Xx]")
_TRUNCATED: Final = re.compile("[0-9]{15}000")
_DIGIT: Final = "[0-9０-９]"
_HALF_WIDTH: Final = {
    ord(wide): ord(plain) for wide, plain in zip("０１２３４５６７８９Ｘｘ", "0123456789Xx", strict=True)
}
_GAP: Final = "[ \u3000\uff0d-]"
_LONG: Final = re.compile(f"{_DIGIT}{{14}}|{_DIGIT}{{6}}{_GAP}{_DIGIT}{{8}}")
_CANDIDATE: Final = re.compile(
    f"(?<!{_DIGIT})(?:(?P<area>{_DIGIT}{{6}}){_GAP}?(?P<birth>{_DIGIT}{{8}}){_GAP}?"
    f"(?P<serial>{_DIGIT}{{3}}[0-9０-９XxＸｘ])"
    f"|(?P<old_area>{_DIGIT}{{6}})(?P<old_birth>{_DIGIT}{{6}})(?P<old_serial>{_DIGIT}{{3}}))(?!{_DIGIT})"
)

_MASKED: Final = re.compile(f"{_DIGIT}{{6}}\\*{{5,8}}{_DIGIT}{{3}}[0-9０-９XxＸｘ]")


def is_identity_number(text: str) -> bool:
    """True for an 18-character number with a real birth date and the right check character."""
    if not _NUMBER.fullmatch(text) or not _is_birth_date(text[6:14]):
        return False
    return text[17].upper() == check_character(text[:17])


def check_character(digits: str) -> str:
    """Return the last character of a number, from the 17 digits before it."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return _CHECKS[total % 11]


def is_truncated_identity_number(text: str) -> bool:
    """True for a number that a spreadsheet stored as a value: it keeps 15 digits and writes three zeros."""
    return _TRUNCATED.fullmatch(text) is not None and _is_birth_date(text[6:14])


def mask_identity_numbers(text: str) -> tuple[str, int]:
    """Return ``text`` with every identity number reduced to its first six and last four characters, and their count.

    Numbers with a real birth date are masked even if the check character is wrong: a slip of the pen is still
    somebody's number. A blank or a hyphen between the parts does not hide it, of either width.
    """
    if not _LONG.search(text):
        return text, 0
    count = 0

    def masked(match: re.Match[str]) -> str:
        nonlocal count
        area, birth = match["area"] or match["old_area"], match["birth"] or f"19{match['old_birth']}"
        serial = match["serial"] or f"{match['old_birth'][-1]}{match['old_serial']}"
        if not _is_birth_date(birth):
            return match[0]
        count += 1
        return f"{area}{'*' * (8 if match['birth'] else 5)}{serial}"

    return _CANDIDATE.sub(masked, text), count


def without_identity_numbers(text: str) -> str:
    """Return ``text`` with a blank in the place of every identity number, masked or not."""
    return _MASKED.sub(" ", mask_identity_numbers(text)[0])


def identity_numbers_in(text: str) -> tuple[str, ...]:
    """Return the identity numbers that stand in a text, each once, as typed but without blanks, hyphens and full width.

    Of 18 characters those with the right check character; of the old form all with a real birth date. What is masked
    and not among them is somebody's number with a slip in it.
    """
    if not _LONG.search(text):
        return ()
    found = []
    for match in _CANDIDATE.finditer(text):
        parts = ("area", "birth", "serial") if match["area"] else ("old_area", "old_birth", "old_serial")
        number = "".join(match[part] for part in parts).translate(_HALF_WIDTH).upper()
        if is_identity_number(number) or (match["old_area"] and _is_birth_date(f"19{number[6:12]}")):
            found.append(number)
    return tuple(dict.fromkeys(found))


def _is_birth_date(digits: str) -> bool:
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    if not BIRTH_YEAR_MIN <= year <= BIRTH_YEAR_MAX:
        return False
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True
