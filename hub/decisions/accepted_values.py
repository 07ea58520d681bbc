"""Which fields of a site's records say what their keeper took over from a proposal: told to a new node of that site.

The value itself is the record's own by now, and its owner may mask it later: here lives only which field it was.
"""

from uuid import UUID

from sqlalchemy import Connection, select

from hub.decisions.proposal_tables import proposal
from hub.decisions.proposals import ProposalState
from protocol.holdings import HeldCorrection


def accepted_of(connection: Connection, site: str) -> dict[UUID, tuple[HeldCorrection, ...]]:
    """Return the accepted values of a site that its sheets have not overtaken, by record; of each field the latest."""
    statement = (
        select(proposal.c.record_id, proposal.c.fields, proposal.c.proposal_id, proposal.c.decided_at_ms)
        .where(proposal.c.site == site, proposal.c.state == ProposalState.ACCEPTED.value, proposal.c.dropped == "")
        .order_by(proposal.c.number)
    )
    found: dict[UUID, dict[str, HeldCorrection]] = {}
    for row in connection.execute(statement):
        of_record = found.setdefault(UUID(bytes=bytes(row.record_id)), {})
        for field in row.fields.split(","):
            of_record[field] = HeldCorrection(
                field=field, proposal_id=UUID(row.proposal_id), made_at_ms=row.decided_at_ms or 0
            )
    return {record_id: tuple(fields.values()) for record_id, fields in found.items()}
