"""What version 1.3 adds is frozen."""

from pathlib import Path

import msgspec
import pytest

from tests.golden.brake_messages import BRAKE_MESSAGES

FOLDER = Path(__file__).with_name("v1.3")


@pytest.mark.parametrize("name", sorted(BRAKE_MESSAGES))
def test_what_version_1_3_adds_is_written_and_read_the_same_for_ever(name: str) -> None:
    message = BRAKE_MESSAGES[name]
    frozen = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(frozen, type=type(message))

    assert (msgspec.json.encode(message), msgspec.json.encode(read)) == (frozen, frozen)


def test_every_golden_file_of_1_3_belongs_to_a_message() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(BRAKE_MESSAGES)
