"""What version 1.4 says about copies and certificates is frozen."""

from pathlib import Path

import msgspec
import pytest

from tests.golden.copy_messages import COPY_MESSAGES

FOLDER = Path(__file__).with_name("v1.4")


@pytest.mark.parametrize("name", sorted(COPY_MESSAGES))
def test_what_version_1_4_says_of_copies_is_written_and_read_the_same_for_ever(name: str) -> None:
    message = COPY_MESSAGES[name]
    frozen = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(frozen, type=type(message))

    assert (msgspec.json.encode(message), msgspec.json.encode(read)) == (frozen, frozen)
