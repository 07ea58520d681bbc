"""The text of a spreadsheet's cell, as a person sees it in the sheet."""

import datetime
import decimal
from typing import Final

EXACT_INTEGER_MAX: Final = 10**15
"""Whole numbers up to this one are exact; a spreadsheet keeps 15 digits of longer ones and shows zeros for the rest."""

EXACT_DIGITS: Final = 15
"""Digits that a spreadsheet keeps of a number."""

SMALL_NUMBERS: Final = 2_200
"""Whole numbers from zero whose texts are kept ready: years, page counts and serial numbers."""

SEPARATOR: Final = "\x1f"
"""Stands between the cells of a row wherever a whole row is looked at as one text; no cell holds it."""

Value = str | int | float | bool | datetime.date | datetime.datetime | datetime.time | datetime.timedelta
"""What the spreadsheet reader hands over."""


def text_of(value: Value) -> str:
    """Return the text of a cell: 2001.0 is 2001, a date is ISO, a truth value is TRUE or FALSE."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | int):
        return _number(value)
    if isinstance(value, datetime.datetime):
        if value.time() == datetime.time.min:
            return value.date().isoformat()
        return value.replace(microsecond=0).isoformat(sep=" ")
    if isinstance(value, datetime.timedelta):
        return str(value)
    return value.isoformat()


def texts_of(row: list[Value]) -> list[str]:
    """Return the texts of a row's cells."""
    # Texts and small whole numbers are nearly all cells there are, so they are told apart without a call.
    return [
        value
        if type(value) is str
        else _SMALL_NUMBERS.get(value) or _number(value)
        if type(value) is float
        else text_of(value)
        for value in row
    ]


def _number(value: float) -> str:
    if not float(value).is_integer():
        return repr(value)
    if -EXACT_INTEGER_MAX < value < EXACT_INTEGER_MAX:
        return str(int(value))
    return format(decimal.Decimal(f"{value:.{EXACT_DIGITS}g}"), "f")


_SMALL_NUMBERS: Final = {float(number): str(number) for number in range(SMALL_NUMBERS)}
