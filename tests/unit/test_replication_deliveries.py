"""Deliveries by courier at the level of frames: out of the outbox, and what an arrival means for a watermark."""

import pytest

from protocol.beats import Beat
from protocol.bundles import BundleFault, Delivery
from protocol.errors import BadBundle
from replication.deliveries import Arrival, arrival
from replication.watermarks import Watermark

MARK = Watermark(site="330523108204", epoch="e1", position=10, chain="c")
NONE = Watermark(site="330523108204")


def delivery(previous: int, last: int, *, epoch: str = "e1", confirmed: int = 0) -> Delivery:
    beat = Beat(site="330523108204", node="U", epoch=epoch, seq=last)
    return Delivery(
        epoch=epoch, previous=previous, last=last, confirmed=confirmed, record_count=0, digest="", beat=beat
    )


@pytest.mark.parametrize(
    ("mark", "brought", "meaning"),
    [
        (NONE, delivery(0, 5), Arrival.FOLLOWS),
        (NONE, delivery(0, 0), Arrival.FOLLOWS),
        (MARK, delivery(10, 12), Arrival.FOLLOWS),
        (MARK, delivery(4, 12), Arrival.FOLLOWS),
        (MARK, delivery(0, 10), Arrival.REPEATED),
        (MARK, delivery(10, 10, confirmed=10), Arrival.REPEATED),
        (MARK, delivery(2, 7), Arrival.REPEATED),
        (MARK, delivery(0, 3, epoch="e2"), Arrival.FOLLOWS),
        (MARK, delivery(500, 900, epoch="e0"), Arrival.OLD_EPOCH),
    ],
)
def test_arrival(mark: Watermark, brought: Delivery, meaning: Arrival) -> None:
    assert arrival(mark, {"e0"}, brought) is meaning


@pytest.mark.parametrize(
    ("mark", "brought", "words"),
    [
        (MARK, delivery(11, 20), "out of order"),
        (NONE, delivery(3, 20), "out of order"),
        (MARK, delivery(3, 20, epoch="e2"), "out of order"),
        (MARK, delivery(15, 20, confirmed=15), "it was put back"),
        (NONE, delivery(15, 15, confirmed=15), "it was put back"),
    ],
)
def test_a_delivery_with_something_missing_before_it_is_refused_in_words(
    mark: Watermark, brought: Delivery, words: str
) -> None:
    """A lost stick and a hub that was put back look alike in the numbers, and ask for different things."""
    with pytest.raises(BadBundle, match=words) as caught:
        arrival(mark, set(), brought)
    assert (caught.value.fault, "bundle out" in caught.value.hint.zh) == (BundleFault.OUT_OF_ORDER, True)
