"""Courier bundles as files: written so that a pulled stick leaves nothing half, read so that no wrong byte gets by.

The container is a plain tar archive (``protocol.bundles``) in one canonical form: no date, no owner, no extension.
Every byte is thus determined by the manifest, its signature and the frames, whose digests the manifest names; a reader
checks them all before anything is taken. Neither end ever holds more than one frame in memory.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from protocol.bundles import (
    COPY_AGAIN,
    MANIFEST_NAME,
    SIGNATURE_NAME,
    SIGNED_PREFIX,
    BundleFault,
    Manifest,
    Pages,
    damaged,
    decode_manifest,
    encode_manifest,
    member_name,
    members_of,
)
from protocol.errors import BadBundle, BadFrame, Retryable, StorageFull
from protocol.frames import SIGNATURE_BYTES, Frame
from protocol.limits import BUNDLE_MANIFEST_BYTES_MAX
from protocol.wording import Text
from replication.keys import Identity, verified
from replication.packages.bag_writing import sync_folder
from replication.seal import unseal

BLOCK_BYTES = 512
"""Bytes of a block of a tar archive: headers are one, contents are filled up to whole ones, two empty ones end it."""

FREE_BYTES_LEFT = 1024 * 1024
"""Bytes that writing leaves free on a stick, for the file system's own tables."""

_END = bytes(2 * BLOCK_BYTES)
_SIGNATURE_TEXT_BYTES = 2 * SIGNATURE_BYTES + 1
_MAGIC = slice(257, 262)
_SIZE = slice(124, 135)

OnMore = Callable[[int], None]
"""Told how many more bytes are written, or how many more frames are done: for a progress bar."""


def _nothing(_more: int) -> None:
    """Stand in where nobody watches."""


def header(name: str, size_bytes: int) -> bytes:
    """Return the one header that a member of this name and size has."""
    member = tarfile.TarInfo(name)
    member.size = size_bytes
    return member.tobuf(tarfile.USTAR_FORMAT)


def padding(size_bytes: int) -> bytes:
    """Return the empty bytes that fill a member up to whole blocks."""
    return bytes(-size_bytes % BLOCK_BYTES)


def _filled(size_bytes: int) -> int:
    return BLOCK_BYTES + size_bytes + len(padding(size_bytes))


def size_of(manifest: Manifest, encoded: bytes) -> int:
    """Return how many bytes the whole bundle has."""
    members = sum(_filled(size) for _, size in members_of(manifest))
    return _filled(len(encoded)) + _filled(_SIGNATURE_TEXT_BYTES) + members + len(_END)


# Writing


def write_bundle(
    target: Path, manifest: Manifest, identity: Identity, contents: Iterable[bytes] = (), on_bytes: OnMore = _nothing
) -> int:
    """Write a bundle and return its size in bytes; it is whole on the stick under its name when this returns, or not.

    Args:
        target: the file; one of the same name is replaced.
        manifest: what it says; the members that it names must be those of ``contents``.
        identity: who signs.
        contents: the sealed frames, or the sealed pieces of pages, in their order.
        on_bytes: for a progress bar.

    Raises:
        StorageFull: the stick has no room; nothing was written.
        Retryable: the stick cannot be written, or was pulled out.

    """
    encoded = encode_manifest(manifest)
    needed = size_of(manifest, encoded)
    unfinished = target.with_name(f".{target.name}.part")
    try:
        _check_room(target.parent, needed)
        try:
            with unfinished.open("wb") as file:
                for piece in _written(manifest, encoded, identity, contents):
                    file.write(piece)
                    on_bytes(len(piece))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        # Not every stick can; the file itself is on it.
        with contextlib.suppress(OSError):
            sync_folder(target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    return needed


def _written(manifest: Manifest, encoded: bytes, identity: Identity, contents: Iterable[bytes]) -> Iterator[bytes]:
    signature = identity.sign(SIGNED_PREFIX + encoded).hex().encode("ascii") + b"\n"
    yield from _member(MANIFEST_NAME, encoded)
    yield from _member(SIGNATURE_NAME, signature)
    for number, ((name, size_bytes), sealed) in enumerate(zip(members_of(manifest), contents, strict=True)):
        if len(sealed) != size_bytes or not _is_frame(manifest, number, sealed):
            message = f"{name} is not the one that the manifest names"
            raise ValueError(message)
        yield from _member(name, sealed)
    yield _END


def _is_frame(manifest: Manifest, number: int, sealed: bytes) -> bool:
    """Tell whether a member has the digest that the manifest names; pieces of pages are proven by their seals."""
    return not manifest.frames or hashlib.sha256(sealed).hexdigest() == manifest.frames[number].digest


def _member(name: str, content: bytes) -> Iterator[bytes]:
    yield header(name, len(content))
    yield content
    yield padding(len(content))


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + FREE_BYTES_LEFT:
        raise _full(folder, needed, free)


def _full(folder: Path, needed: int, free: int) -> StorageFull:
    return StorageFull(
        Text(
            zh=f"{folder} 空间不足：需要 {_mib(needed)} MiB，剩余 {_mib(free)} MiB。",
            en=f"no room on {folder}: {_mib(needed)} MiB are needed, {_mib(free)} MiB are free",
        ),
        Text(zh="请换一个 U 盘，或删去其中的旧文件后重试。", en="Take another stick, or delete old files from it."),
    )


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:.1f}"


def _unwritable(target: Path, error: OSError) -> Retryable:
    if error.errno == errno.ENOSPC:
        return StorageFull(
            Text(zh=f"写 {target} 时磁盘已满，未留下半个文件。", en=f"no room left while writing {target}"),
            Text(zh="请换一个 U 盘，或删去其中的旧文件后重试。", en="Take another stick, or delete old files from it."),
        )
    return Retryable(
        Text(
            zh=f"无法写入 {target}：{error.strerror or error}；未留下不完整的信使包。",
            en=f"cannot write {target}: {error.strerror or error}; no half bundle is left",
        ),
        Text(
            zh="请检查文件夹是否存在、U 盘是否插好且未写保护，然后重新运行同一条命令。",
            en="See that the folder exists and the stick is in and not write-protected, then run the same command.",
        ),
    )


# Reading


class Bundle:
    """A bundle whose manifest is read and signed by whom it names; ``check`` goes through all the rest."""

    def __init__(self, path: Path, manifest: Manifest, encoded: bytes) -> None:
        self.path = path
        self.manifest = manifest
        self.size_bytes = size_of(manifest, encoded)
        self._members_at = _filled(len(encoded)) + _filled(_SIGNATURE_TEXT_BYTES)

    def check(self, keys: "frozenset[str] | set[str]", epoch: str, on_frames: OnMore = _nothing) -> None:
        """Check every byte and every seal, so that what is taken afterwards is the whole of what was sent.

        Args:
            keys: the public keys that may have sealed the frames.
            epoch: the epoch that the frames must be of.
            on_frames: told of each frame.

        Raises:
            BadBundle: a byte differs, the file ends early or goes on, or a frame is none of these keys'.
            Retryable: the file cannot be read.

        """
        for number, sealed in enumerate(self.frames()):
            member = self.manifest.frames[number]
            frame = _opened(sealed, keys)
            if (frame.epoch, frame.previous, frame.last) != (epoch, member.previous, member.last):
                raise damaged(Text(zh="帧与清单不符", en="a frame is not what the manifest says"))
            on_frames(1)

    def frames(self, first: int = 0) -> Iterator[bytes]:
        """Yield the sealed frames from the ``first`` on (counted from 0), each compared with its digest.

        Raises:
            BadBundle, Retryable: as ``check``.

        """
        with _reading(self.path) as file:
            before = self.manifest.frames[:first]
            file.seek(self._members_at + sum(_filled(member.size_bytes) for member in before))
            for number, member in enumerate(self.manifest.frames[first:], first + 1):
                sealed = _content(file, member_name(number, member), member.size_bytes)
                if hashlib.sha256(sealed).hexdigest() != member.digest:
                    raise damaged(Text(zh=f"第 {number} 帧内容不符", en=f"frame {number} differs"))
                yield sealed
            if file.read(len(_END) + 1) != _END:
                raise damaged(Text(zh="文件结尾不符", en="the end of the file differs"))

    def pieces(self) -> Iterator[tuple[tuple[int, int], bytes]]:
        """Yield the sealed pieces of pages, each with its place in the row of bytes; whoever opens one proves it.

        A piece that is damaged shifts no other one: their places in the file follow from the manifest.

        Raises:
            Retryable: the file cannot be read.

        """
        content = self.manifest.content
        if not isinstance(content, Pages):
            return
        at = self._members_at
        with _reading(self.path) as file:
            for place, (_, size_bytes) in zip(content.pieces, members_of(self.manifest), strict=True):
                file.seek(at + BLOCK_BYTES)
                yield place, file.read(size_bytes)
                at += _filled(size_bytes)


def read_bundle(path: Path) -> Bundle:
    """Read the manifest of a bundle and see that its sender signed it and that the file is as long as it says.

    Raises:
        BadBundle: not a bundle, damaged, incomplete, or of a later format.
        Retryable: the file cannot be read.

    """
    with _reading(path) as file:
        size = os.fstat(file.fileno()).st_size
        first = file.read(BLOCK_BYTES)
        if len(first) == BLOCK_BYTES and first[_MAGIC] != b"ustar":
            raise _no_bundle(path)
        encoded = _rest_of(file, first, MANIFEST_NAME, _manifest_bytes(first, size))
        written = _content(file, SIGNATURE_NAME, _SIGNATURE_TEXT_BYTES)
    manifest = decode_manifest(encoded)
    signature = _signature(written)
    if not verified(manifest.sender.key, signature, SIGNED_PREFIX + encoded):
        raise damaged(Text(zh="签名不符", en="its signature does not hold"))
    bundle = Bundle(path, manifest, encoded)
    if size < bundle.size_bytes:
        raise _incomplete(size, bundle.size_bytes)
    if size > bundle.size_bytes:
        raise damaged(Text(zh="文件过长", en="the file goes on after its end"))
    return bundle


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise Retryable(
            Text(zh=f"读不到 {path}：{error.strerror or error}", en=f"cannot read {path}: {error.strerror or error}"),
            Text(
                zh="请检查 U 盘是否插好、路径是否正确，然后重试。", en="See that the stick is in and the path is right."
            ),
        ) from error


def _manifest_bytes(first: bytes, size: int) -> int:
    if len(first) < BLOCK_BYTES:
        raise _incomplete(size)
    try:
        length = int(first[_SIZE], 8)
    except ValueError as error:
        raise damaged(Text(zh="开头无法解读", en="its beginning cannot be read")) from error
    if not 0 < length <= BUNDLE_MANIFEST_BYTES_MAX:
        raise damaged(Text(zh="清单长度不合规", en=f"a manifest of {length} bytes"))
    return length


def _content(file: BinaryIO, name: str, size_bytes: int) -> bytes:
    return _rest_of(file, file.read(BLOCK_BYTES), name, size_bytes)


def _rest_of(file: BinaryIO, found: bytes, name: str, size_bytes: int) -> bytes:
    fill = padding(size_bytes)
    content = file.read(size_bytes)
    if len(found) < BLOCK_BYTES or len(content) < size_bytes or len(filled := file.read(len(fill))) < len(fill):
        raise _incomplete(os.fstat(file.fileno()).st_size)
    if found != header(name, size_bytes) or filled != fill:
        raise damaged(Text(zh=f"{name} 的外层不符", en=f"what surrounds {name} differs"))
    return content


def _signature(written: bytes) -> bytes:
    try:
        signature = bytes.fromhex(written.decode("ascii"))
    except ValueError as error:
        raise damaged(Text(zh="签名无法解读", en="its signature cannot be read")) from error
    # Also a signature has but one way of being written.
    if signature.hex().encode("ascii") + b"\n" != written:
        raise damaged(Text(zh="签名无法解读", en="its signature cannot be read"))
    return signature


def _opened(sealed: bytes, keys: "frozenset[str] | set[str]") -> Frame:
    try:
        return unseal(sealed, keys)
    except BadFrame as error:
        raise BadBundle(BundleFault.UNKNOWN_KEY, error.reason, error.hint) from error


def _no_bundle(path: Path) -> BadBundle:
    return BadBundle(
        BundleFault.NOT_A_BUNDLE,
        Text(
            zh=f"{path.name} 不是信使包，或开头已损坏。",
            en=f"{path.name} is no courier bundle, or its start is damaged",
        ),
        COPY_AGAIN,
    )


def _incomplete(size: int, whole: int = 0) -> BadBundle:
    of = Text(zh=f"共 {whole} 字节，", en=f" of {whole}") if whole else Text(zh="", en="")
    return BadBundle(
        BundleFault.INCOMPLETE,
        Text(
            zh=f"信使包不完整：{of.zh}只有 {size} 字节；未收取任何内容。",
            en=f"the bundle is incomplete: {size}{of.en} bytes are there; nothing was taken",
        ),
        COPY_AGAIN,
    )
