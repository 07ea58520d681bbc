"""Digests are kept up with every event; at any moment they are what the bodies give, read from scratch.

The hub keeps a digest, a bucket and a fonds beside each entry and sums them up in SQL. The model knows only the latest
body of every record, and makes the tallies from nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.application import Application
from hub.catalogue import bucket_tallies, fonds_tallies, tally_from, tally_statement
from hub.repair.held_digests import digests_page
from hub.storage.store import MIGRATIONS
from protocol.codec import encode_record
from protocol.events import AccessChanged, BaselinePhase, Described, Event, WithdrawalCause
from protocol.records import Record
from protocol.vocabularies import AccessStatus
from replication.acceptance import AcceptedFrame, whole
from replication.digests import Tally, bucket_of, record_digest
from tests.catalogue import VILLAGE, accepted, access_changed, described, fictitious, marked, record_id, withdrawn
from tests.simulation.disk import engine_on, new_image
from tests.tallies import tally_of

RECORDS = 6
FONDS = ("J001", "J002")

numbers = st.integers(0, RECORDS - 1)
records = st.builds(
    lambda number, fonds, title: fictitious(number, fonds_no=fonds, title=title),
    numbers,
    st.sampled_from(FONDS),
    st.sampled_from(["林地合同", "茶园合同", "宅基地"]),
)


def one_by_one(digests: Iterable[int]) -> Tally:
    tally = Tally()
    for digest in digests:
        tally = tally.joined(tally_of([digest]))
    return tally


@cache
def _image() -> bytes:
    return new_image(MIGRATIONS)


class DigestMachine(RuleBasedStateMachine):
    """One site's part of the unified catalogue beside the bodies that it should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = engine_on(_image())
        self.application = Application(lambda: 0)
        self.seq = 0
        self.listed: dict[int, Record] = {}
        self.unmentioned: set[int] | None = None
        """Records that an open baseline has not described yet."""
        self.frames: list[AcceptedFrame] = []

    def tell(self, event: Event) -> None:
        frame = accepted([event], VILLAGE)
        if isinstance(event, Described):
            self.frames.append(frame)
        self.take(frame)

    def take(self, frame: AcceptedFrame) -> None:
        frame.prepared = whole(self.application.preparing(frame))
        with self.engine.begin() as connection:
            self.application.apply(connection, [frame])

    def next(self) -> int:
        self.seq += 1
        return self.seq

    @rule(record=records)
    def describe(self, record: Record) -> None:
        self.listed[self.number_of(record)] = record
        self.tell(described(self.next(), record))

    @rule(record=records)
    def close(self, record: Record) -> None:
        event = access_changed(self.next(), record, AccessStatus.RESTRICTED)
        closed = fictitious(
            self.number_of(record),
            fonds_no=record.fonds_no,
            title=record.title,
            access_status=AccessStatus.RESTRICTED,
        )
        assert isinstance(event, AccessChanged)
        assert bytes(event.record) == encode_record(closed)
        self.listed[self.number_of(record)] = closed
        self.tell(event)

    @rule(number=numbers)
    def withdraw(self, number: int) -> None:
        self.listed.pop(number, None)
        self.tell(withdrawn(self.next(), record_id(number), WithdrawalCause.OWNER_DECISION))

    @rule()
    def begin_baseline(self) -> None:
        self.unmentioned = set(self.listed)
        self.tell(marked(self.next(), BaselinePhase.BEGIN))

    @precondition(lambda self: self.unmentioned is not None)
    @rule()
    def end_baseline(self) -> None:
        for number in self.unmentioned or ():
            self.listed.pop(number, None)
        self.unmentioned = None
        self.tell(marked(self.next(), BaselinePhase.END))

    @precondition(lambda self: self.frames)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """A description that was applied before, without the watermark that would keep it away."""
        self.take(data.draw(st.sampled_from(self.frames)))

    def number_of(self, record: Record) -> int:
        number = next(number for number in range(RECORDS) if record_id(number) == record.record_id)
        if self.unmentioned is not None:
            self.unmentioned.discard(number)
        return number

    @invariant()
    def kept_digests_are_those_of_the_bodies(self) -> None:
        by_fonds: defaultdict[str, list[int]] = defaultdict(list)
        by_bucket: defaultdict[tuple[str, int], dict[bytes, int]] = defaultdict(dict)
        for record in self.listed.values():
            digest = record_digest(encode_record(record))
            by_fonds[record.fonds_no].append(digest)
            by_bucket[record.fonds_no, bucket_of(record.record_id)][record.record_id.bytes] = digest
        everything = [digest for digests in by_fonds.values() for digest in digests]
        site = VILLAGE.code
        with self.engine.connect() as connection:
            assert tally_from(connection.execute(tally_statement(site)).one()) == tally_of(everything)
            tallies = {row[0]: tally_from(row) for row in connection.execute(fonds_tallies(site))}
            assert tallies == {fonds: tally_of(digests) for fonds, digests in by_fonds.items()}
            for fonds in FONDS:
                buckets = {row[0]: tally_from(row) for row in connection.execute(bucket_tallies(site, fonds))}
                expected = {bucket: held for (of, bucket), held in by_bucket.items() if of == fonds}
                assert buckets == {bucket: tally_of(list(held.values())) for bucket, held in expected.items()}
                for bucket, held in expected.items():
                    page = digests_page(connection, site=site, fonds_no=fonds, buckets=[bucket], anew=True)
                    assert {one.record_id: one.stored for _, one in page} == held
                    assert all(of == bucket and one.is_sound for of, one in page)
        assert one_by_one(reversed(everything)) == tally_of(everything)
        halves = everything[::2], everything[1::2]
        assert one_by_one(halves[0]).joined(one_by_one(halves[1])) == tally_of(everything)

    def teardown(self) -> None:
        self.engine.dispose()


# Explaining a failure line by line takes longer than a test may.
PHASES = tuple(set(Phase) - {Phase.explain})
TestDigests = DigestMachine.TestCase
TestDigests.settings = settings(max_examples=60, stateful_step_count=20, deadline=None, phases=PHASES)
