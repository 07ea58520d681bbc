import msgspec
import pytest

from protocol.calls import Search, WordReading
from protocol.limits import QUERY_CHARS_MAX, QUESTION_BYTES_MAX, SEARCH_READINGS_MAX
from protocol.matching import Matcher
from protocol.plans import plan
from protocol.queries import parse
from protocol.readings import READINGS_MAX, Reading, ReadingKind
from protocol.record_facts import subject_of
from protocol.search_calls import query_of, readings_of, with_language
from protocol.wording import Text
from tests.queries import FOREST, reading

CALL = Search(asker="hub", question="q1", query="")


def read(word: str) -> list[Reading]:
    return [reading("梅溪镇", ReadingKind.PLACE), reading("皈山公社", ReadingKind.PLACE)] if word == "皈山乡" else []


def test_a_site_reads_the_very_plan_that_was_asked() -> None:
    query = parse("皈山乡 承包 -流转 题名:山林|林地")
    call = msgspec.json.decode(msgspec.json.encode(with_language(CALL, query, read)), type=Search)

    assert call.query == "皈山乡 承包"
    assert plan(query_of(call), readings_of(call)) == plan(query, read)
    assert Matcher(query_of(call), readings_of(call)).judge(subject_of(FOREST)) == Matcher(query, read).judge(
        subject_of(FOREST)
    )


def test_a_language_of_tomorrow_is_asked_in_plain_words() -> None:
    call = Search(asker="hub", question="q1", query="山林 “李四 结婚” -承包", language="|")

    assert [part.text for part in query_of(call).parts if hasattr(part, "text")] == ["山林", "李四 结婚", "-承包"]


def test_signs_in_plain_words_are_text() -> None:
    query = query_of(Search(asker="hub", question="q1", query="题名:林权 甲|乙 1986"))

    assert plan(query).is_exact
    assert plan(query).words == ()


def test_a_reading_of_tomorrow_is_left_out() -> None:
    call = Search(
        asker="hub",
        question="q1",
        query="",
        readings=(
            WordReading(word="甲", text="乙", kind="of_tomorrow"),
            WordReading(word="甲", text="丙", kind="place"),
        ),
    )

    assert readings_of(call)("甲") == [Reading(text="丙", kind=ReadingKind.PLACE, note=Text(zh="", en=""))]


@pytest.mark.parametrize("filler", ["林 ", "𠮷", "\x01a", '" '])
def test_a_question_fits_whatever_is_asked(filler: str) -> None:
    """A broker would not carry a larger one."""
    text = (filler * QUERY_CHARS_MAX)[: QUERY_CHARS_MAX - 10] + " 皈山乡"
    query = parse("“" + text + "”" if filler.startswith('"') else text)
    long = Text(zh="某" * 200, en="x" * 400)

    def wordy(_: str) -> list[Reading]:
        return [Reading(text=f"读{number}", kind=ReadingKind.PLACE, note=long) for number in range(READINGS_MAX)]

    call = with_language(CALL, query, wordy)

    assert len(msgspec.json.encode(call)) < QUESTION_BYTES_MAX
    assert len(call.readings) <= SEARCH_READINGS_MAX
    assert call.language == query.text
