"""Seals: only the enrolled key opens, and nothing unpacks without bound."""

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import BadFrame
from protocol.frames import FORMAT, HEADER_BYTES, SIGNED_PREFIX
from protocol.limits import FRAME_BYTES_MAX, FRAME_PLAIN_BYTES_MAX
from replication.seal import seal, unseal
from tests.builders import identity
from tests.golden.messages import FRAME

KEY = identity(1)
SEALED = seal(FRAME, KEY)


def signed(packed: bytes) -> bytes:
    """Return bytes that carry a true signature, whatever they are."""
    return FORMAT + KEY.sign(SIGNED_PREFIX + packed) + packed


def test_a_sealed_frame_opens_with_one_of_the_site_keys() -> None:
    assert unseal(SEALED, [identity(2).public_key, KEY.public_key]) == FRAME


def test_no_other_key_opens_it() -> None:
    with pytest.raises(BadFrame, match="no enrolled key"):
        unseal(SEALED, [identity(2).public_key, "not a key", ""])


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(place: int, change: int) -> None:
    damaged = bytearray(SEALED)
    damaged[place] ^= change
    with pytest.raises(BadFrame):
        unseal(bytes(damaged), [KEY.public_key])


@given(st.integers(0, len(SEALED) - 1))
def test_any_cut_is_noticed(length: int) -> None:
    with pytest.raises(BadFrame):
        unseal(SEALED[:length], [KEY.public_key])


def test_a_small_message_that_unpacks_into_a_large_one_is_refused_unopened() -> None:
    bomb = zstandard.ZstdCompressor().compress(b" " * (FRAME_PLAIN_BYTES_MAX + 1))
    assert len(bomb) < FRAME_BYTES_MAX
    with pytest.raises(BadFrame, match="unpack"):
        unseal(signed(bomb), [KEY.public_key])


def test_a_frame_without_its_unpacked_length_is_refused() -> None:
    packed = zstandard.ZstdCompressor(write_content_size=False).compress(b"{}")
    with pytest.raises(BadFrame, match="unpack"):
        unseal(signed(packed), [KEY.public_key])


def test_an_oversized_message_is_refused() -> None:
    with pytest.raises(BadFrame, match="sealed frame of"):
        unseal(FORMAT + bytes(FRAME_BYTES_MAX), [KEY.public_key])
    assert HEADER_BYTES == 68


def test_a_signer_that_is_not_the_named_node_is_refused() -> None:
    borrowed = msgspec.structs.replace(FRAME, node=identity(3).public_key)
    with pytest.raises(BadFrame, match="another node"):
        unseal(seal(borrowed, KEY), [KEY.public_key])
