"""Sealed pieces of a draw: bytes that only the hub can open, bound to the site, the consignment and their place.

The key is born at the giver for one draw, and travels in an envelope for the hub's key. XChaCha20-Poly1305 needs no
special processor, which village PCs may lack, and its nonce is long enough to be drawn by lot.
"""

import os
from uuid import UUID

import msgspec
import zstandard

from protocol.draws import (
    HEAD_BYTES,
    KEY_BYTES,
    NONCE_BYTES,
    ChunkHead,
    ListPage,
    bound_by_seal,
)
from protocol.errors import BadFrame
from protocol.limits import LIST_PAGE_BYTES_MAX, LIST_PAGE_PLAIN_BYTES_MAX
from protocol.wording import Text
from replication.seal import ZSTD_LEVEL
from replication.xchacha import SealBroken, cipher_of

_pages = msgspec.json.Decoder(ListPage)


class ChunkSeal:
    """Seals and opens the pieces of one draw."""

    def __init__(self, key: bytes, site: str, consignment_id: UUID, session: str) -> None:
        """Take the key of a draw, 32 bytes.

        Raises:
            BadFrame: the key is none.

        """
        if len(key) != KEY_BYTES:
            raise BadFrame(Text(zh="移送密钥无效", en="not the key of a draw"))
        self._cipher = cipher_of(key)
        self._site = site
        self._consignment_id = consignment_id
        self._session = session

    def sealed(self, kind: int, offset: int, plain: bytes) -> bytes:
        """Return the message that carries a piece."""
        head = ChunkHead(kind=kind, session=self._session, offset=offset, nonce=os.urandom(NONCE_BYTES))
        bound = bound_by_seal(head, self._site, self._consignment_id)
        return head.encoded + self._cipher.seal(plain, bound, head.nonce)

    def opened(self, head: ChunkHead, frame: bytes) -> bytes:
        """Return the piece that a message carries.

        Raises:
            BadFrame: it was changed on the way, or belongs elsewhere.

        """
        bound = bound_by_seal(head, self._site, self._consignment_id)
        try:
            return self._cipher.open(memoryview(frame)[HEAD_BYTES:], bound, head.nonce)
        except SealBroken as error:
            raise BadFrame(Text(zh="文件块封印不符", en="the seal of a chunk does not hold")) from error


def pack_page(page: ListPage) -> bytes:
    """Return the bytes of a page of a list.

    Raises:
        BadFrame: larger than ``LIST_PAGE_BYTES_MAX``.

    """
    packed = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(msgspec.json.encode(page))
    if len(packed) > LIST_PAGE_BYTES_MAX:
        raise BadFrame(Text(zh=f"清单页过大：{len(packed)} 字节。", en=f"a page of a list of {len(packed)} bytes"))
    return packed


def unpack_page(packed: bytes) -> ListPage:
    """Read a page of a list.

    Raises:
        BadFrame: too large, or damaged.

    """
    try:
        size = zstandard.frame_content_size(packed)
        if len(packed) > LIST_PAGE_BYTES_MAX or not 0 <= size <= LIST_PAGE_PLAIN_BYTES_MAX:
            raise BadFrame(Text(zh="清单页超过长度上限。", en=f"a page of a list would unpack to {size} bytes"))
        return _pages.decode(zstandard.ZstdDecompressor().decompress(packed, max_output_size=LIST_PAGE_PLAIN_BYTES_MAX))
    except (zstandard.ZstdError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFrame(Text(zh=f"清单页无法解读：{error}", en=f"unreadable page of a list: {error}")) from error
