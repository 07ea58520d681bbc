"""Bytes to values and back: where the messages of the bus become JSON, with sizes checked both ways.

Readers are tolerant (unknown fields are ignored, and survive in records, which travel as raw bytes); an unknown kind
of event raises ``UnknownKind`` so that the caller can quarantine just that event.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from protocol.beats import Beat, Receipt
from protocol.calls import Answer, Correspond, Question, QuestionHead
from protocol.errors import BadFrame, BadValue, UnknownKind
from protocol.events import Event, EventHead
from protocol.frames import Frame
from protocol.limits import (
    EVENT_BYTES_MAX,
    FRAME_PLAIN_BYTES_MAX,
    LETTERS_BYTES_MAX,
    QUESTION_BYTES_MAX,
    SEQ_MAX,
)
from protocol.records import Record
from protocol.wording import Text

_encoder = msgspec.json.Encoder()
_records = msgspec.json.Decoder(Record)
_record_lists = msgspec.json.Decoder(list[Record])
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_frames = msgspec.json.Decoder(Frame)
_questions: msgspec.json.Decoder[Question] = msgspec.json.Decoder(Question)
_answers = msgspec.json.Decoder(Answer)
_beats = msgspec.json.Decoder(Beat)
_receipts = msgspec.json.Decoder(Receipt)

_Wire = TypeVar("_Wire", Answer, Beat, Receipt)

_UPGRADE = Text(
    zh="对方版本较新；升级本端后会自动重新处理。",
    en="The other end is newer; it is read again after this end is upgraded.",
)


class _Kind(msgspec.Struct, frozen=True, kw_only=True):
    """Just enough of an event to tell whether its kind is known."""

    kind: str = ""


_KNOWN_KINDS = frozenset({"described", "withdrawn", "access_changed", "baseline_marked"})


def encode_record(record: Record) -> bytes:
    """Return the bytes of a record: what is stored, digested and sent."""
    return _encoder.encode(record)


def decode_record(raw: bytes | msgspec.Raw) -> Record:
    """Read a record.

    Raises:
        BadValue: the bytes are not a record.

    """
    try:
        return _records.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadValue(Text(zh=f"著录条目无法解读：{error}", en=f"unreadable record: {error}")) from error


def decode_records(raws: Sequence[msgspec.Raw]) -> list[Record] | None:
    """Read many records in one go, or return None if one of them is not a record: then each is read by itself."""
    try:
        records = _record_lists.decode(b"".join((b"[", b",".join(raws), b"]")))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return records if len(records) == len(raws) else None


def encode_event(event: EventHead) -> bytes:
    """Return the JSON of an event.

    Raises:
        BadValue: the event is larger than ``EVENT_BYTES_MAX``.

    """
    encoded = _encoder.encode(event)
    if len(encoded) > EVENT_BYTES_MAX:
        raise BadValue(
            Text(
                zh=f"条目过大：{len(encoded)} 字节，上限 {EVENT_BYTES_MAX}。",
                en=f"event of {len(encoded)} bytes, allowed are {EVENT_BYTES_MAX}",
            ),
            Text(zh="请缩短该行的文字。", en="Shorten the texts of that row."),
        )
    return encoded


def decode_event(raw: bytes | msgspec.Raw) -> Event:
    """Read an event.

    Raises:
        UnknownKind: a kind that this version does not know.
        BadValue: a known kind whose content is wrong.

    """
    if len(memoryview(raw)) > EVENT_BYTES_MAX:
        raise BadValue(Text(zh="事件超过长度上限。", en=f"event larger than {EVENT_BYTES_MAX} bytes"))
    try:
        event = _events.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        kind = _kind_of(raw)
        if kind and kind not in _KNOWN_KINDS:
            raise UnknownKind(
                Text(zh=f"未知的事件种类：{kind}", en=f"unknown kind of event: {kind}"), _UPGRADE
            ) from error
        raise BadValue(Text(zh=f"事件无法解读：{error}", en=f"unreadable event: {error}")) from error
    if not 0 <= event.previous < event.seq <= SEQ_MAX:
        raise BadValue(Text(zh="事件序号不合规。", en=f"event positions out of order: {event.previous}, {event.seq}"))
    return event


def _kind_of(raw: bytes | msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=_Kind).kind
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def encode_frame(frame: Frame) -> bytes:
    """Return the JSON of a frame, before compression and signature."""
    return _encoder.encode(frame)


def decode_frame(plain: bytes) -> Frame:
    """Read the JSON of a frame; its events stay raw, each is read on its own.

    Raises:
        BadFrame: too large, or not a frame.

    """
    if len(plain) > FRAME_PLAIN_BYTES_MAX:
        raise BadFrame(
            Text(zh="帧解压后超过上限。", en=f"frame of {len(plain)} bytes, allowed {FRAME_PLAIN_BYTES_MAX}")
        )
    try:
        return _frames.decode(plain)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFrame(Text(zh=f"帧无法解读：{error}", en=f"unreadable frame: {error}")) from error


def encode_question(question: QuestionHead) -> bytes:
    """Return the JSON of a question.

    Raises:
        BadValue: the question is larger than its kind may be.

    """
    encoded = _encoder.encode(question)
    _check_length(encoded, question_bytes_max(type(question)))
    return encoded


def question_bytes_max(kind: type[QuestionHead]) -> int:
    """Return how many bytes a question of this kind may have."""
    return LETTERS_BYTES_MAX if kind is Correspond else QUESTION_BYTES_MAX


def _check_length(raw: bytes, bytes_max: int) -> None:
    if len(raw) > bytes_max:
        raise BadValue(Text(zh="提问过长。", en=f"question of {len(raw)} bytes, allowed {bytes_max}"))


def decode_question(raw: bytes) -> Question:
    """Read a question.

    Raises:
        UnknownKind: a call that this version does not know.
        BadValue: too large, or not a question.

    """
    _check_length(raw, LETTERS_BYTES_MAX)
    try:
        question = _questions.decode(raw)
    except msgspec.ValidationError as error:
        if "$.call" in str(error):
            raise UnknownKind(Text(zh="未知的提问种类。", en=f"unknown call: {error}"), _UPGRADE) from error
        raise BadValue(Text(zh=f"提问无法解读：{error}", en=f"unreadable question: {error}")) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadValue(Text(zh=f"提问无法解读：{error}", en=f"unreadable question: {error}")) from error
    _check_length(raw, question_bytes_max(type(question)))
    return question


class _Address(msgspec.Struct, frozen=True, kw_only=True):
    """Just enough of a question to say no to it."""

    asker: str
    question: str


def asker_of(raw: bytes) -> tuple[str, str]:
    """Return who asks and the question's name, also of a call that this version does not know.

    Raises:
        BadValue: the bytes do not say.

    """
    try:
        address = msgspec.json.decode(raw, type=_Address)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadValue(Text(zh="提问没有署名。", en=f"a question without its asker: {error}")) from error
    return address.asker, address.question


def encode(message: Answer | Beat | Receipt) -> bytes:
    """Return the JSON of an answer, a sign of life or a receipt."""
    return _encoder.encode(message)


def decode_answer(raw: bytes) -> Answer:
    """Read an answer.

    Raises:
        BadValue: the bytes are not an answer.

    """
    return _decode(_answers, raw)


def decode_beat(raw: bytes) -> Beat:
    """Read a sign of life.

    Raises:
        BadValue: the bytes are not a sign of life.

    """
    return _decode(_beats, raw)


def decode_receipt(raw: bytes) -> Receipt:
    """Read a receipt.

    Raises:
        BadValue: the bytes are not a receipt.

    """
    return _decode(_receipts, raw)


def _decode(decoder: "msgspec.json.Decoder[_Wire]", raw: bytes) -> _Wire:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadValue(Text(zh=f"消息无法解读：{error}", en=f"unreadable message: {error}")) from error
