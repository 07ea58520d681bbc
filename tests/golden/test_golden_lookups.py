"""What version 1.4 says about lookups is frozen, and older readers refuse it in words."""

from pathlib import Path

import msgspec
import pytest

from protocol.codec import asker_of, decode_question
from protocol.completeness import Statement, canonical
from tests.golden.lookup_messages import LOOKUP_MESSAGES

FOLDER = Path(__file__).with_name("v1.4")


@pytest.mark.parametrize("name", sorted(LOOKUP_MESSAGES))
def test_what_is_said_about_lookups_is_written_and_read_the_same_for_ever(name: str) -> None:
    message = LOOKUP_MESSAGES[name]
    frozen = (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")
    read = msgspec.json.decode(frozen, type=type(message))
    encode = canonical if isinstance(message, Statement) else msgspec.json.encode

    assert (encode(message), encode(read)) == (frozen, frozen)  # type: ignore[arg-type]


def test_a_lookup_is_a_call_of_its_own_that_names_its_asker() -> None:
    """A site of before 1.4 finds no such call and refuses it; as a ``search`` it would answer without a policy."""
    frozen = (FOLDER / "question-lookup.json").read_bytes().rstrip(b"\n")

    assert b'"call":"lookup"' in frozen
    assert (asker_of(frozen), type(decode_question(frozen)).__name__) == (("hub", "q1"), "Lookup")
