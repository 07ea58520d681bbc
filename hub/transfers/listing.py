"""What screens and commands show of transfers: lists, one with its log, its items and what the checks found."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, func, select

from protocol.transfer_folds import Transfer
from protocol.transfers import Nature, Side, TransferState
from protocol.wording import Text
from replication import transfer_items, transfer_log, transfer_rounds
from replication.transfer_items import ItemState, TransferItem
from replication.transfer_log import LoggedStep
from replication.transfer_rounds import Fault, Round
from replication.transfer_tables import transfer, transfer_fault, transfer_work

LISTED_MAX = 200
"""Transfers in one list."""


class TransferLine(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer in a list."""

    transfer_id: UUID
    site: str
    title: str
    nature: Nature
    state: TransferState
    turn: Side | None
    round: int
    items: int
    accepted: int
    size_bytes: int
    opened_at_ms: int
    moved_at_ms: int
    progress: float
    """Share of the present round's bytes that have been drawn, 0 to 1."""
    trouble: Text | None = None
    """What keeps the drawing or the checks from going on now."""


class TransferView(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer with all that a page shows beside its items."""

    site: str
    transfer: Transfer
    opened_at_ms: int
    moved_at_ms: int
    counts: dict[ItemState, int]
    rounds: tuple[Round, ...]
    faults: int
    """Faults of the present round."""
    steps: tuple[LoggedStep, ...]
    is_witnessed: bool = False
    """Two sites settle it between them; the hub carries what they say."""


def transfers(
    connection: Connection,
    *,
    site: str = "",
    states: Iterable[TransferState] = (),
    with_over: bool = True,
    limit: int = LISTED_MAX,
) -> list[TransferLine]:
    """Return transfers, those that moved last being first."""
    statement = lines_statement().limit(limit)
    wanted = [state.value for state in states]
    if site:
        statement = statement.where(transfer.c.site == site)
    if wanted:
        statement = statement.where(transfer.c.state.in_(wanted))
    if not with_over:
        over = [state.value for state in TransferState if state.is_over]
        statement = statement.where(transfer.c.state.not_in(over))
    return [_line(row) for row in connection.execute(statement)]


def lines_statement() -> Select[*tuple[object, ...]]:
    """Transfers with the work of their present round, the latest first."""
    work = (transfer_work.c.transfer_id == transfer.c.transfer_id) & (transfer_work.c.round == transfer.c.round)
    return (
        select(
            *(column for column in transfer.c if column is not transfer.c.folded),
            *(transfer_work.c.done_bytes, transfer_work.c.total_bytes),
            *(transfer_work.c.trouble_zh, transfer_work.c.trouble_en),
        )
        .outerjoin(transfer_work, work)
        .order_by(transfer.c.moved_at_ms.desc(), transfer.c.transfer_id)
    )


def counts_by_state(connection: Connection, site: str = "") -> dict[TransferState, int]:
    """Return how many transfers stand where."""
    statement = select(transfer.c.state, func.count()).group_by(transfer.c.state)
    if site:
        statement = statement.where(transfer.c.site == site)
    return {TransferState(state): count for state, count in connection.execute(statement)}


def view(connection: Connection, transfer_id: UUID) -> TransferView:
    """Return one transfer.

    Raises:
        BadValue: there is no such transfer.

    """
    row = connection.execute(
        select(transfer.c.site, transfer.c.opened_at_ms, transfer.c.moved_at_ms, transfer.c.role).where(
            transfer.c.transfer_id == str(transfer_id)
        )
    ).one_or_none()
    now = transfer_log.transfer_of(connection, transfer_id)
    if row is None or now is None:
        raise transfer_log.no_such(str(transfer_id))
    return TransferView(
        site=row.site,
        transfer=now,
        opened_at_ms=row.opened_at_ms,
        moved_at_ms=row.moved_at_ms,
        counts=transfer_items.counts(connection, transfer_id),
        rounds=tuple(transfer_rounds.rounds_of(connection, transfer_id)),
        faults=count_faults(connection, transfer_id, now.round),
        steps=tuple(sorted(transfer_log.logged(connection, transfer_id), key=_told_order)),
        is_witnessed=row.role == transfer_log.WITNESS,
    )


def _told_order(one: LoggedStep) -> tuple[int, int, str, int]:
    return (one.step.number + one.step.heard, one.noted_at_ms, one.step.side.value, one.step.number)


def items(
    connection: Connection,
    transfer_id: UUID,
    *,
    states: Iterable[ItemState] = (),
    after: int = -1,
    limit: int = LISTED_MAX,
) -> list[TransferItem]:
    """Return items of a transfer in their order, from behind a sequence number on."""
    return transfer_items.listed(connection, transfer_id, states=states, after=after, limit=limit)


def faults(
    connection: Connection,
    transfer_id: UUID,
    *,
    round_number: int,
    ref_code: str | None = None,
    limit: int = LISTED_MAX,
) -> list[Fault]:
    """Return what the checks of a round found, the mandatory rules first; of one item, or of all."""
    return transfer_rounds.faults_of(connection, transfer_id, round_number, ref_code=ref_code, limit=limit)


def count_faults(connection: Connection, transfer_id: UUID, round_number: int) -> int:
    """Return how many faults a round has."""
    statement = select(func.count()).select_from(transfer_fault)
    of_round = (transfer_fault.c.transfer_id == str(transfer_id)) & (transfer_fault.c.round == round_number)
    return int(connection.execute(statement.where(of_round)).scalar_one())


def _line(row: Row[*tuple[object, ...]]) -> TransferLine:
    return TransferLine(
        transfer_id=UUID(row.transfer_id),
        site=row.site,
        title=row.title,
        nature=Nature(row.nature),
        state=TransferState(row.state),
        turn=Side(row.turn) if row.turn else None,
        round=row.round,
        items=row.items,
        accepted=row.accepted,
        size_bytes=row.size_bytes,
        opened_at_ms=row.opened_at_ms,
        moved_at_ms=row.moved_at_ms,
        progress=min(1.0, row.done_bytes / row.total_bytes) if row.total_bytes else 0.0,
        trouble=_text(row.trouble_zh, row.trouble_en),
    )


def _text(zh: str | None, en: str | None) -> Text | None:
    return Text(zh=zh, en=en or zh) if zh else None
