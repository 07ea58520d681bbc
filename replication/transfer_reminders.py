"""Reminders: the steps of transfers that a peer may have lost, given to it before it asks."""

from uuid import UUID

from sqlalchemy import Connection, select

from protocol.transfers import LETTER_KIND, SealedStep
from replication import letters
from replication.transfer_log import USUAL
from replication.transfer_tables import transfer, transfer_step


def remind(connection: Connection, peer: str, now_ms: int) -> None:
    """Give a peer whose database was put back every step of its transfers; those that it has change nothing.

    Its own steps as well: it asks for them by itself once it hears of a step of ours that counts more of them than it
    has, but where we wrote none since, as after a plan that it cancelled, nobody would ever ask.
    """
    steps = (
        select(transfer_step.c.transfer_id, transfer_step.c.step, transfer_step.c.key, transfer_step.c.seal)
        .join(transfer, transfer.c.transfer_id == transfer_step.c.transfer_id)
        .where(transfer.c.peer == peer, transfer.c.role == USUAL)
        .order_by(transfer_step.c.transfer_id, transfer_step.c.side, transfer_step.c.number)
    )
    for row in connection.execute(steps).all():
        sealed = SealedStep(step=bytes(row.step), key=row.key, seal=bytes(row.seal))
        letters.write(connection, peer, kind=LETTER_KIND, topic=UUID(row.transfer_id), body=sealed, now_ms=now_ms)
