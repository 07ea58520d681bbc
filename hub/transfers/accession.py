"""The number under which the archive enters what it received in its accession register 接收登记簿."""

import datetime

from sqlalchemy import Connection

from protocol.transfer_folds import Transfer
from replication.transfer_log import opened_transfers


def next_accession(connection: Connection, now: Transfer, now_ms: int) -> str:
    """Return the next number of the year: ``2026-0007``; the year is that of the certificate, else the present one."""
    year = (now.dated or datetime.datetime.fromtimestamp(now_ms / 1000).astimezone().date()).year
    given = {one.accession for one in opened_transfers(connection) if one.accession.startswith(f"{year}-")}
    highest = max((int(one.rpartition("-")[2]) for one in given), default=0)
    return f"{year}-{highest + 1:04d}"
