"""Readings hold what they promise for every table and every word."""

from hypothesis import given
from hypothesis import strategies as st

from hub.vocabulary.gazetteer import PLACE_READINGS_MAX
from hub.vocabulary.homophones import syllables_of
from hub.vocabulary.readings import Readings
from protocol.analysis import fold
from protocol.readings import READINGS_MAX, SOUND_ALIKES_MAX
from tests.word_tables import GROUPS, PLACES, gazetteer, readings, synonyms, texts

NAMES = [
    f"{stem}{generic}" for stem in ("东岭", "西岭", "南坡", "北坡", "大坞") for generic in ("乡", "镇", "街道", "县")
]
KNOWN = readings()
parts = st.sampled_from(
    [*PLACES.replace("\n", ",").split(","), *GROUPS.replace("\n", "、").split("、"), "傅明", "大队", "村"]
)
words = st.one_of(st.text(max_size=50), st.lists(parts, max_size=4).map("".join))
names = st.tuples(st.sampled_from("张章王傅李陈"), st.text("明伟芳国强云", min_size=1, max_size=2)).map("".join)


@st.composite
def tables(draw: st.DrawFn) -> str:
    """Places of which each became some of those behind it, so that there is no circle."""
    rows = []
    for number, name in enumerate(NAMES):
        successors = (
            draw(st.lists(st.sampled_from(NAMES[number + 1 :]), max_size=2, unique=True)) if NAMES[number + 1 :] else []
        )
        rows.append(f"{name},{'并入' if successors else ''},{'、'.join(successors)}")
    return "\n".join(["地名,变更,去向", *rows])


@given(tables())
def test_place_that_finds_another_is_found_by_it(table: str) -> None:
    """Only the cut at the most readings may part them."""
    found = gazetteer(table)
    read = {name: texts(found.readings(name)) for name in NAMES}
    whole = {name for name in NAMES if len(read[name]) < PLACE_READINGS_MAX}

    assert [(one, other) for one in whole for other in read[one] if other in whole and one not in read[other]] == []


@given(words)
def test_readings_are_bounded_different_and_never_hold_the_word(word: str) -> None:
    found = texts(KNOWN.of(word))

    assert len(found) <= READINGS_MAX
    assert len(set(found)) == len(found)
    assert [one for one in found if fold(word).strip() in one] == []
    assert [one for one in found if fold(one) != one] == []


@given(words)
def test_readings_of_the_same_word_are_the_same(word: str) -> None:
    assert KNOWN.of(word) == Readings(gazetteer(), synonyms()).of(word)


@given(names)
def test_homophones_are_bounded_and_sound_alike(name: str) -> None:
    found = KNOWN.homophones(name)
    assert found is not None
    assert "".join(alike.character for alike in found.characters) == found.name
    for alike in found.characters:
        assert len(alike.same) <= SOUND_ALIKES_MAX
        assert all(set(syllables_of(other)) & set(syllables_of(alike.character)) for other in alike.same)
        assert not any(set(syllables_of(other)) & set(syllables_of(alike.character)) for other in alike.near)


@given(st.sampled_from([word for group in synonyms().groups for word in group.words]))
def test_equal_words_are_equal_in_both_directions(word: str) -> None:
    """But for words that hold each other: who looks for the shorter one finds the longer one anyway."""
    known = synonyms()

    assert [
        other for other in texts(known.readings(word)) if other not in word and word not in texts(known.readings(other))
    ] == []
