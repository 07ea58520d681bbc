"""Equal words: what one is also read as, and which tables are refused."""

import pytest

from hub.vocabulary.county_tables import BadTable
from hub.vocabulary.synonyms import GROUPS_MAX, WORDS_MAX
from tests.word_tables import synonyms, texts


def test_word_is_read_as_the_others_of_its_group() -> None:
    """林权 is not read as 山林权, which holds it."""
    assert texts(synonyms().readings("山林权")) == ["林权", "山林所有权"]
    assert texts(synonyms().readings("林权")) == ["山林所有权"]


def test_word_inside_a_longer_one_is_replaced_there() -> None:
    assert texts(synonyms().readings("荒山承包合同")) == ["林地承包合同", "山林承包合同"]


def test_longest_word_wins() -> None:
    """In 林地承包 the group of 承包 is not asked."""
    assert texts(synonyms().readings("林地承包")) == ["山林承包", "荒山承包"]


def test_groups_that_share_a_word_are_not_joined() -> None:
    found = synonyms("词语\n林权、山权\n林权、树权\n")

    assert texts(found.readings("林权")) == ["山权", "树权"]
    assert texts(found.readings("山权")) == ["林权"]


def test_reason_names_both_words() -> None:
    note = synonyms().readings("山林权")[0].note

    assert (note.zh, note.en) == (
        "“林权”与“山林权”同义（县同义词表）",
        "林权 equals 山林权 (the county's table of synonyms)",
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("林权", f"一组应有 2 至 {WORDS_MAX} 个词语"),
        ("、".join(f"词语{number}" for number in range(WORDS_MAX + 1)), f"一组应有 2 至 {WORDS_MAX} 个词语"),
        ("林权、权", "不能用作词语“权”"),
        ("林权、山林 权属", "不能用作词语“山林 权属”"),
        ("林权、林權", "“林權”写了两次"),
        ("", "不能为空"),
    ],
)
def test_faulty_group_is_refused(row: str, reason: str) -> None:
    with pytest.raises(BadTable) as refused:
        synonyms(f"词语,说明\n好词、善词,\n{row},甲\n")

    assert [(one.line, one.reason.zh) for one in refused.value.faults] == [(3, reason)]


def test_word_of_too_many_groups_is_refused() -> None:
    rows = "".join(f"林权、词语{number}\n" for number in range(GROUPS_MAX + 1))
    with pytest.raises(BadTable) as refused:
        synonyms(f"词语\n{rows}")

    assert [(one.line, one.reason.zh) for one in refused.value.faults] == [(GROUPS_MAX + 2, "“林权”已在 6 组中")]
