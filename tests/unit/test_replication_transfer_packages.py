"""The list beside a package says that the package is whole: half a list must not."""

import os
import sys
from pathlib import Path
from uuid import UUID

import pytest

from protocol.consignments import ConsignedFile
from replication import transfer_packages
from replication.transfer_packages import list_of, move, package_of, read_list, write_list

TRANSFER = UUID(int=7)
FILES = tuple(ConsignedFile(path=f"data/{n}.txt", size_bytes=n, sha256=f"{n:064x}") for n in range(3))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return where a round's package lies, with one file in it."""
    into = package_of(tmp_path / "transfers", TRANSFER, 1)
    into.mkdir(parents=True)
    (into / "0.txt").write_text("零")
    return into


def test_a_list_is_read_as_it_was_written(package: Path) -> None:
    write_list(package, FILES)
    assert tuple(read_list(package) or ()) == FILES


def test_no_list_reads_as_a_package_that_is_not_whole(package: Path) -> None:
    assert read_list(package) is None


def test_a_list_that_a_power_cut_shortened_reads_as_a_package_that_is_not_whole(package: Path) -> None:
    write_list(package, FILES)
    list_of(package).write_bytes(list_of(package).read_bytes()[:-20])
    assert read_list(package) is None


def test_a_list_cut_off_while_it_is_written_leaves_none(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies beside a package is believed by its mere presence, so that it appears whole or not at all."""

    def cut(_self: Path, _target: Path) -> Path:
        raise OSError(5, "power cut")

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(OSError, match="power cut"):
        write_list(package, FILES)
    assert not list_of(package).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux which file a descriptor is")
def test_a_package_moved_to_another_disk_arrives_whole_although_a_first_try_was_killed(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "other" / "01"
    half = target.with_name(target.name + transfer_packages.MOVING_SUFFIX)
    half.mkdir(parents=True)
    (half / "left over.txt").write_text("半")
    whole = Path.rename

    def across(self: Path, to: Path) -> Path:
        if self == package:
            raise OSError(18, "another disk")
        return whole(self, to)

    synced: list[str] = []
    monkeypatch.setattr(Path, "rename", across)
    monkeypatch.setattr(os, "fsync", lambda one: synced.append(Path(f"/proc/self/fd/{one}").readlink().name))
    move(package, target)
    assert ([one.name for one in target.iterdir()], package.exists()) == (["0.txt"], False)
    assert synced == ["0.txt", half.name, target.parent.name], "the disk has the copy before the other one goes"
