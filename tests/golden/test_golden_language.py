"""What version 1.2 adds is frozen, and partners of 1.0 and 1.1 still understand it."""

from pathlib import Path

import msgspec
import pytest

from protocol.calls import Search
from protocol.search_calls import query_of
from tests.golden.language_messages import LANGUAGE_MESSAGES
from tests.golden.messages import MESSAGES

FOLDER = Path(__file__).with_name("v1.2")


def frozen(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("name", sorted(LANGUAGE_MESSAGES))
def test_what_version_1_2_adds_is_written_and_read_the_same_for_ever(name: str) -> None:
    message = LANGUAGE_MESSAGES[name]
    read = msgspec.json.decode(frozen(name), type=type(message))

    assert (msgspec.json.encode(message), msgspec.json.encode(read)) == (frozen(name), frozen(name))


def test_every_golden_file_of_1_2_belongs_to_a_message() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(LANGUAGE_MESSAGES)


def test_what_is_added_stands_behind_what_a_site_of_1_1_knows() -> None:
    """Such a site leaves it out and finds the plain words there, as it always did."""
    known = msgspec.json.decode(frozen("question-search-language"))

    assert list(known)[-2:] == ["language", "readings"]
    assert known["query"] == "皈山乡 承包"


def test_reasons_have_what_a_hub_of_1_1_knows() -> None:
    hit = msgspec.json.decode(frozen("answer-search-language"))["body"]["hits"][0]

    assert [list(match)[:2] for match in hit["matches"]] == [["field", "how"], ["field", "how"]]


def test_a_question_of_an_older_hub_is_asked_in_plain_words() -> None:
    question = msgspec.convert(msgspec.to_builtins(MESSAGES["question-search"]), Search)

    assert (question.language, question.readings) == ("", ())
    assert query_of(question).plain_words == question.query
