"""The digests of one fonds as the hub holds it, bucket by bucket, from an index that is in the order of the record ids.

A scan for each of its 256 buckets would read a fonds 256 times. As many buckets as memory allows are read in one scan
instead, and kept until a later one is wanted: whoever asks for the buckets in order has each record read once.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from replication.database import Database
from replication.digests import digest_name, record_digest

RECORDS_AT_ONCE = 200_000
"""Records whose digests are in memory at the same time: some 30 MB, and a single scan for all but the largest fonds."""

PAGE_ROWS = 10_000
"""Records read in one go, so that nobody waits long for the reading connection; 50 ms if their bodies are digested."""


class HeldDigest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One record of a bucket."""

    record_id: bytes
    stored: int
    """The digest under which it is stored."""
    is_sound: bool = True
    """Its bytes have that digest; True also where they were not looked at."""


class BucketDigests(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket."""

    stored: Mapping[UUID, str]
    """The digest under which each record is stored, by name."""
    damaged: Collection[UUID] = ()
    """Records whose bytes do not have that digest any more."""


class HeldDigests:
    """Some buckets of one fonds of a site; ``of`` reads them in lots of at most ``RECORDS_AT_ONCE`` records."""

    def __init__(
        self,
        database: Database,
        site: str,
        fonds_no: str,
        counts: Mapping[int, int],
        *,
        anew: bool,
        at_once: int = RECORDS_AT_ONCE,
    ) -> None:
        """Take what is to be read.

        Args:
            database: the hub's.
            site: code of the site.
            fonds_no: of its fonds.
            counts: the buckets that will be asked for, and how many records each is said to have.
            anew: also take the digests from the bodies.
            at_once: records in memory at the same time; a single bucket may have more.

        """
        self._database = database
        self._site = site
        self._fonds_no = fonds_no
        self._counts = counts
        self._anew = anew
        self._at_once = at_once
        self._lot: dict[int, list[HeldDigest]] = {}

    async def of(self, bucket: int) -> BucketDigests:
        """Return one bucket; cheap if the buckets are asked for in their order."""
        if bucket not in self._lot:
            # What was read before goes first: never two lots at a time.
            self._lot = {one: [] for one in lot_from(bucket, self._counts, self._at_once)}
            await self._read()
        held = self._lot[bucket]
        return BucketDigests(
            stored={UUID(bytes=one.record_id): digest_name(one.stored) for one in held},
            damaged=frozenset(UUID(bytes=one.record_id) for one in held if not one.is_sound),
        )

    async def _read(self) -> None:
        buckets, after = sorted(self._lot), b""
        while True:
            step = partial(
                digests_page,
                site=self._site,
                fonds_no=self._fonds_no,
                buckets=buckets,
                after=after,
                limit=PAGE_ROWS,
                anew=self._anew,
            )
            page = await self._database.read(step)
            for bucket, one in page:
                self._lot[bucket].append(one)
            if len(page) < PAGE_ROWS:
                return
            after = page[-1][1].record_id


def lot_from(first: int, counts: Mapping[int, int], at_once: int) -> list[int]:
    """Return the buckets that are read together from one on: as many as stay within a number of records."""
    lot, records = [first], counts.get(first, 0)
    for bucket in sorted(one for one in counts if one > first):
        records += counts[bucket]
        if records > at_once:
            break
        lot.append(bucket)
    return lot


def digests_page(
    connection: Connection,
    *,
    site: str,
    fonds_no: str,
    buckets: Sequence[int],
    after: bytes = b"",
    limit: int = PAGE_ROWS,
    anew: bool = False,
) -> list[tuple[int, HeldDigest]]:
    """Return the next records of some buckets of a fonds after a record id, each with its bucket, in their order."""
    sql = (
        f"SELECT bucket, record_id, digest, {'body' if anew else 'NULL'} FROM entry INDEXED BY entry_tally"  # noqa: S608 - marks only
        f" WHERE site = ? AND fonds_no = ? AND body IS NOT NULL AND bucket IN ({', '.join('?' * len(buckets))})"
        " AND record_id > ? ORDER BY record_id LIMIT ?"
    )
    return [
        (bucket, HeldDigest(record_id, digest, body is None or record_digest(body) == digest))
        for bucket, record_id, digest, body in connection.exec_driver_sql(sql, (site, fonds_no, *buckets, after, limit))
    ]
