"""Unpacking a package that came as one file: a bag or a folder in a ZIP or TAR (RFC 8493, 4).

Whatever the file claims, nothing is written outside of a folder of the caller's own, nothing but plain files and
folders is made, and no more is written than the disk and the size of the file allow. One fault refuses the whole: what
was cut or packed with a password is no package.
"""

import bz2
import gzip
import lzma
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from protocol.errors import BadFile, StorageFull
from protocol.package_paths import FAULT_WORDS, PathFault, path_faults, same_to_others
from protocol.wording import Text
from replication.packages.bag_writing import make_folder
from replication.packages.reading import PIECE_BYTES
from replication.packages.tar_reading import read_tar
from replication.packages.zip_reading import UNREADABLE, TooManyMembers, name_of, open_zip

MEMBERS_MAX: Final = 50_000
"""Members of a package that came as one file; a larger one is to be unpacked by whoever took it."""

RATIO_MAX: Final = 200
"""Times its own size that a package may unpack to."""

SMALL_BYTES: Final = 64 * 1024 * 1024
"""Bytes that any package may unpack to."""

SPARE_BYTES: Final = 512 * 1024 * 1024
"""Bytes that stay free on the disk."""

NAME_SHOWN_CHARS: Final = 160
"""Characters of a member's name that a message repeats."""

_ASK: Final = Text(zh="不要解压，请与移交方核实来源。", en="Do not unpack it; ask the sender where it comes from.")
_AGAIN: Final = Text(zh="请移交方重新制作或重新复制该包。", en="Ask the sender to make or copy the package again.")
_RENAME: Final = Text(zh="请移交方改名后重新打包。", en="Have the sender rename it and make the package again.")
_UNLOCK: Final = Text(zh="请移交方去掉密码后重新打包。", en="Have the sender remove the password and pack it again.")

_BROKEN: Final = (*UNREADABLE, tarfile.TarError, gzip.BadGzipFile)


def can_unpack(head: bytes) -> bool:
    """True for a file that begins like a ZIP, a TAR, or a TAR packed once more."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")) or is_tar(head)


def is_tar(head: bytes) -> bool:
    """True for a file that begins like a TAR."""
    return head[257:262] == b"ustar"


def unpack(path: Path, workplace: Path) -> Path:
    """Unpack a package into a new folder and return the folder in which it lies: the one at its top, if there is one.

    Args:
        path: the file.
        workplace: a folder of the caller's own, thrown away afterwards.

    Raises:
        BadFile: it cannot be taken; reason and remedy name the member.
        StorageFull: the disk has no room.
        OSError: it cannot be read or written.

    """
    into = Path(tempfile.mkdtemp(prefix="package-", dir=workplace))
    taking = _Taking(path, into)
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if head.startswith(b"PK"):
            _unpack_zip(path, taking)
        else:
            with _opened_tar(path, head) as archive:
                for member, pieces in read_tar(archive):
                    taking.take(member.name, pieces, is_folder=member.is_folder, is_plain=member.is_file)
    except TooManyMembers as error:
        raise _bad(path, "", Text(zh="成员过多", en="has too many members"), _ASK) from error
    except _BROKEN as error:
        told = Text(zh=f"压缩文件已损坏：{error}", en=f"the archive is damaged: {error}")
        raise _bad(path, "", told, _AGAIN) from error
    inside = [one for one in sorted(into.iterdir()) if one.name != "__MACOSX"]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else into


def _opened_tar(path: Path, head: bytes) -> BinaryIO:
    if head.startswith(b"\x1f\x8b"):
        return cast("BinaryIO", gzip.open(path))
    if head.startswith(b"BZh"):
        return cast("BinaryIO", bz2.open(path))
    if head.startswith(b"\xfd7zXZ"):
        return cast("BinaryIO", lzma.open(path))
    return path.open("rb")


def _unpack_zip(path: Path, taking: "_Taking") -> None:
    with open_zip(path, MEMBERS_MAX) as archive:
        members = archive.infolist()
        if sum(member.compress_size for member in members) > path.stat().st_size:
            raise _bad(path, "", Text(zh="成员互相重叠", en="its members overlap"), _ASK)
        taking.claim(sum(member.file_size for member in members))
        for member in members:
            name = name_of(member)
            if member.flag_bits & 0x1:
                raise _bad(path, name, Text(zh="带有密码", en="asks for a password"), _UNLOCK)
            kind = stat.S_IFMT(member.external_attr >> 16)
            is_plain = kind in {0, stat.S_IFREG, stat.S_IFDIR}
            taking.take(name, _pieces(archive, member), is_folder=member.is_dir(), is_plain=is_plain)


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as content:
        while piece := content.read(PIECE_BYTES):
            yield piece


class _Taking:
    """What was taken so far, and what may still be."""

    def __init__(self, path: Path, into: Path) -> None:
        self._path = path
        self._into = into
        self._names: set[str] = set()
        self._left = max(SMALL_BYTES, path.stat().st_size * RATIO_MAX)
        self._room = shutil.disk_usage(into).free - SPARE_BYTES

    def claim(self, size_bytes: int) -> None:
        """Go on only if so much may be written."""
        if size_bytes > self._left:
            seems = Text(zh=f"疑为压缩炸弹（{size_bytes} 字节）", en=f"seems to be a bomb ({size_bytes} bytes)")
            raise _bad(self._path, "", seems, _ASK)
        if size_bytes > self._room:
            raise StorageFull(
                Text(
                    zh=f"{self._path.name} 解压需要 {size_bytes} 字节，磁盘放不下",
                    en=f"{self._path.name} unpacks to {size_bytes} bytes, for which the disk has no room",
                ),
                Text(zh="腾出系统临时文件夹的空间后重试。", en="Make room in the folder for temporary files."),
            )

    def take(self, name: str, pieces: Iterator[bytes], *, is_folder: bool, is_plain: bool) -> None:
        """Write one member."""
        within = name.removeprefix("./").rstrip("/") if is_folder else name.removeprefix("./")
        if is_folder and within in {"", "."}:
            return
        self._look(within)
        if not (is_plain or is_folder):
            special = Text(zh="是链接或特殊文件", en="is a link or a special file")
            raise _bad(self._path, within, special, _ASK)
        target = self._into / within
        if is_folder:
            make_folder(target)
            return
        make_folder(target.parent)
        with target.open("xb") as file:
            for piece in pieces:
                self.claim(len(piece))
                self._left -= len(piece)
                self._room -= len(piece)
                file.write(piece)

    def _look(self, name: str) -> None:
        faults = [fault for fault in path_faults(name) if fault is not PathFault.NOT_NORMAL]
        if faults:
            leads_out = faults[0] in {PathFault.ABSOLUTE, PathFault.ESCAPES}
            raise _bad(self._path, name, FAULT_WORDS[faults[0]], _ASK if leads_out else _RENAME)
        same = same_to_others(name)
        if same in self._names:
            twice = Text(
                zh="出现两次，或只有大小写、字符写法不同",
                en="stands there twice, or another name differs only in case or in how characters are written",
            )
            raise _bad(self._path, name, twice, _RENAME)
        self._names.add(same)
        if len(self._names) > MEMBERS_MAX:
            raise _bad(self._path, "", Text(zh=f"超过 {MEMBERS_MAX} 个成员", en=f"over {MEMBERS_MAX} members"), _ASK)


def _bad(path: Path, member: str, fault: Text, remedy: Text) -> BadFile:
    visible = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in member[:NAME_SHOWN_CHARS])
    where = f"{path.name} › {visible}" if visible else path.name
    return BadFile(Text(zh=f"{where}：{fault.zh}", en=f"{where}: {fault.en}"), remedy)
