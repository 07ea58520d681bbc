"""Small files that must be there whole or not at all: settings, keys, certificates, the broker's list of users."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

PUBLIC_MODE = 0o644
PRIVATE_MODE = 0o600
PRIVATE_FOLDER_MODE = 0o700


def write_whole(path: Path, content: bytes | Iterable[bytes], *, mode: int = PUBLIC_MODE) -> None:
    """Write a file so that a reader, or a power cut, meets the old content or the new one, never a part.

    Content may come in pieces, so that what is long need not be in memory. The file has its mode before it has its
    content, so that a secret is never readable for a moment.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines((content,) if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
