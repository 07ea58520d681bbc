"""Numbered sheets of paper at the window: received in batches, printed on or spoiled, and they must balance.

The serial of a certificate is taken long before its first sheet. A sheet that the printer spoils is entered with its
reason and the serial is printed again on the next one; nothing else is ever done to a serial because of paper.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from hub.window.copy_tables import sheet, sheet_batch
from protocol.errors import BadValue
from protocol.wording import Text

BATCH_SHEETS_MAX = 100_000
"""Sheets of one batch: twenty boxes of paper."""

_NUMBER = re.compile(r"([A-Za-z]{0,4})([0-9]{1,9})")


class SheetFate(StrEnum):
    """What became of a sheet."""

    PRINTED = "printed"
    SPOILED = "spoiled"


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet that left the tray."""

    prefix: str
    number: int
    fate: SheetFate
    serial: str
    page: int
    """Of the certificate, from 1."""
    because: str
    printer: str
    who: str
    at_ms: int


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Sheets that came in together."""

    prefix: str
    first: int
    last: int
    received_by: str
    received_at_ms: int

    @property
    def sheets(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Received = printed + spoiled + left."""

    received: int
    printed: int
    spoiled: int
    left: int
    next_sheet: str
    """The lowest number that was not used yet; empty if none is left."""
    skipped: tuple[str, ...]
    """Sheets below the highest used one that nobody has accounted for: each must be found, or entered as spoiled."""

    @property
    def is_even(self) -> bool:
        """True if every sheet up to the last used one is accounted for."""
        return not self.skipped
