"""Sealing frames: compress, sign, check. The layout of a sealed frame stands in ``protocol.frames``."""

from collections.abc import Collection

import zstandard

from protocol.codec import decode_frame, encode_frame
from protocol.errors import BadFrame
from protocol.frames import FORMAT, HEADER_BYTES, SIGNED_PREFIX, Frame
from protocol.limits import FRAME_BYTES_MAX, FRAME_PLAIN_BYTES_MAX
from protocol.wording import Text
from replication.keys import Identity, verified

ZSTD_LEVEL = 1
"""75.0 bytes an event of real titles; level 3 has 75.2 for a third more time, higher ones save 7 % for five times."""

_FOREIGN = Text(
    zh="请核对该站密钥；若站点换了电脑，请重新登记（enrol）。",
    en="Check the site's keys; a site that got a new PC must be enrolled again.",
)


def seal(frame: Frame, identity: Identity) -> bytes:
    """Return the bytes of a frame as they are stored, sent and carried.

    Raises:
        BadFrame: larger than ``FRAME_BYTES_MAX``; the caller divides the events over more frames.

    """
    packed = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(encode_frame(frame))
    size = HEADER_BYTES + len(packed)
    if size > FRAME_BYTES_MAX:
        raise BadFrame(Text(zh=f"帧过大：{size} 字节。", en=f"frame of {size} bytes, allowed are {FRAME_BYTES_MAX}"))
    return b"".join((FORMAT, identity.sign(SIGNED_PREFIX + packed), packed))


def unseal(sealed: bytes, keys: Collection[str]) -> Frame:
    """Return the frame if one of ``keys`` signed it and it says so itself.

    Raises:
        BadFrame: too large, damaged, of another format, or not signed by one of the keys.

    """
    if not HEADER_BYTES < len(sealed) <= FRAME_BYTES_MAX:
        raise BadFrame(Text(zh=f"帧长度不合规：{len(sealed)} 字节。", en=f"sealed frame of {len(sealed)} bytes"))
    if sealed[: len(FORMAT)] != FORMAT:
        raise BadFrame(
            Text(zh="不是可识别的帧格式。", en=f"unknown frame format {sealed[: len(FORMAT)]!r}"),
            Text(zh="对方版本可能较新，请升级本端。", en="The other end may be newer: upgrade this end."),
        )
    signature, packed = sealed[len(FORMAT) : HEADER_BYTES], sealed[HEADER_BYTES:]
    signer = next((key for key in keys if verified(key, signature, SIGNED_PREFIX + packed)), None)
    if signer is None:
        raise BadFrame(
            Text(zh="帧签名无效或不是本站登记的密钥。", en="no enrolled key of the site signed this frame"), _FOREIGN
        )
    frame = decode_frame(_unpacked(packed))
    if frame.node != signer:
        raise BadFrame(Text(zh="帧自称的节点与签名不符。", en="the frame names another node than its signer"), _FOREIGN)
    return frame


def _unpacked(packed: bytes) -> bytes:
    # The size is checked before anything is unpacked: a small message must not fill the memory.
    try:
        size = zstandard.frame_content_size(packed)
        if not 0 <= size <= FRAME_PLAIN_BYTES_MAX:
            raise BadFrame(Text(zh="帧解压后超过上限或未注明长度。", en=f"frame would unpack to {size} bytes"))
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=FRAME_PLAIN_BYTES_MAX)
    except zstandard.ZstdError as error:
        raise BadFrame(Text(zh="帧数据损坏，无法解压。", en=f"damaged frame: {error}")) from error
