"""The county's key: the secret under which identity numbers are hashed, the same at every site of a county.

It is made once by the hub, handed to each node when it is enrolled, and stored as one line of hexadecimal digits.
"""

from pathlib import Path

from protocol.errors import BadSetting
from protocol.wording import Text
from replication.files import PRIVATE_MODE, write_whole

COUNTY_KEY_BYTES = 32
"""Bytes of the key: as many as the hash it is used with."""


def write_county_key(path: Path, key: bytes) -> None:
    """Store the key so that only its owner can read it."""
    write_whole(path, key.hex().encode("ascii") + b"\n", mode=PRIVATE_MODE)


def read_county_key(path: Path) -> bytes:
    """Read the key.

    Raises:
        BadSetting: the file is missing or holds no key.

    """
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except OSError as error:
        raise BadSetting(
            Text(
                zh=f"读不到县密钥 {path}：{error.strerror}", en=f"cannot read the county's key {path}: {error.strerror}"
            ),
            Text(zh="请先运行 init 命令。", en="Run the init command first."),
        ) from error
    except ValueError as error:
        raise _damaged(path) from error
    if len(key) != COUNTY_KEY_BYTES:
        raise _damaged(path)
    return key


def _damaged(path: Path) -> BadSetting:
    return BadSetting(
        Text(zh=f"县密钥文件损坏：{path}", en=f"the county's key is damaged: {path}"),
        Text(zh="请从备份恢复，或重新运行 init。", en="Restore it from a backup, or run init again."),
    )
