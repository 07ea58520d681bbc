"""What was added to protocol 1.0: new bytes are frozen as well, and a reader of version 1.0 still understands them."""

from pathlib import Path

import msgspec
import pytest

from protocol.beats import Beat
from protocol.calls import Search
from tests.golden.later_messages import LATER_MESSAGES
from tests.golden.messages import MESSAGES

FOLDER = Path(__file__).with_name("v1.1")

ADDED = {
    "question-search-bare": "with_matches",
    "beat-goodbye": "stopping",
    "receipt-window": "window_frames",
    "frame-ends": "ends",
}
"""Of each message the field that version 1.0 does not know."""


def frozen(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("name", sorted(ADDED))
def test_added_field_stands_behind_all_others_and_what_is_left_is_version_1(name: str) -> None:
    """A reader of version 1.0 leaves out what it does not know, and finds there what it always found."""
    message, field = LATER_MESSAGES[name], ADDED[name]
    known = msgspec.json.decode(frozen(name))
    assert list(known)[-1] == field
    del known[field]
    original = next(one for one in MESSAGES.values() if isinstance(one, type(message)))
    assert msgspec.json.encode(known) == msgspec.json.encode(original)


def test_messages_of_version_1_mean_what_they_meant() -> None:
    """A question of an old hub wants the reasons, a beat of an old node is no goodbye."""
    question = msgspec.convert(msgspec.to_builtins(MESSAGES["question-search"]), Search)
    beat = msgspec.convert(msgspec.to_builtins(MESSAGES["beat"]), Beat)
    assert (question.with_matches, beat.stopping) == (True, False)
