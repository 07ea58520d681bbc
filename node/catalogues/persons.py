"""Person keys: how a person named in an index column can be found across sites without being named in what travels.

A key is the HMAC-SHA256 of a name or an identity number under the county's key: whoever has the key and asks for a
certain person can compute it, nobody can read it back. Without the county's key there are no person keys.
"""

import hmac
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from protocol.analysis import fold
from protocol.identity_numbers import is_identity_number, is_truncated_identity_number

KEY_HEX_CHARS: Final = 32
"""Hexadecimal digits of a key: 128 bits of the HMAC."""

PERSONS_MAX: Final = 50
"""Persons of one row; more are not an index but a text."""

_SEPARATORS: Final = re.compile("[、，,;；/\n]")
_OLD_NUMBER_CHARS: Final = 15
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"


class PersonKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of one row's persons, and the codes of what was noticed."""

    keys: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


def person_keys(names: Iterable[str], numbers: Iterable[str], county_key: bytes) -> PersonKeys:
    """Return the keys of the persons in a row's index columns.

    A name's key starts with ``n:`` and ignores script, width and padding blanks (王　伟); a number's starts with ``i:``
    and is the same for the form of 15 and of 18 characters. A number with a wrong check character has no key.
    """
    told: list[tuple[str, str]] = [("n", name) for cell in names for name in _names(cell)]
    findings: tuple[str, ...] = ()
    for cell in numbers:
        number = current_number("".join(cell.split()).upper())
        if number:
            told.append(("i", number))
        elif is_truncated_identity_number(cell.strip()):
            findings = ("id_number_truncated",)
    if not county_key:
        return PersonKeys(findings=findings)
    keys = (f"{kind}:{_keyed(county_key, kind, text)}" for kind, text in told[:PERSONS_MAX])
    return PersonKeys(keys=tuple(dict.fromkeys(keys)), findings=findings)


def current_number(number: str) -> str:
    """Return an identity number in its form since 1999; empty if it is none."""
    if is_identity_number(number):
        return number
    if len(number) == _OLD_NUMBER_CHARS and number.isascii() and number.isdigit():
        longer = f"{number[:6]}19{number[6:]}"
        total = sum(int(digit) * weight for digit, weight in zip(longer, _WEIGHTS, strict=True))
        longer += _CHECKS[total % 11]
        return longer if is_identity_number(longer) else ""
    return ""


def _names(cell: str) -> list[str]:
    """The names in a cell; blanks pad a name as well (王　伟), which is seen by the single characters between them."""
    return [name for part in _SEPARATORS.split(fold(cell)) for name in _apart(part.split())]


def _apart(pieces: list[str]) -> list[str]:
    return pieces if all(len(piece) > 1 for piece in pieces) else ["".join(pieces)]


def _keyed(county_key: bytes, kind: str, text: str) -> str:
    message = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
    return hmac.digest(county_key, message, "sha256").hex()[:KEY_HEX_CHARS]
