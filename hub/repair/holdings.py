"""What the hub holds of one site, page by page: a walk along an index that reads nothing of any other site."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a walk stands: the place in the index of the last entry that it saw."""

    fonds_no: str = ""
    record_id: bytes = b""
    is_withdrawn: bool = False
    """It walks along what was withdrawn."""


class HeldBody(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One entry as it is stored."""

    docid: int
    record_id: bytes
    fonds_no: str
    bucket: int
    digest: int
    access_status: str
    body: bytes

    @property
    def cursor(self) -> Cursor:
        """Where a walk stands that has seen this entry."""
        return Cursor(fonds_no=self.fonds_no, record_id=self.record_id)


_PAGE = (
    "SELECT docid, record_id, fonds_no, bucket, digest, access_status, body FROM entry INDEXED BY entry_tally"
    " WHERE site = ? AND body IS NOT NULL AND (fonds_no, record_id) > (?, ?) ORDER BY fonds_no, record_id LIMIT ?"
)


def page_of(connection: Connection, site: str, after: Cursor, limit: int) -> Sequence[HeldBody]:
    """Return the next described entries of a site after a place, at most ``limit``."""
    return [
        HeldBody(
            docid=docid,
            record_id=record_id,
            fonds_no=fonds_no,
            bucket=bucket,
            digest=digest,
            access_status=access_status,
            body=body,
        )
        for docid, record_id, fonds_no, bucket, digest, access_status, body in connection.exec_driver_sql(
            _PAGE, (site, after.fonds_no, after.record_id, limit)
        )
    ]


def count_of(connection: Connection, site: str) -> int:
    """Return how many described entries of a site the hub holds."""
    counted: int = connection.exec_driver_sql(
        "SELECT count(*) FROM entry WHERE site = ? AND body IS NOT NULL", (site,)
    ).scalar_one()
    return counted
