"""The watermark, whatever arrives in whatever order: an index into the site's histories says what each frame means."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import msgspec
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from protocol.frames import END_DIGITS, Frame
from replication.migrations import REPLICATION
from replication.watermarks import Verdict, Watermark, judge, marks_of, move, moved, retire, retired_of
from tests.builders import VILLAGE
from tests.simulation.disk import engine_on, new_image

SITE = VILLAGE.code
RAW = msgspec.Raw(b"{}")


class Sent(NamedTuple):
    """A frame and the digest of its sealed bytes."""

    frame: Frame
    digest: str


def made(epoch: str, previous: int, last: int, chain: str, retires: Sequence[str] = ()) -> Frame:
    return Frame(
        site=SITE,
        node="U",
        epoch=epoch,
        previous=previous,
        last=last,
        chain=chain,
        retires=tuple(retires) if previous == 0 else (),
        events=(RAW,) * (last - previous),
    )


@cache
def _image() -> bytes:
    return new_image([REPLICATION])


class WatermarkMachine(RuleBasedStateMachine):
    """The hub's mark of one site, in a real database, beside the number of the epoch it follows and a position."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = engine_on(_image())
        self.histories: list[list[Sent]] = []
        self.epoch = -1
        self.position = 0
        self.is_known = True
        """Whether the mark stands at the end of a frame, whose digest it knows."""
        self.before = Watermark(site=SITE)

    # The site

    @initialize()
    def begin(self) -> None:
        self.begin_epoch()

    @rule()
    def begin_epoch(self) -> None:
        self.histories.append([])
        self.mint(1)

    @rule(count=st.integers(1, 4))
    def mint(self, count: int) -> None:
        number, history = len(self.histories) - 1, self.histories[-1]
        previous, chain = (history[-1].frame.last, history[-1].digest) if history else (0, "")
        retires = [f"epoch-{former}" for former in reversed(range(number))]
        frame = made(f"epoch-{number}", previous, previous + count, chain, retires)
        history.append(Sent(frame, f"{number}:{frame.last}"))

    # What arrives

    @rule(data=st.data())
    def a_frame_arrives(self, data: st.DataObject) -> None:
        """Any frame that was ever sent: late, early, again."""
        number = data.draw(st.integers(0, len(self.histories) - 1))
        sent = data.draw(st.sampled_from(self.histories[number]))
        self.expect(sent, self.meaning(number, sent.frame))

    def meaning(self, number: int, frame: Frame) -> Verdict:
        if number < self.epoch:
            return Verdict.OLD_EPOCH
        if number > self.epoch:
            if frame.previous > 0:
                return Verdict.GAP
            return Verdict.NEW_EPOCH if self.epoch >= 0 else Verdict.APPLY
        if frame.last <= self.position:
            return Verdict.REPLAY
        if frame.previous > self.position:
            return Verdict.GAP
        return Verdict.APPLY if self.is_known or frame.catch_up else Verdict.GAP

    @precondition(lambda self: self.epoch >= 0)
    @rule(data=st.data())
    def a_catch_up_arrives(self, data: st.DataObject) -> None:
        """Made afresh, from anywhere to anywhere in the present epoch; it may end between two frames."""
        history = self.histories[self.epoch]
        last = data.draw(st.integers(1, history[-1].frame.last))
        previous = data.draw(st.integers(0, last - 1))
        ends = {sent.frame.last: sent.digest for sent in history}
        remembered = tuple((end, digest[:END_DIGITS]) for end, digest in ends.items() if previous <= end < last)
        frame = msgspec.structs.replace(
            made(f"epoch-{self.epoch}", previous, last, ""),
            catch_up=True,
            stands_for=ends.get(last, ""),
            ends=data.draw(st.sampled_from((None, remembered))),
        )
        self.expect(Sent(frame, f"catch-up {last}"), self.meaning(self.epoch, frame))

    @precondition(lambda self: self.epoch >= 0 and self.position > 0 and self.is_known)
    @rule(data=st.data(), count=st.integers(1, 4))
    def a_frame_of_a_copy_arrives(self, data: st.DataObject, count: int) -> None:
        """It claims places that are taken, with other events: it must never be applied."""
        history = self.histories[self.epoch]
        taken = [index for index, sent in enumerate(history) if sent.frame.previous < self.position]
        index = data.draw(st.sampled_from(taken))
        previous, chain = history[index].frame.previous, history[index].frame.chain
        frame = made(f"epoch-{self.epoch}", previous, previous + count, chain)
        meaning = Verdict.REPLAY if frame.last < self.position else Verdict.FORK
        self.expect(Sent(frame, "of a copy"), meaning)

    @precondition(lambda self: self.epoch >= 0 and self.position > 0 and self.is_known)
    @rule(data=st.data(), count=st.integers(1, 4), is_end=st.booleans())
    def a_catch_up_of_another_history_arrives(self, data: st.DataObject, count: int, *, is_end: bool) -> None:
        """The hub was put back while it was under way: it must not be applied to what stands here."""
        previous = data.draw(st.integers(0, self.position))
        frame = msgspec.structs.replace(
            made(f"epoch-{self.epoch}", previous, self.position + count, ""),
            catch_up=True,
            ends=((self.position, "of another"),) if is_end else (),
        )
        self.expect(Sent(frame, "of another history"), Verdict.FORK)

    def expect(self, sent: Sent, meaning: Verdict) -> None:
        """Judge as the hub does, and move the mark if the frame follows."""
        with self.engine.begin() as connection:
            mark, retired = marks_of(connection, [SITE])[SITE], retired_of(connection, [SITE])[SITE]
            assert judge(mark, sent.frame, sent.digest, retired) is meaning
            if meaning in (Verdict.APPLY, Verdict.NEW_EPOCH):
                after = moved(mark, sent.frame, sent.digest)
                assert move(connection, mark, after, 0)
                # Whoever judged before that cannot move it any more, nor who saw it elsewhere.
                elsewhere = msgspec.structs.replace(after, position=after.position + 1)
                assert [move(connection, stale, after, 0) for stale in (self.before, elsewhere)] == [False, False]
                retire(connection, SITE, sent.frame.retires)
                self.before = mark
                self.epoch = int(sent.frame.epoch.removeprefix("epoch-"))
                self.position = sent.frame.last
                self.is_known = not sent.frame.catch_up or bool(sent.frame.stands_for)

    @invariant()
    def the_mark_stands_where_the_site_was_followed_to(self) -> None:
        with self.engine.connect() as connection:
            mark = marks_of(connection, [SITE])[SITE]
        assert (mark.epoch, mark.position) == (f"epoch-{self.epoch}" if self.epoch >= 0 else "", self.position)

    def teardown(self) -> None:
        self.engine.dispose()


# Explaining a failure line by line takes longer than a test may.
PHASES = tuple(set(Phase) - {Phase.explain})
TestWatermark = WatermarkMachine.TestCase
TestWatermark.settings = settings(max_examples=150, stateful_step_count=30, deadline=None, phases=PHASES)
