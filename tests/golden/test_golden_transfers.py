"""The steps of transfers are written and read the same for ever: both ends sign what they read."""

from pathlib import Path

import msgspec
import pytest

from protocol.transfer_codec import KINDS
from tests.golden.transfer_messages import TRANSFER_MESSAGES

FOLDER = Path(__file__).with_name("v1.4")


@pytest.mark.parametrize("name", sorted(TRANSFER_MESSAGES))
def test_what_transfers_add_to_version_1_4_is_written_and_read_the_same_for_ever(name: str) -> None:
    message = TRANSFER_MESSAGES[name]
    frozen = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(frozen, type=type(message))

    assert (msgspec.json.encode(message), msgspec.json.encode(read)) == (frozen, frozen)


def test_every_kind_of_step_is_frozen() -> None:
    names = {f"transfer-{kind.replace('_', '-')}" for kind in KINDS}

    assert names <= set(TRANSFER_MESSAGES)
