"""Characters that sound alike."""

import subprocess
import sys

import pytest

from hub.vocabulary.homophones import homophones, near_syllables, sound_alikes, syllables_of
from hub.vocabulary.person_names import person_name
from protocol.readings import SOUND_ALIKES_MAX, Homophones, ReadingKind, Sound


def of(word: str) -> Homophones:
    name = person_name(word)
    assert name is not None
    return homophones(name)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("王伟", "汪玮"),
        ("张明", "章铭"),
        ("陈建国", "程建国"),
        ("曾艳", "曾燕"),
        ("徐丽华", "许莉华"),
        ("欧阳建国", "欧阳健国"),
        ("朱志强", "诸智强"),
    ],
)
def test_names_that_sound_alike_find_each_other(name: str, other: str) -> None:
    assert of(name).sound(other) is not None
    assert of(other).sound(name) is not None


@pytest.mark.parametrize(
    ("name", "other", "sound"),
    [
        ("王伟", "汪玮", Sound.SAME),
        ("王伟", "黄伟", Sound.NEAR),
        ("陈英", "陈音", Sound.NEAR),
        ("张山", "章商", Sound.NEAR),
        ("王伟", "王伟", None),
        ("王伟", "李伟", None),
        ("王伟", "王伟民", None),
    ],
)
def test_likeness_of_a_whole_name_is_that_of_its_least_like_character(
    name: str, other: str, sound: Sound | None
) -> None:
    assert of(name).sound(other) is sound


def test_name_that_was_found_by_its_sound_is_a_reading_with_its_reason() -> None:
    same, near = of("王伟").reading("汪玮"), of("王伟").reading("黄伟")

    assert same is not None
    assert near is not None
    assert (same.kind, same.note.zh) == (ReadingKind.HOMOPHONE, "“汪玮”与“王伟”同音")
    assert near.note.en == "黄伟 sounds nearly like 王伟"
    assert of("王伟").reading("李伟") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("zhang", "zang"),
        ("chen", "cheng"),
        ("shi", "si"),
        ("ning", "ling"),
        ("fu", "hu"),
        ("fang", "huang"),
        ("ru", "lu"),
        ("lan", "lang"),
        ("jin", "jing"),
        ("lian", "liang"),
        ("wang", "huang"),
        ("nv", "lv"),
        ("guan", "guang"),
        ("yin", "ying"),
    ],
)
def test_sounds_that_people_mix_up_are_near_in_both_directions(one: str, other: str) -> None:
    assert other in near_syllables(one)
    assert one in near_syllables(other)


def test_reading_of_a_surname_counts() -> None:
    assert syllables_of("曾") == ("ceng", "zeng")
    assert syllables_of("单") == ("dan", "shan")


def test_other_surnames_come_first_in_the_place_of_a_surname() -> None:
    assert of("陈明").characters[0].same[0] in "谌晨"
    assert of("张明").characters[0].same[0] == "章"


def test_alikes_are_bounded_usual_and_neither_double_nor_the_character_itself() -> None:
    for character in "一易知世吉于王":
        found = sound_alikes(character)
        together = found.same + found.near
        assert len(found.same) <= SOUND_ALIKES_MAX
        assert len(found.near) <= SOUND_ALIKES_MAX
        assert len(set(together)) == len(together)
        assert character not in together
        assert together.encode("gb2312")


def test_character_without_a_reading_sounds_like_nothing() -> None:
    assert sound_alikes("\ue000").same == ""


def test_table_of_sounds_is_not_read_at_import_and_its_phrases_never() -> None:
    """Commands that look for no name do not pay for it."""
    program = (
        "import sys, hub.vocabulary.readings, hub.vocabulary.homophones as h\n"
        "assert 'pypinyin' not in sys.modules\n"
        "h.sound_alikes('王')\n"
        "assert 'pypinyin' in sys.modules and 'pypinyin.phrases_dict' not in sys.modules\n"
    )
    run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=30)

    assert (run.returncode, run.stderr) == (0, "")
