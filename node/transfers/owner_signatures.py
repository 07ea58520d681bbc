"""What the county says of the key by which an owner signed whose fonds this site keeps in its own node.

The site writes the steps of both parties, so it cannot vouch for the owner itself: the hub gives the owner's signature
back with the keys that are enrolled for that owner. Before it has, this site does not sign, and no custody moves.
``migrations/76-keeping.sql`` makes the table, a test proves it.
"""

from collections.abc import Collection
from uuid import UUID

import msgspec
from sqlalchemy import Column, Connection, MetaData, Table, Text, delete, insert, select

from protocol.transfers import Side, Signed
from replication.transfer_log import steps_of

metadata = MetaData()

owner_signature = Table(
    "owner_signature",
    metadata,
    Column("transfer_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("enrolled", Text, nullable=False),
)


def note_keys(connection: Connection, transfer_id: UUID, digest: str, keys: Collection[str]) -> None:
    """Note which keys the hub names for the owner, about the signature that is the step with this digest."""
    connection.execute(delete(owner_signature).where(owner_signature.c.transfer_id == str(transfer_id)))
    named = msgspec.json.encode(sorted(keys)).decode()
    connection.execute(insert(owner_signature).values(transfer_id=str(transfer_id), digest=digest, enrolled=named))


def owner_keys(connection: Connection, transfer_id: UUID) -> frozenset[str] | None:
    """Return the keys that the hub names for the owner; None while it has said nothing of the latest signature."""
    signed = [one for one in steps_of(connection, transfer_id, Side.GIVER) if isinstance(one.step.what, Signed)]
    said = connection.execute(
        select(owner_signature.c.digest, owner_signature.c.enrolled).where(
            owner_signature.c.transfer_id == str(transfer_id)
        )
    ).one_or_none()
    if said is None or not signed or said.digest != signed[-1].digest:
        return None
    return frozenset(msgspec.json.decode(said.enrolled, type=list[str]))
