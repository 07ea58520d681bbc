"""Going down from a site to its records: fonds, buckets, and in a bucket the records that differ.

``Descent.down`` goes down only where the sums differ. ``Descent.whole`` compares every record of every bucket, with
digests that both ends take anew from the bytes that they store; it believes no sum and no stored digest.

Everything holds at one position: a site that moves on in between raises ``Moved``.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection

from hub.catalogue import bucket_tallies, tally_from
from hub.repair.differences import Difference, DifferenceKind
from hub.repair.held_digests import BucketDigests, HeldDigests
from protocol.calls import Answer, CompareDigests, DigestLine, Digests, Outcome
from protocol.limits import DIGEST_BUCKETS
from protocol.sites import Site
from replication.asking import Asker, SiteAnswer
from replication.database import Database
from replication.digests import Tally, bucket_of


class Moved(Exception):
    """The site's position changed between two questions of one comparison."""


class Descent:
    """The way down at one site, at the position of its first answer."""

    def __init__(self, database: Database, asker: Asker, site: Site, at: Answer, deadline_s: float) -> None:
        self._database = database
        self._asker = asker
        self._site = site
        self._at = at
        self._deadline_s = deadline_s

    async def down(self, fonds: Sequence[str]) -> list[Difference]:
        """Return the records that differ in some fonds whose sums differ.

        Raises:
            Moved: the site stands elsewhere by now.
            Retryable: the link went, or too many questions are under way.

        """
        found: list[Difference] = []
        for fonds_no in fonds:
            there, here = await self._buckets(fonds_no)
            unlike = sorted(int(name) for name in differing(there, here))
            held = self._held(fonds_no, {bucket: _count(here, bucket) for bucket in unlike}, anew=False)
            for bucket in unlike:
                lines = await self._asked(fonds_no, bucket)
                said = {UUID(one.part): one.digest for one in lines}
                found += differences(fonds_no, said, await held.of(bucket))
        return found

    async def whole(self, fonds: Sequence[str]) -> list[Difference]:
        """Return the records that differ in some fonds, record by record, whatever the sums say.

        Raises:
            Moved: the site stands elsewhere by now.
            Retryable: the link went, or too many questions are under way.

        """
        found: list[Difference] = []
        for fonds_no in fonds:
            there, here = await self._buckets(fonds_no)
            held = self._held(fonds_no, {int(name): tally.count for name, tally in here.items()}, anew=True)
            async for bucket, records in self._every_bucket(fonds_no, there, here):
                found += differences(fonds_no, records, await held.of(bucket))
        return found

    def _held(self, fonds_no: str, counts: Mapping[int, int], *, anew: bool) -> HeldDigests:
        return HeldDigests(self._database, self._site.code, fonds_no, counts, anew=anew)

    async def _buckets(self, fonds_no: str) -> tuple[dict[str, str], dict[str, Tally]]:
        there = {line.part: line.digest for line in await self._asked(fonds_no)}
        code = self._site.code
        return there, await self._database.read(lambda connection: _buckets_here(connection, code, fonds_no))

    async def _every_bucket(
        self, fonds_no: str, there: Mapping[str, str], here: Mapping[str, Tally]
    ) -> AsyncGenerator[tuple[int, Mapping[UUID, str]], None]:
        """Yield the site's records of each bucket that either end has, in the order of the buckets."""
        left = sorted(int(name) for name in here)
        async for bucket, records in self._by_bucket(fonds_no, there):
            while left and left[0] < bucket:
                yield left.pop(0), {}
            left = [one for one in left if one != bucket]
            yield bucket, records
        for bucket in left:
            yield bucket, {}

    async def _by_bucket(
        self, fonds_no: str, tallies: Mapping[str, str]
    ) -> AsyncGenerator[tuple[int, dict[UUID, str]], None]:
        """Yield the site's records of each bucket, many buckets a reply where the site can."""
        left = sorted(int(name) for name in tallies)
        while left:
            # One question runs to its end over as many buckets as there are; an older site stops after the first.
            bucket, records = left[0], dict[UUID, str]()
            async for lines in self._pages(fonds_no, left[0], DIGEST_BUCKETS - 1):
                for line in lines:
                    record_id = UUID(line.part)
                    if bucket_of(record_id) != bucket:
                        yield bucket, records
                        bucket, records = bucket_of(record_id), {}
                    records[record_id] = line.digest
            yield bucket, records
            left = [one for one in left if one > bucket]

    async def _asked(self, fonds_no: str, bucket: int | None = None) -> list[DigestLine]:
        """Return all lines of one depth."""
        return [line async for lines in self._pages(fonds_no, bucket, None) for line in lines]

    async def _pages(
        self, fonds_no: str, bucket: int | None, until: int | None
    ) -> AsyncGenerator[tuple[DigestLine, ...], None]:
        """Yield the lines of one depth reply by reply, asking on while the site has more."""
        after: UUID | None = None
        while True:
            start = bucket if after is None or until is None else bucket_of(after)

            def compose(
                name: str, question: str, after: UUID | None = after, start: int | None = start
            ) -> CompareDigests:
                return CompareDigests(
                    asker=name,
                    question=question,
                    fonds_no=fonds_no,
                    bucket=start,
                    after=after,
                    until=until,
                    anew=until is not None,
                )

            heard = await self._asker.ask_one(compose, self._site, self._deadline_s)
            lines = lines_of(heard)
            if lines is None or heard.answer is None or not self._is_here(heard.answer):
                raise Moved
            yield lines
            body = heard.answer.body
            if not lines or not isinstance(body, Digests) or not body.more or bucket is None:
                return
            after = UUID(lines[-1].part)

    def _is_here(self, answer: Answer) -> bool:
        return (answer.epoch, answer.seq) == (self._at.epoch, self._at.seq)


def lines_of(heard: SiteAnswer) -> tuple[DigestLine, ...] | None:
    """Return what a site said about its digests, or None if it said nothing of the kind."""
    answer = heard.answer
    if heard.outcome not in (Outcome.ANSWERED, Outcome.NOTHING) or answer is None:
        return None
    if answer.body is None and heard.outcome is Outcome.NOTHING:
        return ()
    return answer.body.lines if isinstance(answer.body, Digests) else None


def differing(there: Mapping[str, str], here: Mapping[str, Tally]) -> list[str]:
    """Return the parts whose digests differ; a part that one end does not have is empty there."""
    empty = Tally().digest
    parts = sorted(there.keys() | here.keys())
    return [part for part in parts if there.get(part, empty) != here.get(part, Tally()).digest]


def differences(fonds_no: str, there: Mapping[UUID, str], held: BucketDigests) -> list[Difference]:
    """Return the records of one bucket that are unlike, then those that are alike only by their stored digests."""
    here = held.stored
    unlike = [
        Difference(fonds_no=fonds_no, record_id=record_id, kind=_kind(record_id in here, record_id in there))
        for record_id in sorted(here.keys() | there.keys())
        if here.get(record_id) != there.get(record_id)
    ]
    damaged = [
        Difference(fonds_no=fonds_no, record_id=record_id, kind=DifferenceKind.DAMAGED_HERE)
        for record_id in sorted(held.damaged)
        if there.get(record_id) == here[record_id]
    ]
    return unlike + damaged


def _count(tallies: Mapping[str, Tally], bucket: int) -> int:
    return tallies.get(str(bucket), Tally()).count


def _kind(is_here: bool, is_there: bool) -> DifferenceKind:  # noqa: FBT001 - two facts of the same rank
    if is_here and is_there:
        return DifferenceKind.OTHER_CONTENT
    return DifferenceKind.MISSING_THERE if is_here else DifferenceKind.MISSING_HERE


def _buckets_here(connection: Connection, site: str, fonds_no: str) -> dict[str, Tally]:
    return {str(row.bucket): tally_from(tuple(row)) for row in connection.execute(bucket_tallies(site, fonds_no))}
