"""Sealed by one library and opened by another: the bytes are the same, and nothing changed passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.draws import NONCE_BYTES
from replication.xchacha import OpenSslCipher, SealBroken, SodiumCipher

KEYS, NONCES = st.binary(min_size=32, max_size=32), st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)


@given(KEYS, NONCES, st.binary(max_size=300), st.binary(max_size=100))
def test_both_libraries_make_the_same_bytes(key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> None:
    ciphers = OpenSslCipher(key), SodiumCipher(key)
    sealed = [one.seal(plain, bound, nonce) for one in ciphers]

    assert sealed[0] == sealed[1]
    assert [one.open(memoryview(sealed[0]), bound, nonce) for one in ciphers] == [plain, plain]


@given(KEYS, NONCES, st.binary(min_size=1, max_size=50), st.data())
def test_neither_opens_what_was_changed(key: bytes, nonce: bytes, plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(SodiumCipher(key).seal(plain, b"bound", nonce))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1

    for one in (OpenSslCipher(key), SodiumCipher(key)):
        for changed, bound in ((bytes(sealed), b"bound"), (one.seal(plain, b"bound", nonce), b"other")):
            with pytest.raises(SealBroken):
                one.open(changed, bound, nonce)
