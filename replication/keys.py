"""NKeys: the Ed25519 identity of an installation, used to open its connection and to sign its frames.

The seed is born on the machine that uses it and never leaves it.
"""

import base64
import binascii
import os
from functools import lru_cache
from pathlib import Path

import nkeys
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.public import SealedBox
from nacl.signing import SigningKey, VerifyKey

from protocol.errors import BadSetting, BadValue
from protocol.wording import Text

_SEED_HEAD_BYTES = 2
_KEY_BYTES = 32
_CHECKSUM_BYTES = 2
_PUBLIC_CHARS = 56
KEYS_CACHED_MAX = 4_096
"""Public keys kept ready for verifying: more than the installations of a county."""


class Identity:
    """A key pair: signs with the seed, is known by its public NKey."""

    def __init__(self, seed: bytes) -> None:
        """Take an encoded NKey seed (``SU…``).

        Raises:
            BadValue: the text is not a seed.

        """
        try:
            pair = nkeys.from_seed(bytearray(seed))
            self.public_key: str = bytes(pair.public_key).decode("ascii")
        except (nkeys.NkeysError, binascii.Error, ValueError) as error:
            raise BadValue(Text(zh="密钥文件内容无效。", en="not an NKey seed")) from error
        raw = _base32(seed)[_SEED_HEAD_BYTES : _SEED_HEAD_BYTES + _KEY_BYTES]
        self._signing = SigningKey(raw)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of a message."""
        return bytes(self._signing.sign(message).signature)

    def opened(self, envelope: bytes) -> bytes:
        """Return what somebody put into an envelope for this key (``sealed_for``).

        Raises:
            BadValue: it is for another key, or damaged.

        """
        try:
            return bytes(SealedBox(self._signing.to_curve25519_private_key()).decrypt(envelope))
        except (CryptoError, ValueError) as error:
            raise BadValue(
                Text(zh="密封内容不是给本机的，或已损坏。", en="not sealed for this key, or damaged")
            ) from error


def new_seed(entropy: bytes) -> bytes:
    """Return the encoded seed (``SU…``) made of 32 random bytes."""
    return bytes(nkeys.encode_seed(entropy, nkeys.PREFIX_BYTE_USER))


def load_identity(path: Path) -> Identity:
    """Read the identity from its seed file.

    Raises:
        BadSetting: the file is missing or holds no seed.

    """
    try:
        return Identity(path.read_bytes().strip())
    except OSError as error:
        raise BadSetting(
            Text(
                zh=f"读不到密钥文件 {path}：{error.strerror}", en=f"cannot read the key file {path}: {error.strerror}"
            ),
            Text(zh="请先运行 init 命令登记本站。", en="Enrol this site first with the init command."),
        ) from error


def write_seed(path: Path, seed: bytes) -> None:
    """Store a seed so that only its owner can read it; an existing file is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(seed + b"\n")
        file.flush()
        os.fsync(file.fileno())


def verified(public_key: str, signature: bytes, message: bytes) -> bool:
    """Tell whether ``signature`` is that of ``message`` by the holder of ``public_key``."""
    try:
        _verifying(public_key).verify(message, signature)
    except (BadSignatureError, BadValue, ValueError):
        return False
    return True


def sealed_for(public_key: str, message: bytes) -> bytes:
    """Return a message in an envelope that only the holder of ``public_key`` can open.

    Raises:
        BadValue: not a public NKey.

    """
    return bytes(SealedBox(_verifying(public_key).to_curve25519_public_key()).encrypt(message))


def raw_public_key(public_key: str) -> bytes:
    """Return the 32 bytes of a public NKey.

    Raises:
        BadValue: not a public NKey.

    """
    return bytes(_verifying(public_key))


@lru_cache(maxsize=KEYS_CACHED_MAX)
def _verifying(public_key: str) -> VerifyKey:
    try:
        raw = _base32(public_key.encode("ascii"))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise BadValue(Text(zh="公钥无效。", en="not a public NKey")) from error
    if len(public_key) != _PUBLIC_CHARS or len(raw) != 1 + _KEY_BYTES + _CHECKSUM_BYTES:
        raise BadValue(Text(zh="公钥无效。", en="not a public NKey"))
    return VerifyKey(raw[1 : 1 + _KEY_BYTES])


def _base32(text: bytes) -> bytes:
    return base64.b32decode(text + b"=" * (-len(text) % 8))
