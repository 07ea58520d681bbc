"""The outbox, whatever is minted, confirmed, interrupted and begun anew: a list of frames says all that it must do."""

from functools import cache
from typing import NamedTuple
from unittest.mock import patch

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from replication import outbox
from replication.migrations import REPLICATION
from replication.seal import unseal
from tests.builders import drafts, frame_writer
from tests.simulation.disk import engine_on, new_image

EVENTS_MAX = 3
SPAN = 10
WRITER = frame_writer()


class Minted(NamedTuple):
    """What the model knows of a frame."""

    previous: int
    last: int
    digest: str


@cache
def _image() -> bytes:
    return new_image([REPLICATION])


class OutboxMachine(RuleBasedStateMachine):
    """One site's outbox beside a list of all frames of the present epoch and the highest position confirmed."""

    def __init__(self) -> None:
        super().__init__()
        self.bounds = [
            patch.object(outbox, "FRAME_EVENTS_MAX", EVENTS_MAX),
            patch.object(outbox, "FORGOTTEN_SPAN", SPAN),
        ]
        for bound in self.bounds:
            bound.start()
        self.engine = engine_on(_image())
        self.epochs: list[str] = []

    @initialize()
    def begin(self) -> None:
        self.begin_epoch()

    @rule()
    def begin_epoch(self) -> None:
        former = self.epochs[::-1]
        self.epochs.append(f"epoch-{len(self.epochs)}")
        with self.engine.begin() as connection:
            here = outbox.start_epoch(connection, self.epochs[-1], former)
        assert here.retires == tuple(former)
        self.frames: list[Minted] = []
        self.confirmed = 0

    @property
    def seq(self) -> int:
        return self.frames[-1].last if self.frames else 0

    @rule(count=st.integers(0, 8))
    def mint(self, count: int) -> None:
        before = self.seq
        with self.engine.begin() as connection:
            positions = outbox.append(connection, WRITER, drafts(count))
            made = outbox.frames_after(connection, before, 100)
        assert list(positions) == list(range(before + 1, before + count + 1))
        assert [frame.last - frame.previous for frame in made] == [
            min(EVENTS_MAX, count - start) for start in range(0, count, EVENTS_MAX)
        ]
        for frame in made:
            read = unseal(frame.sealed, [WRITER.identity.public_key])
            chain = self.frames[-1].digest if self.frames else ""
            assert (read.previous, read.last, read.chain) == (self.seq, frame.last, chain)
            self.frames.append(Minted(frame.previous, frame.last, frame.digest))

    @rule(count=st.integers(1, 5))
    def lose_power(self, count: int) -> None:
        with self.engine.connect() as connection:
            outbox.append(connection, WRITER, drafts(count))
            connection.rollback()

    @precondition(lambda self: self.frames)
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        """A receipt may stand at any position, also between two frames, and may be an old one."""
        applied = data.draw(st.integers(0, self.seq))
        waiting = [frame for frame in self.frames if frame.last > self.confirmed]
        with self.engine.begin() as connection:
            count = outbox.forget(connection, applied)
        assert count == sum(frame.last <= applied for frame in waiting)
        self.confirmed = max(self.confirmed, applied)

    @invariant()
    def everything_that_is_not_confirmed_waits_in_order(self) -> None:
        with self.engine.connect() as connection:
            waiting = outbox.frames_after(connection, 0, 1000)
            here, depth = outbox.head(connection), outbox.depth(connection)
        expected = [frame for frame in self.frames if frame.last > self.confirmed]
        assert [Minted(frame.previous, frame.last, frame.digest) for frame in waiting] == expected
        assert depth == len(expected)
        assert here is not None
        assert (here.epoch, here.seq) == (self.epochs[-1], self.seq)

    @invariant()
    def whoever_has_this_history_is_never_accused_and_who_has_another_is_while_it_is_remembered(self) -> None:
        digests = {frame.last: frame.digest for frame in self.frames}
        remembered = [frame.last for frame in self.frames if self.confirmed - SPAN < frame.last <= self.confirmed]
        with self.engine.connect() as connection:
            held = outbox.extent(connection)
            assert held is not None
            oldest = min([held.start.seq, *remembered])
            for position in range(self.seq + 2):
                mine = digests.get(position, "")
                told = [
                    outbox.remembers(connection, position),
                    bool(mine) and outbox.contradicts(connection, held, position, mine),
                    outbox.contradicts(connection, held, position, "other"),
                    outbox.contradicts(connection, held, position, ""),
                ]
                ahead = position > self.seq
                # Catch-up ends where the outbox begins: from there on everybody has a digest.
                between = position > 0 and position >= held.start.seq
                assert told == [position >= oldest, False, ahead or position >= oldest, between]

    def teardown(self) -> None:
        self.engine.dispose()
        for bound in self.bounds:
            bound.stop()


# Explaining a failure line by line takes longer than a test may.
PHASES = tuple(set(Phase) - {Phase.explain})
TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(max_examples=60, stateful_step_count=25, deadline=None, phases=PHASES)
