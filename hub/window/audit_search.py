"""How the lines of a case are found in the county's audit log, which names it by its number or by an id."""

from sqlalchemy import Connection

from hub import audit
from hub.window import ledger
from protocol.audit_chain import AuditLine


def named(connection: Connection, case: str) -> tuple[str, ...]:
    """Return by what lines may name a case: as typed, and for a number of the register also the request's id."""
    if not case:
        return ()
    request = ledger.by_number(connection, case)
    return (case,) if request is None else (request.number, str(request.request_id))


def lines_of(
    connection: Connection,
    *,
    case: str = "",
    site: str = "",
    who: str = "",
    action: str = "",
    before_seq: int | None = None,
    limit: int,
) -> list[AuditLine]:
    """Return the lines of a case, of a site that answered, of a person; the newest first."""
    about = named(connection, case)
    return audit.listed(
        connection, about=about, origin=site, who=who, action=action, before_seq=before_seq, limit=limit
    )
