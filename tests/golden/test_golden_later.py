"""What was added to protocol 1.0: new bytes are frozen as well, and a reader of version 1.0 still understands them."""

from pathlib import Path

import msgspec
import pytest

from protocol.beats import Beat
from protocol.calls import Search
from tests.golden.messages import MESSAGES

FOLDER = Path(__file__).with_name("v1.1")

ADDED: dict[str, tuple[msgspec.Struct, str]] = {
    "question-search-bare": (msgspec.structs.replace(MESSAGES["question-search"], with_matches=False), "with_matches"),
    "beat-goodbye": (msgspec.structs.replace(MESSAGES["beat"], stopping=True), "stopping"),
}
"""Each message, and the field that version 1.0 does not know."""


def frozen(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("name", sorted(ADDED))
def test_message_is_written_as_it_was_first_written(name: str) -> None:
    assert msgspec.json.encode(ADDED[name][0]) == frozen(name)


@pytest.mark.parametrize("name", sorted(ADDED))
def test_added_field_stands_behind_all_others_and_what_is_left_is_version_1(name: str) -> None:
    """A reader of version 1.0 leaves out what it does not know, and finds there what it always found."""
    message, field = ADDED[name]
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
