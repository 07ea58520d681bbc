"""What a frame means for a watermark: the whole table of cases."""

from typing import Any

import msgspec
import pytest

from protocol.beats import Want
from protocol.frames import Frame
from replication.watermarks import Verdict, Watermark, judge, moved
from tests.builders import VILLAGE

MARK = Watermark(site=VILLAGE.code, node="U1", epoch="a", position=10, chain="ten")


def frame(previous: int, last: int, **fields: Any) -> Frame:  # noqa: ANN401 - any field of a frame
    given: dict[str, Any] = {
        "site": VILLAGE.code,
        "node": "U1",
        "epoch": "a",
        "chain": "ten" if previous == 10 else "other",
        "events": (msgspec.Raw(b"{}"),),
    }
    return Frame(previous=previous, last=last, **(given | fields))


def caught_up(previous: int, last: int, *ends: tuple[int, str]) -> Frame:
    """A catch-up frame of a site that knows where its frames ended."""
    return frame(previous, last, catch_up=True, ends=ends)


@pytest.mark.parametrize(
    ("case", "arrived", "expected"),
    [
        ("it follows", frame(10, 12), Verdict.APPLY),
        ("it was applied already", frame(4, 8), Verdict.REPLAY),
        ("the last one again", frame(8, 10), Verdict.REPLAY),
        ("something is missing before it", frame(12, 14), Verdict.GAP),
        ("it follows another history", frame(10, 12, chain="eleven"), Verdict.FORK),
        ("it overlaps: no frame of one history does", frame(9, 12), Verdict.FORK),
        ("a catch-up may overlap", frame(9, 12, catch_up=True), Verdict.APPLY),
        ("a catch-up of this history", caught_up(9, 12, (9, "nine"), (10, "ten")), Verdict.APPLY),
        ("a catch-up of a history with another frame here", caught_up(9, 12, (10, "eleven")), Verdict.FORK),
        ("a catch-up of a history in which no frame ended here", caught_up(9, 12, (9, "nine")), Verdict.FORK),
        ("a catch-up that was applied already", caught_up(4, 8, (4, "other")), Verdict.REPLAY),
        ("a catch-up from further on", caught_up(11, 12, (11, "other")), Verdict.GAP),
        ("an unknown epoch from its start, naming ours", frame(0, 3, epoch="b", retires=("a",)), Verdict.NEW_EPOCH),
        ("an unknown epoch that does not know ours", frame(0, 3, epoch="b"), Verdict.FORK),
        ("an unknown epoch from its middle", frame(3, 5, epoch="b"), Verdict.GAP),
        ("an epoch that was given up", frame(10, 12, epoch="z"), Verdict.OLD_EPOCH),
    ],
)
def test_verdict_on_a_frame(case: str, arrived: Frame, expected: Verdict) -> None:
    digest = "ten" if case == "the last one again" else "x"
    assert judge(MARK, arrived, digest, {"z"}) is expected, case


def test_another_frame_that_ends_at_the_same_place_is_a_fork() -> None:
    """Two databases numbered the same positions differently: one of them is a copy."""
    assert judge(MARK, frame(8, 10), "not ten", ()) is Verdict.FORK


def test_the_first_frame_ever_must_start_at_the_beginning() -> None:
    empty = Watermark(site=VILLAGE.code)
    assert judge(empty, frame(0, 3), "x", ()) is Verdict.APPLY
    assert judge(empty, frame(3, 5), "x", ()) is Verdict.GAP


def test_after_a_catch_up_between_two_frames_only_catch_up_follows() -> None:
    """A frame of another history, parked before the hub was put back, once slipped in here: nothing compared it."""
    between = moved(MARK, frame(10, 12, catch_up=True), "x")
    assert between.chain == ""
    assert [judge(between, frame(previous, 14), "y", ()) for previous in (11, 12)] == [Verdict.GAP, Verdict.GAP]
    assert judge(between, frame(12, 14, catch_up=True), "y", ()) is Verdict.APPLY


def test_between_two_frames_there_is_nothing_to_compare() -> None:
    between = moved(MARK, caught_up(10, 12, (10, "ten")), "x")
    assert judge(between, caught_up(12, 14), "y", ()) is Verdict.APPLY


def test_a_catch_up_that_ends_where_a_frame_did_takes_up_the_chain_again() -> None:
    there = moved(MARK, frame(10, 14, catch_up=True, stands_for="fourteen"), "x")
    told = [judge(there, frame(14, 15, chain=chain), "y", ()) for chain in ("fourteen", "other")]
    assert told == [Verdict.APPLY, Verdict.FORK]


def test_a_new_epoch_clears_what_was_wanted() -> None:
    wanted = msgspec.structs.replace(MARK, want=Want.NEW_EPOCH)
    after = moved(wanted, frame(0, 3, epoch="b", retires=("a",)), "x")
    assert (after.epoch, after.position, after.want) == ("b", 3, Want.NOTHING)
