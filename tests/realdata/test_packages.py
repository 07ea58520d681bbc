"""Packages that others made to be checked with: the whole BagIt conformance suite, E-ARK, Archivematica."""

import logging
import tarfile
from pathlib import Path

import bagit
import pytest

from protocol.errors import BadFile
from replication.packages.bag_checking import check_bag
from replication.packages.opening import open_package

PACKAGES = "09_packages"

WARNED_AND_VALID = {
    "made-with-md5sum-tools",
    "relative-path",
    "same-filename-listed-twice-with-the-same-hash",
    "same-filename-listed-twice-with-different-normalization",
}
"""Of the suite's bags that want a warning, those whose files are all there; the archive lost files of the others."""


@pytest.fixture(scope="module")
def unpacked(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    for archive in sorted((shared_data / PACKAGES).glob("*.tar.*")):
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return folder


def bags(unpacked: Path) -> list[Path]:
    return sorted(path for version in unpacked.rglob("v[01].*") for path in version.glob("*/*") if path.is_dir())


def named(path: Path) -> str:
    return "/".join(path.parts[-3:])


def test_the_conformance_suite_is_judged_as_its_folders_say(unpacked: Path) -> None:
    """What a path of another system means is a fault on this one too: bags travel."""
    found = {named(bag): check_bag(bag).is_valid for bag in bags(unpacked) if bag.parent.name != "warning"}
    wrong = [name for name, is_valid in found.items() if is_valid is not (name.split("/")[1] == "valid")]

    assert (len(found), wrong) == (54, [])


def test_every_bag_that_wants_a_warning_gets_one(unpacked: Path) -> None:
    verdicts = {bag.name: check_bag(bag) for bag in bags(unpacked) if bag.parent.name == "warning"}

    assert [name for name, verdict in verdicts.items() if not verdict.warnings] == []
    assert {name for name, verdict in verdicts.items() if verdict.is_valid} == WARNED_AND_VALID


def test_the_maintained_library_agrees_but_where_it_is_known_not_to(unpacked: Path) -> None:
    """It takes stray blanks in bagit.txt, and Windows' paths in fetch.txt, and misses names in another normal form."""
    logging.disable(logging.CRITICAL)
    try:
        differing = set()
        for bag in bags(unpacked):
            try:
                theirs = bagit.Bag(str(bag)).is_valid()
            except bagit.BagError:
                theirs = False
            if theirs is not check_bag(bag).is_valid:
                differing.add(bag.name)
    finally:
        logging.disable(logging.NOTSET)

    assert differing == {
        "bagit-with-invalid-whitespace",
        "out-of-scope-file-paths-using-absolute-path-for-fetch",
        "out-of-scope-file-paths-using-shortcut-for-fetch",
        "out-of-scope-file-paths-using-unc-for-fetch",
        "same-filename-listed-twice-with-different-normalization",
    }


def test_archivematicas_bags_are_judged_by_their_names(unpacked: Path) -> None:
    folder = next(unpacked.rglob("bagitTests"))
    found = {bag.name: check_bag(bag).is_valid for bag in folder.iterdir()}

    assert found == {name: "fail" not in name for name in found}
    assert len(found) == 7


def test_other_kinds_of_packages_are_refused_with_what_they_are(unpacked: Path, tmp_path: Path) -> None:
    """E-ARK packages, theirs zipped, and transfers with a metadata.csv: a clear word each, and no crash."""
    cases = [path for kind in ("valid", "invalid") for path in unpacked.rglob(kind) if "corpus" in path.parts]
    told = {}
    for path in (
        *(one for case in cases for one in case.iterdir()),
        *next(unpacked.rglob("SampleTransfers")).iterdir(),
    ):
        with pytest.raises(BadFile) as refused:
            open_package(path, tmp_path)
        told[path] = refused.value.reason.zh

    assert len(told) > 100
    assert [path for path, reason in told.items() if "不能接收" not in reason] == []
    assert {reason.rpartition("是")[2] for reason in told.values()} <= {
        "E-ARK / METS 信息包，不能接收",
        "压缩文件，不能接收",
        "没有目录的文件夹，不能接收",
    }
