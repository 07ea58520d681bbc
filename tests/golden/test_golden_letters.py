"""What version 1.4 adds is frozen."""

from pathlib import Path

import msgspec
import pytest

from tests.golden.letter_messages import LETTER_MESSAGES

FOLDER = Path(__file__).with_name("v1.4")


@pytest.mark.parametrize("name", sorted(LETTER_MESSAGES))
def test_what_version_1_4_adds_is_written_and_read_the_same_for_ever(name: str) -> None:
    message = LETTER_MESSAGES[name]
    frozen = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(frozen, type=type(message))

    assert (msgspec.json.encode(message), msgspec.json.encode(read)) == (frozen, frozen)
