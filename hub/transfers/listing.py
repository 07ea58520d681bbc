"""What screens and commands show of transfers: lists, one transfer with its log, its items and what the checks found."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Select, func, select

from protocol.transfer_folds import Transfer
from protocol.transfers import Nature, Side, TransferState
from protocol.wording import Text
from replication import transfer_items, transfer_log
from replication.transfer_items import ItemState, TransferItem
from replication.transfer_log import LoggedStep
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


class RoundWork(msgspec.Struct, frozen=True, kw_only=True):
    """The package of one round at this end."""

    round: int
    package: str
    """Folder of the package, relative to the home."""
    done_bytes: int
    total_bytes: int
    standing: str
    """Verdict of the checks (``protocol.check_results.Standing``); empty before they have run."""
    report: str
    """File with every result, relative to the home; empty before the checks have run."""
    trouble: Text | None
    at_ms: int


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the checks found not to be in order."""

    round: int
    ref_code: str
    path: str
    rule: str
    outcome: str
    is_mandatory: bool
    evidence: Text
    remedy: Text
    tool: str
    checked_at_ms: int


class TransferView(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer with all that a page shows beside its items."""

    site: str
    transfer: Transfer
    opened_at_ms: int
    moved_at_ms: int
    counts: dict[ItemState, int]
    rounds: tuple[RoundWork, ...]
    faults: int
    """Faults of the present round."""
    steps: tuple[LoggedStep, ...]


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
    return [_line(row) for row in connection.execute(statement).mappings()]


def lines_statement() -> Select[*tuple[object, ...]]:
    """Transfers with the work of their present round, the latest first."""
    return (
        select(transfer, transfer_work)
        .outerjoin(
            transfer_work,
            (transfer_work.c.transfer_id == transfer.c.transfer_id) & (transfer_work.c.round == transfer.c.round),
        )
        .order_by(transfer.c.moved_at_ms.desc(), transfer.c.transfer_id)
    )


def counts_by_state(connection: Connection, site: str = "") -> dict[TransferState, int]:
    """Return how many transfers stand where."""
    statement = select(transfer.c.state, func.count()).group_by(transfer.c.state)
    if site:
        statement = statement.where(transfer.c.site == site)
    return {TransferState(state): count for state, count in connection.execute(statement)}
