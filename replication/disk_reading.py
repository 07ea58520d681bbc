"""Reading what a courier brought: which consignment a disk holds, and whether its giver signed the list.

The same at the county and at a township that takes a village's records.
"""

from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from protocol import disk_consignments
from protocol.consignments import Consignment, check_list
from protocol.disk_consignments import LIST_BYTES_MAX, LIST_NAME, SIGNATURE_NAME, DiskConsignment
from protocol.errors import BadFile, Refused
from protocol.sites import Site, parse_site
from protocol.wording import Text
from replication.keys import verified

FOLDERS_MAX = 200
"""Consignments on one disk that are looked at."""

_SEE_DISK = Text(zh="请核对移动盘，或请该站重新写出。", en="Look at the disk, or have the site write it again.")


class BroughtConsignment(msgspec.Struct, frozen=True, kw_only=True):
    """A consignment on a disk whose signature holds."""

    site: Site
    consignment: Consignment
    folder: Path


def consignments_on(disk: Path) -> list[Path]:
    """Return the folders of consignments on a disk; the disk's own folder may be one of them, or hold them.

    Raises:
        BadFile: there is none, or the disk cannot be read.

    """
    try:
        if (disk / LIST_NAME).is_file():
            return [disk]
        found = sorted(one for one in disk.iterdir() if one.is_dir() and (one / LIST_NAME).is_file())[:FOLDERS_MAX]
        unfinished = [one for one in disk.iterdir() if one.name.startswith("danglian-") and one not in found]
    except OSError as error:
        raise BadFile(
            Text(zh=f"{disk} 读不出：{error.strerror}", en=f"{disk} cannot be read: {error.strerror}"), _SEE_DISK
        ) from error
    if found:
        return found
    if unfinished:
        raise BadFile(
            Text(zh=f"{unfinished[0].name} 没有写完", en=f"{unfinished[0].name} was not written to its end"),
            Text(
                zh="请移交单位插上此盘，再运行一次 transfer send --disk，会接着写完。",
                en="Have the giver run transfer send --disk with this disk again: it goes on.",
            ),
        )
    raise BadFile(
        Text(zh=f"{disk} 中没有移送", en=f"there is no consignment in {disk}"),
        Text(zh="移送在以 danglian- 开头的文件夹里。", en="A consignment is a folder that begins with danglian-."),
    )


def listed_on(folder: Path) -> tuple[DiskConsignment, bytes]:
    """Read the list of a consignment, whoever signed it, and return it with its exact bytes.

    Raises:
        BadFile: the folder holds no consignment, or not all of one.

    """
    try:
        if (folder / LIST_NAME).stat().st_size > LIST_BYTES_MAX:
            raise BadFile(Text(zh="移送清单过大", en="the list is too large"), _SEE_DISK)
        encoded = (folder / LIST_NAME).read_bytes()
    except OSError as error:
        raise _incomplete(folder) from error
    return disk_consignments.decode(encoded), encoded


def read_disk(folder: Path, keys_of: Callable[[Site], Collection[str]]) -> BroughtConsignment:
    """Read what a disk says of itself.

    Raises:
        BadFile: the folder holds no consignment, or not all of one.
        Refused: no valid key of the site has signed it.
        BadValue: its list names files that cannot be taken.

    """
    listed, encoded = listed_on(folder)
    try:
        signature = bytes.fromhex((folder / SIGNATURE_NAME).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise _incomplete(folder) from error
    site = parse_site(listed.site)
    if listed.node not in keys_of(site) or not verified(listed.node, signature, disk_consignments.signed_part(encoded)):
        raise Refused(
            Text(
                zh="移送清单没有该站有效密钥的签名",
                en="the list does not bear the signature of a valid key of its site",
            ),
            _SEE_DISK,
        )
    check_list(listed.files)
    return BroughtConsignment(
        site=site,
        consignment=Consignment(consignment_id=listed.consignment_id, files=listed.files),
        folder=folder,
    )


def _incomplete(folder: Path) -> BadFile:
    return BadFile(Text(zh=f"{folder} 中没有完整的移送", en=f"{folder} holds no whole consignment"), _SEE_DISK)
