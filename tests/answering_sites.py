"""Sites that answer the hub's calls from a dictionary of records, over a bus in memory."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import msgspec

from protocol.analysis import index_terms
from protocol.calls import (
    Body,
    CompareDigests,
    DigestLine,
    Digests,
    Found,
    GetRecord,
    Hit,
    Hits,
    Match,
    Outcome,
    Refusal,
    Search,
)
from protocol.codec import encode_record
from protocol.records import Record
from protocol.sites import Site
from replication.answering import answer_calls
from replication.bus import Bus
from replication.digests import bucket_of, digest_name, record_digest
from tests.tallies import tally_of

LINES_MAX = 2
"""Record digests in one reply: few, so that asking on is tested."""


class AnsweringSite:
    """One site: records with their positions, and where its history stands."""

    def __init__(
        self, site: Site, records: Sequence[Record] = (), *, epoch: str = "e1", seq: int | None = None
    ) -> None:
        self.site = site
        self.records = {record.record_id: record for record in records}
        self.seqs = {record.record_id: number for number, record in enumerate(records, 1)}
        self.epoch = epoch
        self.seq = len(records) if seq is None else seq
        self.hits_max = 20
        self.matches: tuple[Match, ...] = ()
        """Why its hits were found, as a site of version 1.0 says unasked."""
        self.spoilt: set[UUID] = set()
        """Records whose title it sends as a number."""
        self.waiting = 0
        """Records that it has read and cannot find yet."""
        self.refuses = False
        self.hangs = False
        self.asked = 0
        self.moves_while_compared = False

    async def search(self, question: Search) -> tuple[Outcome, Body | None]:
        self.asked += 1
        if self.hangs:
            await asyncio.sleep(3600)
        if self.refuses:
            return Outcome.REFUSED, Refusal(reason_zh="正在维护", reason_en="under maintenance")
        wanted = index_terms(question.query).rsplit(" ", 1)[0]
        found = [record for record in self.records.values() if wanted in index_terms(record.title)]
        hits = tuple(
            Hit(record=self._raw(record), seq=self.seqs[record.record_id], matches=self.matches)
            for record in found[: self.hits_max]
        )
        return (Outcome.ANSWERED if found else Outcome.NOTHING), Hits(total=len(found), hits=hits, waiting=self.waiting)

    def _raw(self, record: Record) -> msgspec.Raw:
        encoded = encode_record(record)
        title = msgspec.json.encode(record.title)
        return msgspec.Raw(encoded.replace(title, b"0") if record.record_id in self.spoilt else encoded)

    async def get(self, question: GetRecord) -> tuple[Outcome, Body | None]:
        self.asked += 1
        record = self.records.get(question.record_id)
        if record is None:
            return Outcome.NOTHING, None
        return Outcome.ANSWERED, Found(record=self._raw(record), seq=self.seqs[record.record_id])

    async def digests(self, question: CompareDigests) -> tuple[Outcome, Body | None, tuple[str, int]]:
        self.asked += 1
        if self.hangs:
            await asyncio.sleep(3600)
        if self.moves_while_compared and question.fonds_no is not None:
            self.seq += 1
        as_of = (self.epoch, self.seq)
        if question.fonds_no is not None and question.bucket is not None:
            return Outcome.ANSWERED, self._records(question.fonds_no, question.bucket, question.after), as_of
        parts: dict[str, list[int]] = defaultdict(list)
        for record in self.records.values():
            digest = record_digest(encode_record(record))
            if question.fonds_no is None:
                parts[record.fonds_no].append(digest)
            elif record.fonds_no == question.fonds_no:
                parts[str(bucket_of(record.record_id))].append(digest)
        lines = tuple(
            DigestLine(part=part, count=len(some), digest=tally_of(some).digest) for part, some in sorted(parts.items())
        )
        return Outcome.ANSWERED, Digests(lines=lines), as_of

    def _records(self, fonds_no: str, bucket: int, after: UUID | None) -> Digests:
        found = sorted(
            (record.record_id, digest_name(record_digest(encode_record(record))))
            for record in self.records.values()
            if record.fonds_no == fonds_no and bucket_of(record.record_id) == bucket
        )
        rest = [one for one in found if after is None or one[0].bytes > after.bytes]
        lines = tuple(DigestLine(part=str(part), count=1, digest=digest) for part, digest in rest[:LINES_MAX])
        return Digests(lines=lines, more=len(rest) > LINES_MAX)


@contextlib.asynccontextmanager
async def answering(bus: Bus, sites: Sequence[AnsweringSite]) -> AsyncIterator[None]:
    """Let the sites answer for as long as the context lasts."""
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(
                answer_calls(
                    bus,
                    one.site,
                    lambda one=one: (one.epoch, one.seq),  # type: ignore[misc]
                    {Search: one.search, CompareDigests: one.digests, GetRecord: one.get},
                )
            )
            for one in sites
        ]
        # Each stands once it has subscribed, which in memory is one turn of the loop.
        await asyncio.sleep(0.01)
        try:
            yield
        finally:
            for task in running:
                task.cancel()
