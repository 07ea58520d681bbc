"""Readings over real names of places and persons."""

import csv
import random
import time
from itertools import permutations
from pathlib import Path

import pytest
from pypinyin import lazy_pinyin

from hub.vocabulary.gazetteer import Gazetteer
from hub.vocabulary.homophones import homophones
from hub.vocabulary.person_names import PersonName, person_name
from hub.vocabulary.readings import Readings
from tests.word_tables import gazetteer, synonyms, texts

SEED = 20261
PAIRS_TRIED = 5_000


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as source:
        return list(csv.DictReader(source))


def villages_of(shared_data: Path, before: int, after: int) -> Gazetteer:
    """Two editions of the list of villages as one table; the same name under another code is the same village."""
    folder = shared_data / "01_admin_divisions"
    old, new = (
        {row["code"]: row["name"] for row in rows(folder / f"anji_330523_villages_{year}.csv")}
        for year in (before, after)
    )
    codes = {name.removesuffix("委会").removesuffix("社区居"): code for code, name in new.items() if code not in old}
    lines = ["地名,代码,止,变更,去向"]
    for code, name in old.items():
        if code in new:
            lines.append(f"{name},{code},,,")
            continue
        successor = codes.get(name.removesuffix("委会").removesuffix("社区居"), "")
        lines.append(f"{name},{code},{after},{'换码' if successor else '撤销'},{successor}")
    lines += [f"{name},{code},,," for code, name in new.items() if code not in old]
    return gazetteer("\n".join(lines))


@pytest.fixture(scope="session")
def surnames(shared_data: Path) -> list[str]:
    return [row["family_name"] for row in rows(shared_data / "04_person_names/family_names_frequency_faker_zh_CN.csv")]


@pytest.fixture(scope="session")
def old_names(shared_data: Path) -> list[str]:
    return [row["name"] for row in rows(shared_data / "04_person_names/ancient_names_60k.csv")]


def test_village_changes_of_the_county_are_a_good_table(shared_data: Path) -> None:
    """The eleven villages of 2021 that were given another code are there, each with its successor."""
    found = villages_of(shared_data, 2021, 2023)
    changed = {place.written for place in found.places if place.valid_to}
    listed = rows(shared_data / "01_admin_divisions/anji_330523_village_changes_2021_to_2023.csv")

    assert changed == {row["old_name"] for row in listed if row["change"] == "removed"}
    assert sum(bool(place.successors) for place in found.places) == 11


def test_village_that_changed_its_name_is_found_by_both(shared_data: Path) -> None:
    """三官村委会 of 2019 is 三官村 since 2021; a record of the 1970s has its brigade."""
    found = villages_of(shared_data, 2019, 2021)

    assert {"三官村", "三官大队"} <= set(texts(found.readings("三官村委会")))
    assert "三官村" in texts(found.readings("三官大队"))


def test_every_village_is_found_by_its_brigade_and_the_other_way_round(shared_data: Path) -> None:
    found = villages_of(shared_data, 2021, 2023)
    villages = {place.name for place in found.places if place.name.kind == "village"}
    brigades = {name: f"{name.short or name.proper}大队" for name in villages}

    assert len(villages) > 150
    assert [
        name.proper for name, brigade in brigades.items() if brigade not in texts(found.readings(name.proper))
    ] == []
    assert [
        name.proper for name, brigade in brigades.items() if name.proper not in texts(found.readings(brigade))
    ] == []


def test_towns_of_a_province_are_read_in_little_time(shared_data: Path) -> None:
    """1,387 towns: a table a hundred times the county's; the bound is ten times what a slow machine takes."""
    towns = rows(shared_data / "01_admin_divisions/zhejiang_33_towns_2023.csv")
    began = time.perf_counter()
    found = Readings(
        gazetteer("\n".join(["地名,代码", *(f"{row['name']},{row['code']}" for row in towns)])), synonyms()
    )
    built_s = time.perf_counter() - began
    began = time.perf_counter()
    for row in towns:
        found.of(f"{row['name']}林地承包合同")
    each_s = (time.perf_counter() - began) / len(towns)

    assert (len(found.gazetteer.places), built_s < 5, each_s < 0.01) == (len(towns), True, True)


def test_names_of_today_are_names(surnames: list[str]) -> None:
    """Of 399 surnames with their frequencies, none is unknown."""
    assert [surname for surname in surnames if person_name(f"{surname}建国") is None] == []


def test_most_names_of_genealogies_are_names(old_names: list[str]) -> None:
    """The list also holds religious names and those of other peoples, which begin with no surname."""
    short = [name for name in old_names if 2 <= len(name) <= 3]
    known = sum(person_name(name) is not None for name in short)

    assert known / len(short) > 0.94


def test_names_that_sound_the_same_find_each_other(old_names: list[str]) -> None:
    """Pairs of real names of which the library itself, asked name by name, says that they sound the same.

    What is missed lies in the largest groups of sounds (ji, yi), which are cut. Characters outside GB 2312 are left
    out: they are not usual in text, and the table of variants has most of them.
    """
    names = {name.whole: name for one in old_names if (name := person_name(one)) is not None and is_usual(name.whole)}
    by_sound: dict[tuple[str, ...], list[PersonName]] = {}
    for whole, name in sorted(names.items()):
        by_sound.setdefault(tuple(lazy_pinyin(list(whole))), []).append(name)
    pairs = [pair for group in by_sound.values() for pair in permutations(group, 2)]
    tried = random.Random(SEED).sample(pairs, PAIRS_TRIED)
    missed = [pair for pair in tried if homophones(pair[0]).sound(pair[1].whole) is None]

    assert len(missed) / PAIRS_TRIED < 0.05


def is_usual(text: str) -> bool:
    return text.encode("gb2312", "ignore").decode("gb2312") == text
