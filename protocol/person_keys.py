"""Person keys: how a person can be found across sites without being named in what travels or is stored for matching.

A key is the HMAC-SHA256 of a name or a number under the county's key: whoever has the key and asks for a certain person
can compute it, nobody can read it back. A key starts with the kind of what it stands for: ``n:`` a name, ``i:`` an
identity number, ``d:`` the number of another document.
"""

import hmac
from typing import Final

from protocol.identity_numbers import check_character, is_identity_number

KEY_HEX_CHARS: Final = 32
"""Hexadecimal digits of a key: 128 bits of the HMAC."""

_OLD_NUMBER_CHARS: Final = 15


def keyed(county_key: bytes, kind: str, text: str) -> str:
    """Return the key of a text of one kind (``n``, ``i`` or ``d``), with its kind in front."""
    message = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
    return f"{kind}:{hmac.digest(county_key, message, 'sha256').hex()[:KEY_HEX_CHARS]}"


def current_number(number: str) -> str:
    """Return an identity number in its form since 1999; empty if it is none."""
    if is_identity_number(number):
        return number
    if is_old_form(number):
        longer = f"{number[:6]}19{number[6:]}"
        longer += check_character(longer)
        return longer if is_identity_number(longer) else ""
    return ""


def is_old_form(number: str) -> bool:
    """True for a text with the 15 digits of the form before 1999, which has no check character."""
    return len(number) == _OLD_NUMBER_CHARS and number.isascii() and number.isdigit()
