"""The items of transfers at one end: what each carries, and where every item stands as the steps say."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from protocol.transfer_folds import Transfer, last_rulings
from protocol.transfers import Checking, Decided, Ruling, SentBack, Step
from protocol.wording import Text
from replication.transfer_tables import transfer_item

ITEMS_AT_ONCE = 500
"""Items named in one statement."""


class ItemState(StrEnum):
    """Where one item of a transfer stands."""

    CHOSEN = "chosen"
    """The giver wants to hand it over; no package carries it yet."""
    CARRIED = "carried"
    """It is in the package that is being looked at."""
    ACCEPTED = "accepted"
    RETURNED = "returned"
    HELD = "held"
    LEFT_OUT = "left_out"
    """It has left the transfer and stays with the giver."""
    MOVED = "moved"
    """Its owner has described it as kept by the receiver."""


class TransferItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a transfer."""

    record_id: UUID
    sequence: int
    ref_code: str
    title: str
    round: int = 0
    """The last round whose package carries it."""
    state: ItemState = ItemState.CHOSEN
    reason: Text | None = None
    """Why it was returned or is held."""
    pages: int | None = None
    files: int = 0
    size_bytes: int = 0
    box: str = ""
    """The box of physical volumes in which its paper comes."""
    archive_code: str = ""
    """馆编档号 that the archive gave it when it accepted it."""
    note: bytes = b""
    """What the end keeps for itself about the item."""


def put(connection: Connection, transfer_id: UUID, items: Sequence[TransferItem]) -> None:
    """Store items; those that are there already are replaced."""
    if not items:
        return
    ids = [one.record_id.bytes for one in items]
    for start in range(0, len(ids), ITEMS_AT_ONCE):
        some = ids[start : start + ITEMS_AT_ONCE]
        connection.execute(
            delete(transfer_item).where(
                transfer_item.c.transfer_id == str(transfer_id), transfer_item.c.record_id.in_(some)
            )
        )
    connection.execute(insert(transfer_item), [_values(transfer_id, one) for one in items])


def _values(transfer_id: UUID, item: TransferItem) -> dict[str, object]:
    return {
        "transfer_id": str(transfer_id),
        "record_id": item.record_id.bytes,
        "sequence": item.sequence,
        "ref_code": item.ref_code,
        "title": item.title,
        "round": item.round,
        "state": item.state.value,
        "reason_zh": item.reason.zh if item.reason else "",
        "reason_en": item.reason.en if item.reason else "",
        "pages": item.pages,
        "files": item.files,
        "size_bytes": item.size_bytes,
        "box": item.box,
        "archive_code": item.archive_code,
        "note": item.note,
    }


def listed(
    connection: Connection,
    transfer_id: UUID,
    *,
    states: Iterable[ItemState] = (),
    after: int = -1,
    limit: int | None = None,
) -> list[TransferItem]:
    """Return items in their order, from behind a sequence number on."""
    statement = _of(transfer_id).where(transfer_item.c.sequence > after).order_by(transfer_item.c.sequence)
    wanted = [state.value for state in states]
    if wanted:
        statement = statement.where(transfer_item.c.state.in_(wanted))
    if limit is not None:
        statement = statement.limit(limit)
    return [_item(row) for row in connection.execute(statement)]


def found(connection: Connection, transfer_id: UUID, record_id: UUID) -> TransferItem | None:
    """Return one item, or None if the transfer has none of this id."""
    row = connection.execute(_of(transfer_id).where(transfer_item.c.record_id == record_id.bytes)).one_or_none()
    return None if row is None else _item(row)


def neighbours(
    connection: Connection, transfer_id: UUID, item: TransferItem
) -> tuple[TransferItem | None, TransferItem | None]:
    """Return the items before and behind one, as far as there are any."""
    place = transfer_item.c.sequence
    before = _of(transfer_id).where(place < item.sequence).order_by(place.desc()).limit(1)
    behind = _of(transfer_id).where(place > item.sequence).order_by(place).limit(1)
    one, other = (connection.execute(statement).one_or_none() for statement in (before, behind))
    return (None if one is None else _item(one), None if other is None else _item(other))


def _of(transfer_id: UUID) -> Select[*tuple[object, ...]]:
    return select(transfer_item).where(transfer_item.c.transfer_id == str(transfer_id))


def _item(row: Row[*tuple[object, ...]]) -> TransferItem:
    return TransferItem(
        record_id=UUID(bytes=bytes(row.record_id)),
        sequence=row.sequence,
        ref_code=row.ref_code,
        title=row.title,
        round=row.round,
        state=ItemState(row.state),
        reason=Text(zh=row.reason_zh, en=row.reason_en) if row.reason_zh else None,
        pages=row.pages,
        files=row.files,
        size_bytes=row.size_bytes,
        box=row.box,
        archive_code=row.archive_code,
        note=bytes(row.note),
    )


def counts(connection: Connection, transfer_id: UUID) -> dict[ItemState, int]:
    """Return how many items stand where."""
    rows = connection.execute(
        select(transfer_item.c.state, func.count())
        .where(transfer_item.c.transfer_id == str(transfer_id))
        .group_by(transfer_item.c.state)
    )
    return {ItemState(state): count for state, count in rows}


def set_state(connection: Connection, transfer_id: UUID, record_ids: Iterable[UUID], state: ItemState) -> None:
    """Note where these items stand now."""
    ids = [one.bytes for one in record_ids]
    for start in range(0, len(ids), ITEMS_AT_ONCE):
        connection.execute(
            update(transfer_item)
            .where(
                transfer_item.c.transfer_id == str(transfer_id),
                transfer_item.c.record_id.in_(ids[start : start + ITEMS_AT_ONCE]),
            )
            .values(state=state.value)
        )


def put_round(connection: Connection, transfer_id: UUID, record_ids: Iterable[UUID], number: int) -> None:
    """Note that the package of a round carries these items."""
    ids = [one.bytes for one in record_ids]
    for start in range(0, len(ids), ITEMS_AT_ONCE):
        connection.execute(
            update(transfer_item)
            .where(
                transfer_item.c.transfer_id == str(transfer_id),
                transfer_item.c.record_id.in_(ids[start : start + ITEMS_AT_ONCE]),
            )
            .values(round=number)
        )


def follow(connection: Connection, step: Step, before: Transfer) -> None:
    """Do to the items what a step says that counts, after all that stands before it; the same at both ends."""
    if isinstance(step.what, Checking):
        _turn(connection, step.transfer, step.what.round, (ItemState.CHOSEN, ItemState.RETURNED), ItemState.CARRIED)
    elif isinstance(step.what, SentBack):
        again = ItemState.RETURNED if before.parcels else ItemState.CHOSEN
        _turn(connection, step.transfer, step.what.round, (ItemState.CARRIED,), again)
    elif isinstance(step.what, Decided):
        _decide(connection, before, is_final=step.what.is_final)


def _turn(connection: Connection, transfer_id: UUID, number: int, states: Iterable[ItemState], to: ItemState) -> None:
    """Note where the items of a round's package stand now that stood in one of these states."""
    connection.execute(
        update(transfer_item)
        .where(
            transfer_item.c.transfer_id == str(transfer_id),
            transfer_item.c.state.in_([state.value for state in states]),
            transfer_item.c.round == number,
        )
        .values(state=to.value)
    )


def _decide(connection: Connection, before: Transfer, *, is_final: bool) -> None:
    of_transfer = transfer_item.c.transfer_id == str(before.transfer_id)
    passed_by = update(transfer_item).where(of_transfer, transfer_item.c.round < before.round)
    # What was returned and is not carried again has left, and so has what was chosen and never carried.
    not_again = [ItemState.RETURNED.value, ItemState.CHOSEN.value]
    if before.prepared is not None:
        connection.execute(passed_by.where(transfer_item.c.state.in_(not_again)).values(state=ItemState.LEFT_OUT.value))
    looked_at = [ItemState.CARRIED.value, ItemState.HELD.value]
    connection.execute(
        update(transfer_item)
        .where(of_transfer, transfer_item.c.state.in_(looked_at))
        .values(state=ItemState.ACCEPTED.value, reason_zh="", reason_en="")
    )
    states = {Ruling.RETURN: ItemState.RETURNED, Ruling.HOLD: ItemState.HELD}
    for one in last_rulings(before):
        values = {}
        if one.ruling in states:
            reason = one.reason or Text(zh="", en="")
            state = ItemState.LEFT_OUT if is_final else states[one.ruling]
            values = {"state": state.value, "reason_zh": reason.zh, "reason_en": reason.en}
        elif one.archive_code:
            values = {"archive_code": one.archive_code}
        if values:
            of_item = transfer_item.c.record_id == one.record_id.bytes
            connection.execute(update(transfer_item).where(of_transfer, of_item).values(values))


def accepted_if_decided(connection: Connection, now: Transfer) -> list[UUID]:
    """Return the items that stand accepted once the present round is decided as it is ruled now."""
    in_play = (ItemState.ACCEPTED, ItemState.CARRIED, ItemState.HELD)
    stay = {one.record_id for one in last_rulings(now) if one.ruling is not Ruling.ACCEPT}
    return [one.record_id for one in listed(connection, now.transfer_id, states=in_play) if one.record_id not in stay]
