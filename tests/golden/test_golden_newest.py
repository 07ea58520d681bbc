"""What protocol 1.6 adds to messages that were there: the new bytes are frozen, and older readers pass by them."""

from pathlib import Path

import msgspec
import pytest

from protocol.calls import Answer, Hits
from tests.golden.messages import MESSAGES

FOLDER = Path(__file__).with_name("v1.6")
ANSWER = MESSAGES["answer-search"]
assert isinstance(ANSWER, Answer)
assert isinstance(ANSWER.body, Hits)

NEWEST: dict[str, tuple[msgspec.Struct, msgspec.Struct, bytes]] = {
    "beat-kept-faulty": (
        msgspec.structs.replace(MESSAGES["beat"], kept_faulty=3),
        MESSAGES["beat"],
        b',"kept_faulty":3',
    ),
    "answer-search-waiting": (
        msgspec.structs.replace(ANSWER, body=msgspec.structs.replace(ANSWER.body, waiting=4_000)),
        ANSWER,
        b',"waiting":4000',
    ),
}
"""By the name of the file: the message, the same without what is new, and what is new in it."""


@pytest.mark.parametrize("name", sorted(NEWEST))
def test_what_is_new_is_written_the_same_for_ever_and_is_all_that_is_new(name: str) -> None:
    message, before, added = NEWEST[name]
    frozen = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")

    assert msgspec.json.encode(message) == frozen
    assert msgspec.json.decode(frozen, type=type(message)) == message
    assert frozen.replace(added, b"") == msgspec.json.encode(before)
