"""Transfers between two sites: the county's hub carries their steps and their files from one to the other. Pure values.

Nodes never speak to each other. The hub takes each step of either party, looks at its seal with the keys that are
enrolled for that party now, and gives it on inside a ``RelayedStep``: what it vouches for, it signs. The step itself
stays sealed by whoever wrote it.

Files go the same way where no courier carries them: the receiver asks the hub for stretches of the consignment, on the
subject on which a site may ask the hub (``dl.fetch``), and hears them where a site hears the hub (``dl.held``). Every
stretch is sealed for the key of the installation that asked; what the files must be is said by the list whose digest
the giver sealed into its step, so the hub can change none of them.
"""

from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from protocol.errors import BadValue
from protocol.transfers import SealedStep
from protocol.wording import Text

RELAYED_KIND: Final = "transfer_relayed"
"""Kind of the letters by which the hub gives a step of one site on to the other."""

RELAY_PREFIX: Final = b"danglian relayed step 1\n"
"""What stands before the bytes that the hub signs."""

STRETCH_BYTES_MAX: Final = 256 * 1024
"""Bytes of files in one answer."""

ASKED_MARK: Final = b"DLP1"
"""What a question about files begins with: the subject also carries the questions of nodes that are restored."""

KEYS_MAX: Final = 16
"""Installations of one site that may write at the same time."""


class Vouched(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the hub says of a step that it gives on."""

    transfer: UUID
    digest: str
    """Of the step's bytes (``transfer_codec.step_digest``)."""
    site: str
    """Site code of who wrote it."""
    keys: tuple[str, ...]
    """The keys that may write for that site now."""


class RelayedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the other party, with what the hub vouches for."""

    sealed: SealedStep
    vouched: bytes
    """JSON of ``Vouched``: the exact bytes that are signed."""
    seal: bytes
    """Ed25519 by the hub over ``RELAY_PREFIX`` and ``vouched``."""


class PassQuestion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The receiver asks for a page of the list of files, or for a stretch of their bytes."""

    question: str
    """Random name of the question."""
    site: str
    key: str
    """Public key for which the answer is sealed; one of the site's own."""
    transfer: UUID
    round: int
    position: int = -1
    """Number of the first line that is wanted of the list; -1: bytes are wanted."""
    offset: int = 0
    """Where the stretch begins in the row of all bytes."""
    size_bytes: int = 0


class PassWord(StrEnum):
    """What the hub says to a question."""

    HERE = "here"
    NOT_YET = "not_yet"
    """The hub is still fetching the files from the giver."""
    GONE = "gone"
    """There is nothing to be had: another round, another site's transfer, or all of it was given on before."""


class Passed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The hub's answer."""

    question: str
    word: PassWord
    done_bytes: int = 0
    """With ``not_yet``: what the hub has fetched so far."""
    total_bytes: int = 0
    files: int = 0
    """Lines of the whole list."""
    sealed: bytes = b""
    """Sealed for the key: a page of the list, or the bytes."""


_questions = msgspec.json.Decoder(PassQuestion)
_answers = msgspec.msgpack.Decoder(Passed)


def is_asked(raw: bytes) -> bool:
    """Tell whether a message on ``dl.fetch`` is a question about files."""
    return raw.startswith(ASKED_MARK)


def encode_asked(question: PassQuestion) -> bytes:
    """Return the message of a question."""
    return ASKED_MARK + msgspec.json.encode(question)


def decode_asked(raw: bytes) -> PassQuestion:
    """Read a question.

    Raises:
        BadValue: it is none.

    """
    try:
        asked = _questions.decode(raw[len(ASKED_MARK) :])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadValue(Text(zh="提取请求无法解读。", en=f"not a question about files: {error}")) from error
    if asked.offset < 0 or not 0 <= asked.size_bytes <= STRETCH_BYTES_MAX:
        raise BadValue(Text(zh="提取范围不合规。", en="a stretch that cannot be asked for"))
    return asked


def encode_passed(answer: Passed) -> bytes:
    """Return the message of an answer; msgpack, because it is bytes for the most part."""
    return ASKED_MARK + msgspec.msgpack.encode(answer)


def decode_passed(raw: bytes) -> Passed:
    """Read an answer.

    Raises:
        BadValue: it is none.

    """
    try:
        return _answers.decode(raw[len(ASKED_MARK) :])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadValue(Text(zh="提取答复无法解读。", en=f"not an answer about files: {error}")) from error
