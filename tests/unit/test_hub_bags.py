"""Backups are bags that any BagIt program can check, private from their first byte."""

from pathlib import Path

import bagit
import pytest

from hub.backup import bags
from hub.keeping.course import Course
from protocol.errors import BrokenStore

CONTENT = {"data/hub.db": b"pages" * 1000, "data/keys/hub.nk": b"SU...", "data/keys/a name\nof two lines": b"odd"}


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    folder = tmp_path / "bag"
    folder.mkdir(mode=0o700)
    payload = {name: bags.write_file(folder / name, (content,)) for name, content in CONTENT.items()}
    bags.seal(folder, payload, {"Source-Organization": "某县\n档案馆", "Payload-Oxum": "5008.3"}, {"about.json": b"{}"})
    return folder


def faults_of(bag: Path) -> list[str]:
    return [fault.en for fault in bags.payload_faults(bag, bags.read_manifest(bag), Course())]


def test_another_bagit_program_finds_the_bag_valid(bag: Path) -> None:
    """Whoever opens the safe in thirty years need not have our program."""
    found = bagit.Bag(str(bag))

    assert found.validate() is True
    assert found.info["Source-Organization"] == "某县 档案馆"
    assert sorted(found.payload_files()) == sorted(CONTENT)


def test_our_reading_agrees(bag: Path) -> None:
    manifest = bags.read_manifest(bag)

    assert manifest.payload.keys() == CONTENT.keys()
    assert manifest.tags.keys() == {"bagit.txt", "bag-info.txt", "manifest-sha256.txt", "about.json"}
    assert faults_of(bag) == []


def test_a_percent_sign_in_a_name_is_written_as_the_standard_wants_it(tmp_path: Path) -> None:
    payload = {"data/100%": bags.write_file(tmp_path / "data/100%", (b"whole",))}
    bags.seal(tmp_path, payload, {}, {})

    assert b"data/100%25\n" in (tmp_path / "manifest-sha256.txt").read_bytes()
    assert faults_of(tmp_path) == []


def test_missing_changed_and_added_files_are_named(bag: Path) -> None:
    (bag / "data/hub.db").write_bytes(b"pages" * 999 + b"pagez")
    (bag / "data/keys/hub.nk").unlink()
    (bag / "data/more").write_bytes(b"")

    assert faults_of(bag) == [
        "data/hub.db does not have its digest",
        "data/keys/hub.nk is missing",
        "data/more is not listed",
    ]


@pytest.mark.parametrize("name", ["about.json", "bag-info.txt", "manifest-sha256.txt", "bagit.txt"])
def test_a_changed_file_beside_the_payload_spoils_the_bag(bag: Path, name: str) -> None:
    (bag / name).write_bytes((bag / name).read_bytes() + b" ")

    with pytest.raises(BrokenStore, match=name):
        bags.read_manifest(bag)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "data/../../outside"])
def test_a_manifest_that_leads_out_of_the_bag_is_refused(bag: Path, name: str) -> None:
    """A restore copies what the manifest names."""
    (bag / "tagmanifest-sha256.txt").write_text(f"{'0' * 64}  {name}\n")

    with pytest.raises(BrokenStore, match="manifest"):
        bags.read_manifest(bag)


def test_every_file_and_folder_is_private(bag: Path) -> None:
    modes = {path.stat().st_mode & 0o777 for path in bag.rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in bag.rglob("*") if path.is_dir()}

    assert (modes, folders) == ({0o600}, {0o700})


def test_the_digest_of_a_bag_is_another_when_any_byte_is(bag: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    payload = {name: bags.write_file(other / name, (content,)) for name, content in CONTENT.items()}
    payload["data/hub.db"] = "0" * 64

    info = {"Source-Organization": "某县 档案馆", "Payload-Oxum": "5008.3"}
    digest = bags.seal(other, payload, info, {"about.json": b"{}"})

    assert digest != bags.read_manifest(bag).digest


def test_an_existing_file_is_never_overwritten(bag: Path) -> None:
    with pytest.raises(FileExistsError):
        bags.write_file(bag / "data/hub.db", (b"",))
