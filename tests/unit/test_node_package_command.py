"""``danglian-node package check``: what to mend, in plain words, and an exit code that a script can trust."""

import errno
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from node import __main__ as program
from protocol.check_results import Outcome
from replication import command_line
from replication.checks.reports import results_of
from replication.packages import eep_writing
from replication.packages.eep import unpack_eep
from replication.packages.official_layout import CarrierNote
from replication.packages.packing import PackageLabel
from tests.packages_made import CODES, LABEL, TODAY, entry, packed

FILES = {f"{CODES[0]}.txt": "正文".encode(), f"{CODES[1]}.txt": "正文".encode()}
NOTED = PackageLabel(
    identifier="1",
    registration=LABEL.registration,
    made_on=TODAY,
    software="x",
    note=CarrierNote(environment="Windows 10"),
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return packed(tmp_path, [entry(1, pages=""), entry(2, pages="")], FILES, NOTED).path


def test_a_sound_package_is_said_to_be_sound(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = program.main(["package", "check", str(package)])
    told = capsys.readouterr().out

    assert (code, told.strip().splitlines()[-1]) == (0, "全部必检项通过。")
    assert "✓* 真实性  固化信息有效性  通过 5" in told


def test_what_is_wrong_is_told_with_what_to_do(
    package: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(command_line.LANGUAGE_VARIABLE, "en")
    scan = package / "data/电子档案" / f"{CODES[0]}.txt"
    scan.unlink()
    scan.write_bytes(b"another")

    code = program.main(["package", "check", str(package)])
    told = capsys.readouterr().out

    assert code == 1
    assert "【failed】digests are right × 1 (mandatory)" in told
    assert f"{CODES[0]}.txt: the content does not have the digest that is listed (sha256, sm3)" in told
    assert "→ Ask the sender to make or copy the package again." in told
    assert told.strip().splitlines()[-1] == "Failed: mend what is listed, then check again."


def test_a_rule_that_has_not_run_is_no_success(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the phase of transfer somebody must have said what was planned and sent; by hand nobody did."""
    code = program.main(["package", "check", str(package), "--phase", "yj"])

    assert code == 1
    assert capsys.readouterr().out.strip().splitlines()[-1] == "尚不能判定：有必检项未执行或待人工。"


def test_the_answer_for_programs_and_the_report_say_the_same(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.jsonl"

    program.main(["package", "check", str(package), "--json", "--phase", "YJ", "--report", str(report)])
    answer = json.loads(capsys.readouterr().out)

    assert answer["report"]["end"]["results"] == len(list(results_of(report)))
    assert answer["report"]["end"]["verdict"]["standing"] == "unproven"
    assert {one["rule"] for one in answer["faults"]} >= {"virus_scan", "scope_check"}


def test_what_is_no_package_is_told_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = program.main(["package", "check", str(tmp_path / "nowhere")])

    assert (code, "无法识别的文件，不能接收" in capsys.readouterr().out) == (1, True)


@pytest.mark.parametrize("wrong", [["--phase", "ZZ"], ["--rules", "nowhere.toml"], ["--scanner", "here"]])
def test_wrong_use_is_told_as_such(package: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["package", "check", str(package), *wrong]) == 2
    assert "处理办法" in capsys.readouterr().err


def test_what_a_person_found_settles_what_waits_for_a_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A film that no tool opens: the keeper has watched it, says so under a name, and need not be asked again."""
    scan = f"{CODES[0]}.mp4"
    film = packed(tmp_path, [entry(1, pages="")], {scan: b"\0\0\0\x18ftypmp42" + bytes(64)}, NOTED).path
    looked = ["--looked", f"content_open:电子档案/{scan}=passed", "--by", "张三"]

    program.main(["package", "check", str(film), "--report", str(tmp_path / "before.jsonl")])
    program.main(["package", "check", str(film), "--report", str(tmp_path / "after.jsonl"), *looked])

    before, after = (
        next(one for one in results_of(tmp_path / name) if one.rule == "content_open")
        for name in ("before.jsonl", "after.jsonl")
    )
    assert (before.outcome, after.outcome, after.tool) == (Outcome.MANUAL, Outcome.PASSED, "person")
    assert after.evidence.zh.startswith("张三")
    capsys.readouterr()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--looked", "content_open=passed"],
        ["--looked", "nothing=passed", "--by", "张三"],
        ["--looked", "content_open=manual", "--by", "张三"],
        ["--looked", "content_open", "--by", "张三"],
    ],
)
def test_a_look_that_names_no_rule_no_outcome_or_nobody_is_refused(
    package: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["package", "check", str(package), *wrong]) != 0
    assert "--looked content_open:" in "".join(capsys.readouterr())


def test_a_package_in_one_zip_is_checked_like_the_folder(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = shutil.make_archive(str(tmp_path / "移交"), "zip", package.parent, package.name)

    code = program.main(["package", "check", archive])

    assert (code, capsys.readouterr().out.strip().splitlines()[-1]) == (0, "全部必检项通过。")


# Export


def test_a_package_that_was_exported_as_eep_comes_back_with_each_file_at_its_entry(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    eep = tmp_path / "out.eep"
    ended = program.main(["package", "export", str(package), "--eep", str(eep), "--by", "天荒坪镇档案室", "--json"])
    said = json.loads(capsys.readouterr().out)
    found = unpack_eep(eep, tmp_path / "into")

    assert (ended, said["entries"], said["files"]) == (0, 2, 2)
    assert said["sha256"] == hashlib.sha256(eep.read_bytes()).hexdigest()
    assert [(one.ref_code, one.file_name) for one in found.entries] == [
        (CODES[0], f"{CODES[0]}.txt"),
        (CODES[1], f"{CODES[1]}.txt"),
    ]
    assert found.created_by == "天荒坪镇档案室"
    assert all(one.is_proven for one in found.files)
    assert program.main(["package", "check", str(eep)]) in {0, 1}


def test_a_file_without_an_entry_is_named_and_nothing_is_written(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (package / "data/电子档案/无名.txt").write_bytes(b"x")
    eep = tmp_path / "out.eep"
    code = program.main(["package", "export", str(package), "--eep", str(eep), "--by", "x"])

    assert code != 0
    assert "无名.txt" in capsys.readouterr().err
    assert list(tmp_path.glob("out.eep*")) == []


def test_no_file_is_written_over(package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    eep = tmp_path / "out.eep"
    eep.write_bytes(b"mine")
    code = program.main(["package", "export", str(package), "--eep", str(eep), "--by", "x"])

    assert (code != 0, eep.read_bytes()) == (True, b"mine")
    assert "已存在" in capsys.readouterr().err


def test_an_export_that_breaks_off_leaves_nothing(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_path: Path, _pieces: object) -> str:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(eep_writing, "write_file", full)
    eep = tmp_path / "out.eep"
    code = program.main(["package", "export", str(package), "--eep", str(eep), "--by", "x"])

    assert (code != 0, list(tmp_path.glob("out.eep*"))) == (True, [])
    assert "磁盘已满" in capsys.readouterr().err
