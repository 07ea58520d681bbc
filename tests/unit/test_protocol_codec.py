"""The codec: tolerant of the future, strict about sizes and nonsense."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import codec
from protocol.errors import BadFrame, BadValue, UnknownKind
from protocol.limits import EVENT_BYTES_MAX, FRAME_EVENTS_MAX, QUESTION_BYTES_MAX
from tests.builders import described
from tests.catalogue import fictitious
from tests.golden.messages import FRAME


def test_an_unknown_kind_is_told_from_a_damaged_event() -> None:
    with pytest.raises(UnknownKind) as unknown:
        codec.decode_event(b'{"kind":"volume_rebound","seq":2,"previous":1,"at_ms":0}')
    with pytest.raises(BadValue):
        codec.decode_event(b'{"kind":"withdrawn","seq":2,"previous":1,"at_ms":0,"record_id":"not a uuid"}')
    assert "volume_rebound" in unknown.value.reason.en


@pytest.mark.parametrize(("seq", "previous"), [(0, 0), (3, 3), (3, 4), (-1, -2), (2**60, 1)])
def test_positions_that_cannot_be_true_are_refused(seq: int, previous: int) -> None:
    raw = codec.encode_event(msgspec.structs.replace(described(), seq=seq, previous=previous))
    with pytest.raises(BadValue):
        codec.decode_event(raw)


def test_oversized_messages_are_refused_by_reader_and_writer() -> None:
    with pytest.raises(BadValue):
        codec.decode_event(b" " * (EVENT_BYTES_MAX + 1))
    with pytest.raises(BadValue):
        codec.decode_question(b" " * (QUESTION_BYTES_MAX + 1))
    with pytest.raises(BadFrame):
        codec.decode_frame(b" " * (5 * 1024 * 1024))


def test_a_frame_of_too_many_events_or_none_is_refused() -> None:
    event = msgspec.json.encode(described(seq=1)).decode()
    head = '{"site":"330523108204","node":"U","epoch":"e","previous":0,"last":9,"events":'
    many = f"{head}[{','.join([event] * (FRAME_EVENTS_MAX + 1))}]}}"
    for text in (f"{head}[]}}", many, head.replace('"last":9', '"last":0') + f"[{event}]}}"):
        with pytest.raises(BadFrame):
            codec.decode_frame(text.encode())


def test_an_empty_catch_up_frame_is_allowed() -> None:
    text = '{"site":"330523108204","node":"U","epoch":"e","previous":1,"last":9,"catch_up":true,"events":[]}'
    assert codec.decode_frame(text.encode()).last == 9


def test_an_unknown_call_is_told_from_a_damaged_question() -> None:
    with pytest.raises(UnknownKind):
        codec.decode_question(b'{"call":"copy","asker":"hub","question":"00"}')
    with pytest.raises(BadValue):
        codec.decode_question(b'{"call":"get","asker":"hub","question":"00","record_id":5}')


@given(st.binary(max_size=300))
def test_no_bytes_make_a_reader_fail_in_another_way(raw: bytes) -> None:
    for read in (
        codec.decode_event,
        codec.decode_question,
        codec.decode_answer,
        codec.decode_beat,
        codec.decode_receipt,
    ):
        with pytest.raises((BadValue, UnknownKind)):
            read(raw)
    with pytest.raises(BadFrame):
        codec.decode_frame(raw)


@given(st.integers(0, 4000), st.integers(0, 255))
def test_no_flipped_byte_in_a_frame_makes_a_reader_fail_in_another_way(place: int, value: int) -> None:
    plain = bytearray(codec.encode_frame(FRAME))
    plain[place % len(plain)] = value
    try:
        frame = codec.decode_frame(bytes(plain))
    except BadFrame:
        return
    for raw in frame.events:
        try:
            assert codec.decode_event(raw).seq > 0
        except (BadValue, UnknownKind) as error:
            assert error.reason.zh  # noqa: PT017 - either outcome is right, any other exception is not


def test_many_records_are_read_at_once_or_none_of_them() -> None:
    good = [msgspec.Raw(codec.encode_record(fictitious(number))) for number in range(3)]

    assert codec.decode_records(good) == [codec.decode_record(raw) for raw in good]
    assert codec.decode_records([]) == []
    for bad in (b"{}", b"", b'"', b"null", b"[]", b'{"title":"\xff"}', bytes(good[0]) + b"," + bytes(good[1])):
        assert codec.decode_records([*good, msgspec.Raw(bad)]) is None
