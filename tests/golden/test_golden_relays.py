"""What transfers between two sites add to the wire is written and read the same for ever."""

from pathlib import Path

import msgspec
import pytest

from protocol.relays import Passed, PassWord, decode_asked, decode_passed, encode_asked, encode_passed
from protocol.transfers import Opened, Step, Submitted
from tests.golden.relay_messages import RELAY_MESSAGES

FOLDER = Path(__file__).with_name("v1.5")
PASSED = Passed(question="0123456789abcdef", word=PassWord.HERE, total_bytes=9, files=1, sealed=b"box")


@pytest.mark.parametrize("name", sorted(RELAY_MESSAGES))
def test_what_two_sites_add_to_version_1_5_is_written_and_read_the_same_for_ever(name: str) -> None:
    message = RELAY_MESSAGES[name]
    frozen = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(frozen, type=type(message))

    assert (msgspec.json.encode(message), msgspec.json.encode(read)) == (frozen, frozen)


def test_a_question_and_an_answer_about_files_bear_their_mark() -> None:
    question = RELAY_MESSAGES["relay-question"]
    frozen = (FOLDER / "relay-passed.bin").read_bytes()

    assert encode_passed(PASSED) == frozen
    assert (decode_passed(frozen), encode_asked(question)[:4]) == (PASSED, b"DLP1")  # type: ignore[arg-type]
    assert decode_asked(encode_asked(question)) == question  # type: ignore[arg-type]


def test_a_reader_of_1_4_reads_the_steps_and_leaves_out_what_is_new() -> None:
    """Fields are added with defaults: whoever does not know them sees the step that it always saw."""
    for name, field in (("relay-opened-hosted", "host"), ("relay-submitted-by-disk", "by_disk")):
        raw = msgspec.json.decode((FOLDER / f"{name}.json").read_bytes())
        del raw["what"][field]
        what = msgspec.convert(raw, Step).what
        assert isinstance(what, Opened | Submitted)
        assert not getattr(what, field)
