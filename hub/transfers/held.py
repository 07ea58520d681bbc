"""What the hub knows beside the package of a transfer: what the catalogue has, what the giver handed over before."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, select

from hub.tables import entry
from protocol.transfer_folds import Transfer
from replication import transfer_items
from replication.transfer_items import ItemState
from replication.transfer_tables import transfer, transfer_item


def catalogued_codes(connection: Connection, now: Transfer, record_ids: Sequence[UUID]) -> frozenset[str]:
    """Return the codes that the catalogue has of these records: a package holds these entries and no others."""
    codes: set[str] = set()
    site = now.giver.site if now.giver is not None else ""
    for start in range(0, len(record_ids), transfer_items.ITEMS_AT_ONCE):
        some = [one.bytes for one in record_ids[start : start + transfer_items.ITEMS_AT_ONCE]]
        statement = select(entry.c.ref_code).where(
            entry.c.record_id.in_(some), entry.c.site == site, entry.c.body.is_not(None)
        )
        codes.update(connection.scalars(statement))
    return frozenset(codes)


def handed_over(connection: Connection, now: Transfer) -> frozenset[str]:
    """Return the codes of what the giver of a transfer has handed over in others, as it was loaded here.

    Codes of other sites are not looked at: every village counts its fonds from 001. Nor are records of this transfer:
    what came back to its giver may be handed over again.
    """
    site = now.giver.site if now.giver is not None else ""
    before = select(transfer.c.transfer_id).where(
        transfer.c.site == site, transfer.c.transfer_id != str(now.transfer_id)
    )
    own = select(transfer_item.c.record_id).where(transfer_item.c.transfer_id == str(now.transfer_id))
    statement = select(transfer_item.c.ref_code).where(
        transfer_item.c.transfer_id.in_(before),
        transfer_item.c.state == ItemState.MOVED.value,
        transfer_item.c.record_id.not_in(own),
    )
    return frozenset(connection.scalars(statement))
