"""Numbers as Chinese documents write them: 36, ３６, 三十六, 卅六, 一九八六, 二〇一四, 元."""

import re
from typing import Final

NUMERAL_CHARS_MAX: Final = 9
"""Characters of the longest numeral that is read: more than any year, month, day or serial number needs."""

NUMERALS: Final = "0-9０-９〇○零一二两三四五六七八九十百廿卅卌元壹贰叁肆伍陆柒捌玖拾"
"""The body of a regular-expression class that matches every character of a numeral."""

_DIGITS: Final = {
    **{character: str(value) for value, character in enumerate("零一二三四五六七八九")},
    **{character: str(value) for value, character in enumerate("０１２３４５６７８９")},
    **dict(zip("壹贰叁肆伍陆柒捌玖〇○两元", "1234567890021", strict=True)),
}
_TO_DIGITS: Final = str.maketrans(_DIGITS)
_TENS: Final = {"廿": "二十", "卅": "三十", "卌": "四十", "拾": "十"}
_COUNTED: Final = re.compile(r"(?:([1-9])?百0?)?(?:([1-9])?(十))?([0-9])?", re.ASCII)


def read_number(text: str) -> int | None:
    """Return the whole number that ``text`` writes, or None if it is not one."""
    if not 0 < len(text) <= NUMERAL_CHARS_MAX:
        return None
    if text.isascii():
        return int(text) if text.isdigit() else None
    for short, full in _TENS.items():
        text = text.replace(short, full)
    digits = text.translate(_TO_DIGITS)
    if digits.isascii():
        return int(digits) if digits.isdigit() else None
    match = _COUNTED.fullmatch(digits)
    if match is None:
        return None
    hundreds, tens, ten, units = match.groups()
    return ("百" in digits) * 100 * int(hundreds or 1) + (10 * int(tens or 1) if ten else 0) + int(units or 0)
