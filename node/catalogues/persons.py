"""Person keys: how a person named in an index column can be found across sites without being named in what travels.

A key is the HMAC-SHA256 of a name or an identity number under the county's key: whoever has the key and asks for a
certain person can compute it, nobody can read it back. Without the county's key there are no person keys.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from protocol.analysis import fold
from protocol.identity_numbers import is_truncated_identity_number
from protocol.person_keys import current_number, keyed

PERSONS_MAX: Final = 50
"""Persons of one row; more are not an index but a text."""

_SEPARATORS: Final = re.compile("[、，,;；/\n]")


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
    keys = (keyed(county_key, kind, text) for kind, text in told[:PERSONS_MAX])
    return PersonKeys(keys=tuple(dict.fromkeys(keys)), findings=findings)


def _names(cell: str) -> list[str]:
    """The names in a cell; blanks pad a name as well (王　伟), which is seen by the single characters between them."""
    return [name for part in _SEPARATORS.split(fold(cell)) for name in _apart(part.split())]


def _apart(pieces: list[str]) -> list[str]:
    return pieces if all(len(piece) > 1 for piece in pieces) else ["".join(pieces)]
