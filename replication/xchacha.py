"""XChaCha20-Poly1305 by whichever library computes it fastest; the bytes are the same.

libsodium is everywhere, and takes two seconds of processor time for a gigabyte. OpenSSL takes a third of one, and comes
with ``cryptography``, which every hub has; it knows only the shorter nonce, so the key for that is derived as the
construction says (draft-irtf-cfrg-xchacha-03, 2.3): HChaCha20 is a block of ChaCha20 without the last addition.
"""

import struct
from typing import Final, Protocol

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

_CONSTANTS: Final = struct.unpack("<4I", b"expand 32-byte k")
_BLOCK_BYTES: Final = 64
_MASK: Final = 0xFFFF_FFFF


class SealBroken(Exception):
    """What was sealed was changed, or is bound to something else."""


class Cipher(Protocol):
    """Seals and opens with one key."""

    def seal(self, plain: bytes, bound: bytes, nonce: bytes) -> bytes:
        """Return what was given, sealed; ``bound`` is vouched for beside it."""

    def open(self, sealed: bytes | memoryview, bound: bytes, nonce: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            SealBroken: it was changed, or is bound to something else.

        """


class SodiumCipher:
    """By libsodium."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, plain: bytes, bound: bytes, nonce: bytes) -> bytes:
        """Seal, as ``Cipher`` says."""
        return crypto_aead_xchacha20poly1305_ietf_encrypt(plain, bound, nonce, self._key)

    def open(self, sealed: bytes | memoryview, bound: bytes, nonce: bytes) -> bytes:
        """Open, as ``Cipher`` says."""
        try:
            return bytes(crypto_aead_xchacha20poly1305_ietf_decrypt(bytes(sealed), bound, nonce, self._key))
        except CryptoError as error:
            raise SealBroken from error


class OpenSslCipher:
    """By OpenSSL.

    Raises:
        ImportError: ``cryptography`` is not installed.

    """

    def __init__(self, key: bytes) -> None:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - ten megabytes that most sites do without
        from cryptography.hazmat.primitives.ciphers import Cipher as Stream  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20  # noqa: PLC0415 - as above

        def block(nonce: bytes) -> bytes:
            return Stream(ChaCha20(key, nonce), mode=None).encryptor().update(bytes(_BLOCK_BYTES))

        self._block, self._broken, self._sealer = block, InvalidTag, ChaCha20Poly1305

    def seal(self, plain: bytes, bound: bytes, nonce: bytes) -> bytes:
        """Seal, as ``Cipher`` says."""
        return self._sealer(self._derived(nonce)).encrypt(_shorter(nonce), plain, bound)

    def open(self, sealed: bytes | memoryview, bound: bytes, nonce: bytes) -> bytes:
        """Open, as ``Cipher`` says."""
        try:
            return self._sealer(self._derived(nonce)).decrypt(_shorter(nonce), sealed, bound)
        except self._broken as error:
            raise SealBroken from error

    def _derived(self, nonce: bytes) -> bytes:
        first = nonce[:16]
        words = struct.unpack("<16I", self._block(first))
        added = (*_CONSTANTS, *struct.unpack("<4I", first))
        return struct.pack(
            "<8I", *((word - more) & _MASK for word, more in zip((*words[:4], *words[12:]), added, strict=True))
        )


def _shorter(nonce: bytes) -> bytes:
    return bytes(4) + nonce[16:]


def cipher_of(key: bytes) -> Cipher:
    """Return the fastest cipher of this machine for a key."""
    try:
        return OpenSslCipher(key)
    except ImportError:
        return SodiumCipher(key)
