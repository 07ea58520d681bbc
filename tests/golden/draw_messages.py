"""The golden messages of protocol 1.4 about draws: what the hub asks for, and what a site answers."""

from uuid import UUID

import msgspec

from protocol.consignments import ConsignedFile, FileFault
from protocol.disk_consignments import DiskConsignment
from protocol.draws import DrawWord, DrawWordKind, ListPage, OpenDraw, Opening, ReadChunk, ReadList
from protocol.wording import Text
from tests.golden.messages import SITE

CONSIGNMENT = UUID("5d0e3d37-1a57-4d5e-9a77-5b1c8f1f2c11")
SESSION = "0f" * 16
NODE = "U" + "A" * 55
FILES = (
    ConsignedFile(path="电子档案/2011/0001.pdf", size_bytes=12_345, sha256="ab" * 32),
    ConsignedFile(path="说明文件.TXT", size_bytes=0, sha256="cd" * 32),
)

DRAW_MESSAGES: dict[str, msgspec.Struct] = {
    "draw-open": OpenDraw(drawer="drawer-1", question="q1", consignment_id=CONSIGNMENT),
    "draw-list": ReadList(drawer="drawer-1", session=SESSION, position=2_000),
    "draw-chunk": ReadChunk(drawer="drawer-1", session=SESSION, offset=4_096, size_bytes=65_536),
    "draw-opening": Opening(
        question="q1",
        site=SITE,
        node=NODE,
        consignment_id=CONSIGNMENT,
        session=SESSION,
        sealed_key="ef" * 80,
        files=2,
        size_bytes=12_345,
        list_digest="12" * 32,
    ),
    "draw-page": ListPage(files=FILES),
    "draw-word-file": DrawWord(
        kind=DrawWordKind.FILE, session=SESSION, offset=4_096, position=1, fault=FileFault.CHANGED
    ),
    "draw-word-not-now": DrawWord(
        kind=DrawWordKind.NOT_NOW,
        session=SESSION,
        offset=4_096,
        not_before_ms=1_790_000_000_000,
        hours="22:00-06:00",
    ),
    "draw-word-refused": DrawWord(kind=DrawWordKind.REFUSED, question="q1", reason=Text(zh="不行", en="no")),
    "disk-consignment": DiskConsignment(site=SITE, node=NODE, consignment_id=CONSIGNMENT, files=FILES),
}
"""By the name of the file in ``v1.4``."""
