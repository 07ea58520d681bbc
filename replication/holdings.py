"""Holdings on their way: pages between the hub and a new node of a site, packed, and checked for size before that."""

import msgspec
import zstandard

from protocol.errors import BadFrame, BadValue
from protocol.holdings import FetchHeld, HeldPage
from protocol.limits import HELD_PAGE_BYTES_MAX, HELD_PAGE_PLAIN_BYTES_MAX, QUESTION_BYTES_MAX
from protocol.wording import Text
from replication.seal import ZSTD_LEVEL

_encoder = msgspec.json.Encoder()
_pages = msgspec.json.Decoder(HeldPage)
_questions = msgspec.json.Decoder(FetchHeld)


def pack(page: HeldPage) -> bytes:
    """Return the bytes of a page.

    Raises:
        BadFrame: larger than ``HELD_PAGE_BYTES_MAX``.

    """
    packed = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(_encoder.encode(page))
    if len(packed) > HELD_PAGE_BYTES_MAX:
        raise BadFrame(Text(zh=f"页过大：{len(packed)} 字节。", en=f"a page of {len(packed)} bytes"))
    return packed


def unpack(packed: bytes) -> HeldPage:
    """Read a page.

    Raises:
        BadFrame: too large, or damaged.

    """
    try:
        size = zstandard.frame_content_size(packed)
        if len(packed) > HELD_PAGE_BYTES_MAX or not 0 <= size <= HELD_PAGE_PLAIN_BYTES_MAX:
            raise BadFrame(Text(zh="页超过长度上限。", en=f"a page would unpack to {size} bytes"))
        plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=HELD_PAGE_PLAIN_BYTES_MAX)
        return _pages.decode(plain)
    except (zstandard.ZstdError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFrame(Text(zh=f"页无法解读：{error}", en=f"unreadable page: {error}")) from error


def encode_question(question: FetchHeld) -> bytes:
    """Return the bytes of a question for a page."""
    return _encoder.encode(question)


def decode_question(raw: bytes) -> FetchHeld:
    """Read a question for a page.

    Raises:
        BadValue: too large, or not such a question.

    """
    if len(raw) > QUESTION_BYTES_MAX:
        raise BadValue(Text(zh="提问过长。", en=f"question of {len(raw)} bytes"))
    try:
        return _questions.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadValue(Text(zh=f"提问无法解读：{error}", en=f"unreadable question: {error}")) from error
