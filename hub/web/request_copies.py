"""Copies and certificates of a request as its page shows them: where each stands, its sheets, and what may be done."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub.web.faults import Missing
from hub.window import copies, serials, sheets
from hub.window.copy_orders import OPEN, CopyOrder, CopyState
from hub.window.serials import FATES, Certificate, Fate
from hub.window.sheets import Sheet, SheetFate
from protocol.certificates import KINDS
from protocol.wording import Text

TONES: Final = {
    CopyState.ASKED: "calm",
    CopyState.APPROVED: "calm",
    CopyState.REFUSED: "bad",
    CopyState.DRAWING: "calm",
    CopyState.READY: "watch",
    CopyState.SIGNED: "good",
    CopyState.ISSUED: "good",
    CopyState.FAILED: "bad",
    CopyState.WITHDRAWN: "away",
}

FATE_TONES: Final = {
    Fate.TAKEN: "calm",
    Fate.READY: "good",
    Fate.ISSUED: "good",
    Fate.VOID: "away",
    Fate.REVOKED: "bad",
}

_PRINTABLE: Final = (Fate.READY, Fate.ISSUED)
_KIB: Final = 1024


class CopyLine(msgspec.Struct, frozen=True, kw_only=True):
    """One serial: what it is of, where it stands, and what may be done with it."""

    serial: str
    kind: Text
    stands: Text
    next: Text
    tone: str
    holder_name: str
    ref_code: str
    asked_at_ms: int
    copy_id: UUID | None
    done_kib: int
    total_kib: int
    is_made: bool
    sheets: tuple[Sheet, ...]
    may_print: bool
    may_spoil: bool
    may_revoke: bool
    may_withdraw: bool
    replaced_by: str
    entry: str
    """By what the order form finds its entry again; empty where it cannot be certified anew."""


def copies_of(connection: Connection, request_id: UUID, now_ms: int) -> list[CopyLine]:
    """Return every serial that was taken for a request, the latest first."""
    orders = {one.copy_id: one for one in copies.of_request(connection, request_id)}
    return [
        _line(connection, one, orders.get(one.copy_id) if one.copy_id is not None else None, now_ms)
        for one in serials.listed(connection, request_id=request_id)
    ]


def certificate_of(connection: Connection, request_id: UUID, serial: str) -> Certificate:
    """Return a serial of a request.

    Raises:
        Missing: it was never taken, or for another request.

    """
    one = serials.look_up(connection, serial)
    if one is None or one.request_id != request_id:
        raise Missing
    return one


def _print_again(missing: Sequence[int]) -> Text:
    pages = ", ".join(map(str, missing))
    return Text(
        zh=f"第 {pages} 页还没有印好（用纸作废或用完）：请在下面的用纸上补打并登记，再交付。",
        en=f"Page {pages} is not on paper yet (spoiled, or the paper ran out): print it on the sheet below and enter it"
        " before you hand it over.",
    )


def _entry(one: Certificate, order: CopyOrder | None) -> str:
    """Return which entry is certified anew: of what was issued, or revoked, and not replaced yet."""
    may_replace = one.fate in (Fate.ISSUED, Fate.REVOKED) and not one.replaced_by
    return f"{order.asked.holder} {order.asked.record_id}" if order is not None and may_replace else ""


def _line(connection: Connection, one: Certificate, order: CopyOrder | None, now_ms: int) -> CopyLine:
    used = tuple(sheets.of_serial(connection, one.serial))
    is_made = one.fate in (Fate.READY, Fate.ISSUED, Fate.REVOKED) and not one.is_disposed_of
    stands, following = (FATES[one.fate], Text(zh=one.because, en=one.because))
    tone = FATE_TONES[one.fate]
    missing = sheets.pages_missing(connection, one.serial, one.pdf_pages) if one.fate in _PRINTABLE else []
    if order is not None and one.fate is not Fate.REVOKED:
        (stands, following), tone = order.told(now_ms), TONES[order.state]
    if one.fate is Fate.ISSUED and missing:
        following, tone = _print_again(missing), "watch"
    return CopyLine(
        serial=one.serial,
        kind=KINDS[one.kind],
        stands=stands,
        next=following,
        tone=tone,
        holder_name="" if order is None else order.asked.holder_name,
        ref_code="" if order is None else order.asked.ref_code,
        asked_at_ms=one.taken_at_ms,
        copy_id=one.copy_id,
        done_kib=0 if order is None else order.done_bytes // _KIB,
        total_kib=0 if order is None else order.total_bytes // _KIB,
        is_made=is_made,
        sheets=used,
        may_print=bool(missing),
        may_spoil=any(sheet.fate is SheetFate.PRINTED for sheet in used),
        may_revoke=one.fate in _PRINTABLE,
        may_withdraw=order is not None and order.state in OPEN,
        replaced_by=one.replaced_by,
        entry=_entry(one, order),
    )
