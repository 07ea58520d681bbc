"""The county's tables in the hub's home: versions in force, and the commands that people type."""

import errno
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from hub.__main__ import main
from hub.backup.backup_contents import small_files
from hub.config import load
from hub.home import HubHome, home_at
from hub.vocabulary.county_tables import BadTable
from hub.vocabulary.word_tables import (
    LOOK_AGAIN_S,
    SHIPPED,
    VERSIONS_MAX,
    ReadingsInForce,
    gazetteer_table,
    synonym_table,
)
from protocol.errors import BadValue, StorageFull
from tests.word_tables import GROUPS, PLACES, sheet, texts

Command = Callable[..., tuple[int, str]]
OTHER = "地名,变更,去向\n甲山乡,改名,乙山乡\n乙山乡,,\n"
BROKEN = "地名,变更,去向\n甲山乡,改名,乙山乡\n丙,,\n"


@pytest.fixture
def home(tmp_path: Path) -> HubHome:
    """The home of a new hub."""
    arguments = ["init", "--home", str(tmp_path / "hub"), "--county", "999901000000", "--name", "某县档案馆"]
    assert main(arguments) == 0
    return home_at(tmp_path / "hub")


@pytest.fixture
def command(home: HubHome, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command on the home; gives its exit code and all that it printed."""
    capsys.readouterr()

    def run(*arguments: str) -> tuple[int, str]:
        code = main([*arguments, "--home", str(home.root)])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def as_json(told: tuple[int, str]) -> Any:  # noqa: ANN401 - a test looks into whatever was printed
    return json.loads(told[1])


# Versions


def test_new_hub_reads_what_the_package_ships_and_has_it_to_edit(home: HubHome) -> None:
    number, gazetteer = gazetteer_table(home).in_force()

    assert number == SHIPPED
    assert texts(gazetteer.readings("孝丰县")) == ["安吉县"]
    assert "皈山乡" in gazetteer_table(home).edited.read_text(encoding="utf-8-sig")


def test_shipped_tables_are_good(home: HubHome) -> None:
    """And what people edit is what is shipped, so that nothing changes when it is loaded as it is."""
    for table in (gazetteer_table(home), synonym_table(home)):
        read, _ = table.checked(table.edited)
        assert len(read.rows) > 10


def test_home_of_an_earlier_version_has_no_tables_and_needs_none(tmp_path: Path) -> None:
    assert ReadingsInForce(home_at(tmp_path), lambda: 0.0).current().of("皈山乡") != ()


def test_init_never_writes_over_what_was_edited(home: HubHome) -> None:
    table = gazetteer_table(home)
    table.edited.write_text(OTHER, encoding="utf-8")
    table.provide()

    assert table.edited.read_text(encoding="utf-8") == OTHER


def test_taken_table_is_in_force_and_the_older_one_can_be_put_back(home: HubHome) -> None:
    table = gazetteer_table(home)
    taken = [table.take(sheet(PLACES)).number, table.take(sheet(OTHER)).number, table.take_again(1).number]
    number, gazetteer = table.in_force()

    assert taken == [1, 2, 3]
    assert (number, len(gazetteer.places)) == (3, 10)
    assert [version.number for version in table.versions()] == [3, 2, 1, SHIPPED]


def test_shipped_table_can_be_put_back(home: HubHome) -> None:
    table = synonym_table(home)
    table.take(sheet(GROUPS))

    assert table.take_again(SHIPPED).number == 2
    assert table.in_force()[1].names("宅基地")


def test_version_that_is_not_there_is_refused(home: HubHome) -> None:
    with pytest.raises(BadValue):
        gazetteer_table(home).take_again(7)


def test_broken_table_is_never_in_force(home: HubHome) -> None:
    table = gazetteer_table(home)
    table.take(sheet(PLACES))
    with pytest.raises(BadTable):
        table.take(sheet(BROKEN))

    assert table.newest() == 1


def test_version_that_the_disk_has_spoilt_is_passed_over(home: HubHome) -> None:
    table = gazetteer_table(home)
    table.take(sheet(PLACES))
    table.take(sheet(OTHER))
    (home.words / "versions" / "gazetteer-0002.csv").write_bytes(b"\0\0\0\0")

    assert table.in_force()[0] == 1


def test_old_versions_go_and_numbers_are_never_used_again(home: HubHome) -> None:
    table = gazetteer_table(home)
    numbers = [table.take(sheet(OTHER)).number for _ in range(VERSIONS_MAX + 2)]

    assert numbers[-1] == VERSIONS_MAX + 2
    assert [version.number for version in table.versions()][-2:] == [3, SHIPPED]


def test_full_disk_leaves_the_old_table_and_no_half_of_a_new_one(
    home: HubHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = gazetteer_table(home)
    table.take(sheet(PLACES))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        table.take(sheet(OTHER))

    assert [path.name for path in (home.words / "versions").iterdir()] == ["gazetteer-0001.csv"]


def test_two_who_load_at_once_both_get_a_version(home: HubHome) -> None:
    table = gazetteer_table(home)
    with ThreadPoolExecutor(4) as threads:
        numbers = list(threads.map(lambda _: table.take(sheet(OTHER)).number, range(12)))

    assert sorted(numbers) == list(range(1, 13))


def test_running_hub_takes_a_new_version_over_without_a_restart(home: HubHome) -> None:
    now = 100.0
    running = ReadingsInForce(home, lambda: now)
    before = running.current()
    gazetteer_table(home).take(sheet(OTHER))
    still = running.current()
    now += LOOK_AGAIN_S
    after = running.current()

    assert still is before
    assert texts(before.of("甲山乡"))[0] == "甲山公社"
    assert texts(after.of("甲山乡"))[0] == "乙山乡"
    assert running.current() is after


def test_backup_holds_the_tables(home: HubHome) -> None:
    """What the county decided about words comes back with its hub."""
    gazetteer_table(home).take(sheet(PLACES))
    kept = small_files(home, load(home.settings))

    assert {"words/gazetteer.csv", "words/synonyms.csv", "words/versions/gazetteer-0001.csv"} <= kept.keys()


# Commands


def test_edited_table_is_checked_and_loaded(home: HubHome, command: Command) -> None:
    gazetteer_table(home).edited.write_text(OTHER, encoding="utf-8")

    assert as_json(command("gazetteer", "check", "--json")) | {"file": ""} == {
        "table": "gazetteer",
        "file": "",
        "entries": 2,
        "version": None,
        "faults": [],
        "reason": None,
    }
    assert as_json(command("gazetteer", "load", "--json"))["version"] == 1
    assert as_json(command("gazetteer", "show", "甲山乡", "--json"))["readings"][0]["text"] == "乙山乡"


def test_workbook_is_loaded(home: HubHome, command: Command, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["词语", "说明"], ["林权、山权", "甲"]):
        book.active.append(row)
    book.save(tmp_path / "words.xlsx")

    assert command("synonyms", "load", str(tmp_path / "words.xlsx"))[0] == 0
    assert as_json(command("synonyms", "show", "山权", "--json")) == {
        "word": "山权",
        "version": 1,
        "readings": [
            {
                "text": "林权",
                "kind": "synonym",
                "note": {
                    "zh": "“林权”与“山权”同义（县同义词表）",
                    "en": "林权 equals 山权 (the county's table of synonyms)",
                },
            }
        ],
    }


@pytest.mark.parametrize("action", ["check", "load"])
def test_refused_table_names_its_faults_and_leaves_the_old_one(
    home: HubHome, command: Command, tmp_path: Path, action: str
) -> None:
    (tmp_path / "bad.csv").write_text(BROKEN, encoding="utf-8")
    code, told = command("gazetteer", action, str(tmp_path / "bad.csv"))
    refused = as_json(command("gazetteer", action, str(tmp_path / "bad.csv"), "--json"))

    assert code == 1
    assert "bad.csv 第 3 行“地名”列：不是地名" in told
    assert "原来的表仍然有效" in told
    assert [(fault["line"], fault["column"]["en"]) for fault in refused["faults"]] == [(3, "name")]
    assert gazetteer_table(home).newest() == SHIPPED


def test_english_reader_is_told_in_english(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANGLIAN_LANG", "en")
    (tmp_path / "bad.csv").write_text("name,code\nabc,1\n甲,\n", encoding="utf-8")
    code, told = command("gazetteer", "check", str(tmp_path / "bad.csv"))

    assert code == 1
    assert "2\tcode\tis no code: 1\t6, 9 or 12 digits, or nothing." in told


def test_versions_are_listed_and_put_back(command: Command, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text(OTHER, encoding="utf-8")
    command("gazetteer", "load", str(tmp_path / "other.csv"))
    put_back = as_json(command("gazetteer", "load", "--version", "0", "--json"))
    listed = as_json(command("gazetteer", "--json"))

    assert put_back["version"] == 2
    assert listed["version"] == 2
    assert [version["number"] for version in listed["versions"]] == [2, 1, 0]
    assert listed["places"][1]["written"] == "孝丰县"


def test_tables_are_printed_for_people(command: Command) -> None:
    assert "皈山乡\t乡\t330523204\t\t2014\t改设为 孝源街道" in command("gazetteer")[1]
    assert "现用第 0 版" in command("synonyms")[1]
    assert "没有别的读法" in command("synonyms", "show", "无关")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "--version", "1"),
        ("check", "--version", "1"),
        ("load", "a.csv", "--version", "1"),
        ("load", "--version", "9"),
    ],
)
def test_wrong_use_is_told(command: Command, arguments: tuple[str, ...]) -> None:
    assert command("gazetteer", *arguments)[0] == 2


def test_no_hub_is_told(tmp_path: Path) -> None:
    assert main(["gazetteer", "--home", str(tmp_path / "none")]) == 2
