"""What was ever released is frozen: its bytes are read and written the same for ever."""

from pathlib import Path

import msgspec
import pytest

from protocol import codec
from protocol.beats import Want
from protocol.calls import QuestionHead
from protocol.events import EventHead
from replication.seal import seal, unseal
from tests.builders import identity
from tests.golden.brake_messages import BRAKE_MESSAGES
from tests.golden.file_messages import FILE_MESSAGES
from tests.golden.later_messages import LATER_MESSAGES
from tests.golden.letter_messages import LETTER_MESSAGES
from tests.golden.messages import FRAME, MESSAGES, RECORD

FOLDER = Path(__file__).with_name("v1.0")
LATER = Path(__file__).with_name("v1.1")


def written(message: msgspec.Struct) -> bytes:
    """Return the bytes under which a message travels."""
    return msgspec.json.encode(message)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_message_is_written_as_version_1_wrote_it(name: str) -> None:
    assert written(MESSAGES[name]) == (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_message_of_version_1_is_read_whole(name: str) -> None:
    raw = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(raw, type=type(MESSAGES[name]))
    assert written(read) == raw


@pytest.mark.parametrize("name", sorted(LATER_MESSAGES))
def test_what_version_1_1_adds_is_written_and_read_the_same_for_ever(name: str) -> None:
    raw = (LATER / f"{name}.json").read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(raw, type=type(LATER_MESSAGES[name]))
    assert (written(LATER_MESSAGES[name]), written(read)) == (raw, raw)


def test_an_unknown_wish_of_a_later_hub_is_no_wish_and_the_receipt_counts() -> None:
    """A receipt that cannot be read would keep the outbox full for ever."""
    raw = (FOLDER / "receipt.json").read_bytes().replace(b'"want":"baseline"', b'"want":"of_tomorrow"')
    read = codec.decode_receipt(raw)
    assert (read.applied, read.want) == (4, Want.NOTHING)


@pytest.mark.parametrize(
    ("name", "word"), [("event-withdrawn", b'"cause":"'), ("event-access-changed", b'"access_status":"')]
)
def test_a_word_of_tomorrow_withdraws_and_closes_and_is_written_again_as_it_came(name: str, word: bytes) -> None:
    """An event of a known kind that could not be read would take effect only after an upgrade (promise 7)."""
    raw = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    later = raw.replace(word, word + b"of_tomorrow_", 1)
    read = codec.decode_event(later)
    assert later != raw
    assert (codec.encode_event(read), type(read)) == (later, type(MESSAGES[name]))


def test_every_golden_file_belongs_to_a_message() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MESSAGES)


@pytest.mark.parametrize("name", sorted(LATER_MESSAGES))
def test_later_message_is_written_and_read_as_it_was_first_released(name: str) -> None:
    raw = (LATER / f"{name}.json").read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(raw, type=type(LATER_MESSAGES[name]))
    assert (written(LATER_MESSAGES[name]), written(read)) == (raw, raw)


def test_every_later_golden_file_belongs_to_a_message() -> None:
    assert {path.stem for path in LATER.glob("*.json")} == set(LATER_MESSAGES)


def test_sealed_frame_of_version_1_is_opened() -> None:
    sealed = (FOLDER / "frame.sealed").read_bytes()
    assert written(unseal(sealed, [identity(1).public_key])) == written(FRAME)


def test_sealing_now_gives_a_frame_that_opens_to_the_same() -> None:
    assert written(unseal(seal(FRAME, identity(1)), [identity(1).public_key])) == written(FRAME)


def test_a_field_of_a_later_version_survives_inside_a_record() -> None:
    """A record is stored and forwarded as raw bytes, so a hub of today keeps what a node of tomorrow wrote."""
    raw = codec.encode_record(RECORD).replace(b'"version":2', b'"version":2,"shelf_mark":"A-3"')
    event = (FOLDER / "event-described.json").read_bytes().rstrip(b"\n").replace(codec.encode_record(RECORD), raw)
    read = codec.decode_event(event)
    assert b'"shelf_mark":"A-3"' in codec.encode_event(read)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_an_unknown_field_disturbs_no_reader(name: str) -> None:
    raw = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    extended = raw[:-1] + b',"of_tomorrow":{"a":[1]}}'
    assert msgspec.json.decode(extended, type=type(MESSAGES[name])) == MESSAGES[name]


def test_every_kind_that_travels_has_a_golden_message() -> None:
    kinds = {
        type(message)
        for message in (
            *MESSAGES.values(),
            *LATER_MESSAGES.values(),
            *BRAKE_MESSAGES.values(),
            *LETTER_MESSAGES.values(),
            *FILE_MESSAGES.values(),
        )
    }
    events = set(EventHead.__subclasses__())
    questions = set(QuestionHead.__subclasses__())
    assert events | questions <= kinds
