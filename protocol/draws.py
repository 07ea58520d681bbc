"""Draws: how the hub fetches the files that a site has offered (since version 1.4).

The hub asks on ``dl.draw.<site>``, the site answers on ``dl.drawn.<site>.<drawer>``:

    OpenDraw   → an opening: signed by the node, with the key of this draw sealed for the hub's key
    ReadList   → a sealed page of the list of files
    ReadChunk  → a sealed range of the row of bytes (``protocol.consignments``), shorter where a file cannot be read
    any        → a word in the clear: not now, not known, this file cannot be read

Broker and relay see sizes and times, and neither names nor contents. A question that is repeated is answered again; an
answer that comes twice, or late, changes nothing.
"""

import struct
from enum import IntEnum, StrEnum
from uuid import UUID

import msgspec

from protocol.consignments import ConsignedFile, FileFault
from protocol.errors import BadFrame, BadValue
from protocol.limits import CHUNK_BYTES_MAX, LIST_PAGE_BYTES_MAX, QUESTION_BYTES_MAX
from protocol.wording import Text

OPENING_MAGIC = b"DLO1"
CHUNK_MAGIC = b"DLC1"
WORD_MAGIC = b"DLW1"
SIGNATURE_BYTES = 64
SESSION_BYTES = 16
NONCE_BYTES = 24
SEAL_BYTES = 16
KEY_BYTES = 32

OPENING_BYTES_MAX = 4 * 1024
"""Bytes of an opening or of a word."""

PLACES_MAX = 2**63
"""Where a range can begin: what a column holds of it."""

_HEAD = struct.Struct(f">4sB{SESSION_BYTES}sQ{NONCE_BYTES}s")
CHUNK_FRAME_BYTES_MAX = _HEAD.size + max(CHUNK_BYTES_MAX, LIST_PAGE_BYTES_MAX) + SEAL_BYTES
"""Bytes of the largest message of a draw."""


class _DrawQuestion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="draw"):
    drawer: str
    """Last token of the subject of the answers."""


class OpenDraw(_DrawQuestion, frozen=True, kw_only=True, omit_defaults=True, tag="open"):
    """Ask for a key under which a consignment can be drawn."""

    question: str
    """Random name, repeated in the answer."""
    consignment_id: UUID


class ReadList(_DrawQuestion, frozen=True, kw_only=True, omit_defaults=True, tag="list"):
    """Ask for the lines of the list from ``position`` on."""

    session: str
    position: int


class ReadChunk(_DrawQuestion, frozen=True, kw_only=True, omit_defaults=True, tag="chunk"):
    """Ask for a range of the row of bytes."""

    session: str
    offset: int
    size_bytes: int


DrawQuestion = OpenDraw | ReadList | ReadChunk


class Opening(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a site says of an offered consignment when a draw begins; the node's signature stands before it."""

    question: str
    site: str
    node: str
    """The node's public key."""
    consignment_id: UUID
    session: str
    """Name of the draw, 32 hex digits; gone when the node is started again."""
    sealed_key: str
    """Hex of the draw's key in an envelope for the hub's key."""
    files: int
    size_bytes: int
    list_digest: str
    """``consignments.list_digest`` of the list as it was offered."""


class DrawWordKind(StrEnum):
    """What a site says instead of bytes."""

    UNKNOWN = "unknown"
    """No such consignment is offered, or no longer."""
    GONE = "gone"
    """The draw is not known: the node was started again. Open it anew."""
    NOT_NOW = "not_now"
    """Outside the hours that the site has for this."""
    FILE = "file"
    """The file at this place cannot be read as listed."""
    REFUSED = "refused"
    """The node cannot seal anything for the hub, or the question makes no sense."""


class DrawWord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A site's word about one question, in the clear; names no file."""

    kind: str
    """A ``DrawWordKind``; one that the hub does not know is a refusal."""
    question: str = ""
    session: str = ""
    offset: int = 0
    """Of ``ReadChunk``: where the range begins that is meant."""
    position: int = 0
    """Number of the file on the list, from 0."""
    fault: FileFault | None = None
    not_before_ms: int = 0
    """When the site's hours begin, by its clock."""
    hours: str = ""
    """The site's hours as people write them, such as ``22:00-06:00``."""
    reason: Text | None = None


class Sealed(IntEnum):
    """What a sealed message holds."""

    CHUNK = 0
    """A range of the row of bytes."""
    PAGE = 1
    """zstd of the JSON of ``ListPage``."""


class ListPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Some lines of the list, in order."""

    files: tuple[ConsignedFile, ...] = ()


class ChunkHead(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What stands before sealed bytes; all of it is bound by the seal, with the site and the consignment."""

    kind: int
    """A ``Sealed``."""
    session: str
    offset: int
    """Where in the row the range begins; of a page: number of its first file."""
    nonce: bytes

    @property
    def encoded(self) -> bytes:
        """The bytes of the head."""
        return _HEAD.pack(CHUNK_MAGIC, self.kind, bytes.fromhex(self.session), self.offset, self.nonce)


HEAD_BYTES = _HEAD.size


def read_head(frame: bytes) -> ChunkHead:
    """Read the head of a sealed message.

    Raises:
        BadFrame: it is none, or too long.

    """
    if not HEAD_BYTES + SEAL_BYTES <= len(frame) <= CHUNK_FRAME_BYTES_MAX:
        raise BadFrame(Text(zh=f"文件块长度不对：{len(frame)}", en=f"a chunk of {len(frame)} bytes"))
    magic, kind, session, offset, nonce = _HEAD.unpack_from(frame)
    if magic != CHUNK_MAGIC:
        raise BadFrame(Text(zh="不是文件块", en="not a chunk"))
    return ChunkHead(kind=kind, session=session.hex(), offset=offset, nonce=nonce)


def bound_by_seal(head: ChunkHead, site: str, consignment_id: UUID) -> bytes:
    """Return what the seal of a message vouches for beside its content."""
    return b"danglian chunk 1\n" + site.encode("ascii") + b"\n" + consignment_id.bytes + head.encoded


def signed_part(opening_json: bytes) -> bytes:
    """Return the bytes that a node signs for an opening."""
    return b"danglian draw 1\n" + opening_json


_encoder = msgspec.json.Encoder()
_questions: msgspec.json.Decoder[DrawQuestion] = msgspec.json.Decoder(DrawQuestion)
_openings = msgspec.json.Decoder(Opening)
_words = msgspec.json.Decoder(DrawWord)


def encode_question(question: _DrawQuestion) -> bytes:
    """Return the bytes of a question."""
    return _encoder.encode(question)


def decode_question(raw: bytes) -> DrawQuestion:
    """Read a question.

    Raises:
        BadValue: too long, or none that this version knows.

    """
    if len(raw) > QUESTION_BYTES_MAX:
        raise BadValue(Text(zh="提问过长。", en=f"question of {len(raw)} bytes"))
    try:
        question = _questions.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadValue(Text(zh=f"提问无法解读：{error}", en=f"unreadable question: {error}")) from error
    if isinstance(question, OpenDraw):
        return question
    place = question.position if isinstance(question, ReadList) else question.offset
    if not 0 <= place < PLACES_MAX or (isinstance(question, ReadChunk) and question.size_bytes < 0):
        raise BadValue(Text(zh="提问的范围不合规。", en="a range that cannot be asked for"))
    return question


def encode_word(word: DrawWord) -> bytes:
    """Return the message of a word."""
    return WORD_MAGIC + _encoder.encode(word)


def decode_word(frame: bytes) -> DrawWord:
    """Read a word.

    Raises:
        BadFrame: it is none.

    """
    try:
        if len(frame) > OPENING_BYTES_MAX or not frame.startswith(WORD_MAGIC):
            raise BadFrame(Text(zh="不是文件移送答复", en="not a word about a draw"))
        return _words.decode(frame[len(WORD_MAGIC) :])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFrame(Text(zh="移送答复无法解读", en=f"unreadable word: {error}")) from error


def opening_json(opening: Opening) -> bytes:
    """Return the bytes of an opening without its signature."""
    return _encoder.encode(opening)


def encode_opening(signature: bytes, opening: bytes) -> bytes:
    """Return the message of an opening from its signature and its bytes."""
    return OPENING_MAGIC + signature + opening


def decode_opening(frame: bytes) -> tuple[Opening, bytes, bytes]:
    """Read an opening; return it with its signature and the bytes that were signed.

    Raises:
        BadFrame: it is none.

    """
    start = len(OPENING_MAGIC) + SIGNATURE_BYTES
    if not start < len(frame) <= OPENING_BYTES_MAX or not frame.startswith(OPENING_MAGIC):
        raise BadFrame(Text(zh="不是移送开启答复", en="not an opening"))
    encoded = frame[start:]
    try:
        return _openings.decode(encoded), frame[len(OPENING_MAGIC) : start], signed_part(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFrame(Text(zh="开启答复无法解读", en=f"unreadable opening: {error}")) from error
