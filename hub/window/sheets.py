"""Numbered sheets of paper at the window: received in batches, printed on or spoiled, and they must balance.

The serial of a certificate is taken long before its first sheet. A sheet that the printer spoils is entered with its
reason and the serial is printed again on the next one; nothing else is ever done to a serial because of paper.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import islice

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from hub.window.applicants import said
from hub.window.copy_tables import sheet, sheet_batch
from hub.window.requests import TEXT_CHARS_MAX
from protocol.errors import BadValue
from protocol.wording import Text

BATCH_SHEETS_MAX = 100_000
"""Sheets of one batch: twenty boxes of paper."""

SKIPPED_NAMED_MAX = 20
"""Lost sheets that are named: a wrong number of the first sheet loses a whole box."""

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
    """The number behind the last one used, of the first batch that is not used up; empty if none is left."""
    lost: int
    """Sheets below the highest used one that nobody has accounted for: each must be found, or entered as spoiled."""
    skipped: tuple[str, ...]
    """The first ``SKIPPED_NAMED_MAX`` of them."""

    @property
    def is_even(self) -> bool:
        """True if every sheet up to the last used one is accounted for."""
        return not self.lost


def name_of(prefix: str, number: int) -> str:
    """Return a sheet's number as it is printed on it."""
    return f"{prefix}{number:06}"


def read_number(text: str) -> tuple[str, int]:
    """Read a sheet's number.

    Raises:
        BadValue: it is none.

    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        raise BadValue(
            Text(zh=f"不是用纸编号：{text!r}", en=f"not the number of a sheet: {text!r}"),
            Text(zh="照纸上所印填写，例如 A000123。", en="Write it as on the sheet: A000123."),
        )
    return found[1].upper(), int(found[2])


def receive(connection: Connection, first: str, last: str, who: str, now_ms: int) -> Batch:
    """Take in numbered sheets.

    Raises:
        BadValue: the numbers make no batch, or some came in before.

    """
    prefix, low = read_number(first)
    other, high = read_number(last)
    if prefix != other or not 0 <= high - low < BATCH_SHEETS_MAX:
        raise BadValue(
            Text(zh=f"{first}–{last} 不是一批用纸。", en=f"{first} to {last} is no batch"),
            Text(zh="同一字头，起号不大于止号。", en="One prefix, and the first not above the last."),
        )
    overlapping = select(sheet_batch).where(
        sheet_batch.c.prefix == prefix, sheet_batch.c.first <= high, sheet_batch.c.last >= low
    )
    if connection.execute(overlapping).first() is not None:
        raise BadValue(
            Text(zh=f"{first}–{last} 中有已登记的用纸。", en=f"some of {first} to {last} came in before"),
            Text(zh="请核对号段。", en="Check the numbers."),
        )
    made = Batch(prefix=prefix, first=low, last=high, received_by=who, received_at_ms=now_ms)
    connection.execute(insert(sheet_batch).values(msgspec.structs.asdict(made)))
    return made


def room_from(connection: Connection, first: str, most: int) -> int:
    """Return how many unused sheets of one batch lie one behind the other from this one on, counted to ``most``.

    Raises:
        BadValue: that is not the number of a sheet.

    """
    prefix, number = read_number(first)
    holding = (sheet_batch.c.prefix == prefix) & (sheet_batch.c.first <= number) & (sheet_batch.c.last >= number)
    last = connection.scalar(select(sheet_batch.c.last).where(holding))
    used = (sheet.c.prefix == prefix) & sheet.c.number.between(number, number + most - 1)
    next_used = connection.scalar(select(func.min(sheet.c.number)).where(used))
    end = number + most if next_used is None else next_used
    return 0 if last is None else max(0, min(end, last + 1) - number)


def note_printed(
    connection: Connection, serial: str, pages: Sequence[int], first: str, printer: str, who: str, now_ms: int
) -> list[Sheet]:
    """Enter the sheets on which these pages of a certificate were printed, from the first one upwards.

    Raises:
        BadValue: a sheet was never received, or was used before.

    """
    prefix, number = read_number(first)
    made = [
        Sheet(
            prefix=prefix,
            number=number + place,
            fate=SheetFate.PRINTED,
            serial=serial,
            page=page,
            because="",
            printer=printer,
            who=who,
            at_ms=now_ms,
        )
        for place, page in enumerate(pages)
    ]
    for one in made:
        _check_unused(connection, one.prefix, one.number)
    if made:
        connection.execute(insert(sheet), [msgspec.structs.asdict(one) | {"fate": one.fate.value} for one in made])
    return made


def spoil(connection: Connection, number: str, because: str, who: str, now_ms: int) -> Sheet:
    """Enter a sheet as spoiled: one that was printed on, or one that was never used.

    Raises:
        BadValue: no reason or too long a one is given, the sheet was never received, or is spoiled already.

    """
    because = said(because, TEXT_CHARS_MAX)
    if not because:
        raise BadValue(
            Text(zh="未写明原因。", en="no reason is given"), Text(zh="例如：卡纸。", en="For example: paper jam.")
        )
    prefix, count = read_number(number)
    of_sheet = (sheet.c.prefix == prefix) & (sheet.c.number == count)
    row = connection.execute(select(sheet).where(of_sheet)).one_or_none()
    if row is None:
        _check_unused(connection, prefix, count)
        made = Sheet(
            prefix=prefix,
            number=count,
            fate=SheetFate.SPOILED,
            serial="",
            page=0,
            because=because,
            printer="",
            who=who,
            at_ms=now_ms,
        )
        connection.execute(insert(sheet).values(msgspec.structs.asdict(made) | {"fate": made.fate.value}))
        return made
    known = _sheet(row)
    if known.fate is SheetFate.SPOILED:
        raise BadValue(
            Text(zh=f"{number} 已登记作废。", en=f"{number} is entered as spoiled already"),
            Text(zh="请核对编号。", en="Check the number."),
        )
    values = {"fate": SheetFate.SPOILED.value, "because": because, "who": who, "at_ms": now_ms}
    connection.execute(update(sheet).where(of_sheet).values(values))
    return msgspec.structs.replace(known, fate=SheetFate.SPOILED, because=because, who=who, at_ms=now_ms)


def of_serial(connection: Connection, serial: str) -> list[Sheet]:
    """Return the sheets of one certificate, spoiled ones too."""
    statement = select(sheet).where(sheet.c.serial == serial).order_by(sheet.c.at_ms, sheet.c.prefix, sheet.c.number)
    return [_sheet(row) for row in connection.execute(statement)]


def spoiled(connection: Connection) -> list[Sheet]:
    """Return every spoiled sheet, the latest first."""
    statement = select(sheet).where(sheet.c.fate == SheetFate.SPOILED.value).order_by(sheet.c.at_ms.desc())
    return [_sheet(row) for row in connection.execute(statement)]


def pages_missing(connection: Connection, serial: str, pages: int) -> list[int]:
    """Return the pages of a certificate that no good sheet bears."""
    good = {one.page for one in of_serial(connection, serial) if one.fate is SheetFate.PRINTED}
    return [page for page in range(1, pages + 1) if page not in good]


def batches(connection: Connection) -> list[Batch]:
    """Return what was received, in the order of numbers."""
    statement = select(sheet_batch).order_by(sheet_batch.c.prefix, sheet_batch.c.first)
    return [
        Batch(
            prefix=row.prefix,
            first=row.first,
            last=row.last,
            received_by=row.received_by,
            received_at_ms=row.received_at_ms,
        )
        for row in connection.execute(statement)
    ]


def balance(connection: Connection) -> Balance:
    """Account for every sheet; a batch whose sheets were used one after the other is counted, not read."""
    received = used = lost = 0
    skipped: list[str] = []
    next_sheet = ""
    for batch in batches(connection):
        within = (sheet.c.prefix == batch.prefix) & sheet.c.number.between(batch.first, batch.last)
        count, last = connection.execute(select(func.count(), func.max(sheet.c.number)).where(within)).one()
        highest = batch.first - 1 if last is None else last
        received += batch.sheets
        used += count
        if count < highest - batch.first + 1:
            there = set(connection.scalars(select(sheet.c.number).where(within)))
            gaps = (name_of(batch.prefix, one) for one in range(batch.first, highest) if one not in there)
            skipped += islice(gaps, SKIPPED_NAMED_MAX - len(skipped))
            lost += highest - batch.first + 1 - count
        if not next_sheet and highest < batch.last:
            next_sheet = name_of(batch.prefix, highest + 1)
    ruined = connection.scalar(select(func.count()).where(sheet.c.fate == SheetFate.SPOILED.value)) or 0
    return Balance(
        received=received,
        printed=used - ruined,
        spoiled=ruined,
        left=received - used,
        next_sheet=next_sheet,
        lost=lost,
        skipped=tuple(skipped),
    )


def _check_unused(connection: Connection, prefix: str, number: int) -> None:
    known = select(sheet_batch).where(
        sheet_batch.c.prefix == prefix, sheet_batch.c.first <= number, sheet_batch.c.last >= number
    )
    if connection.execute(known).first() is None:
        raise BadValue(
            Text(
                zh=f"用纸 {name_of(prefix, number)} 未登记领用。",
                en=f"sheet {name_of(prefix, number)} was never received",
            ),
            Text(zh="请先登记领用号段。", en="Enter the batch that was received first."),
        )
    if connection.execute(select(sheet).where(sheet.c.prefix == prefix, sheet.c.number == number)).first() is not None:
        raise BadValue(
            Text(zh=f"用纸 {name_of(prefix, number)} 已用过。", en=f"sheet {name_of(prefix, number)} was used before"),
            Text(zh="请核对打印机里的用纸编号。", en="Check the number of the sheet in the printer."),
        )


def _sheet(row: Row[*tuple[object, ...]]) -> Sheet:
    return Sheet(
        prefix=row.prefix,
        number=row.number,
        fate=SheetFate(row.fate),
        serial=row.serial,
        page=row.page,
        because=row.because,
        printer=row.printer,
        who=row.who,
        at_ms=row.at_ms,
    )
