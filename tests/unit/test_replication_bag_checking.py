"""Bags from anywhere: what is wrong is named, and nothing that a bag says leads out of it."""

import hashlib
import os
import sys
from pathlib import Path

import bagit
import pytest

from replication.packages import bag_tables, bag_tags
from replication.packages.bag_checking import BagVerdict, ProvenFile, check_bag, examine_bag
from replication.packages.bag_faults import BagFaultCode
from tests.packages_made import plain_bag

PAYLOAD = {"a.txt": b"one", "dir/b.txt": b"two"}


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    return plain_bag(tmp_path / "bag", PAYLOAD)


def codes(verdict: BagVerdict) -> list[str]:
    return [fault.code.value for fault in verdict.faults]


def listed(bag: Path, *lines: str, name: str = "manifest-sha256.txt") -> None:
    path = bag / name
    known = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(known + "".join(line + "\n" for line in lines), encoding="utf-8")


def test_a_sound_bag_is_valid_and_every_file_proven(bag: Path) -> None:
    found = [one for one in examine_bag(bag) if isinstance(one, ProvenFile)]

    assert [one.path for one in found] == ["data/a.txt", "data/dir/b.txt"]
    assert found[0].digests == (("sha256", hashlib.sha256(b"one").hexdigest()),)
    assert (check_bag(bag).is_valid, check_bag(bag).files, check_bag(bag).size_bytes) == (True, 2, 6)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512", "sm3"])
def test_each_algorithm_is_computed(tmp_path: Path, algorithm: str) -> None:
    bag = plain_bag(tmp_path / "bag", PAYLOAD, algorithm=algorithm)
    assert check_bag(bag).is_valid is True

    (bag / "data/a.txt").write_bytes(b"onE")

    assert codes(check_bag(bag)) == ["digest"]


def test_an_algorithm_that_this_machine_lacks_is_never_taken_for_a_match(bag: Path) -> None:
    """A Python without SM3 must say so: a manifest that nobody compared proves nothing."""
    listed(bag, "00  data/a.txt", "00  data/dir/b.txt", name="manifest-gost34.txt")

    verdict = check_bag(bag)

    assert (verdict.is_valid, codes(verdict)) == (False, ["algorithm"])


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "data/../../x",
        "/etc/passwd",
        "~/x",
        "~root/x",
        "C:\\Windows\\x",
        "\\\\server\\share\\x",
        "%HomeDrive%\\x",
        "data/..\\..\\x",
        "data//x",
    ],
)
def test_a_path_that_leads_out_is_refused_and_never_opened(bag: Path, path: str) -> None:
    listed(bag, f"{'0' * 64}  {path}")

    assert codes(check_bag(bag)) == ["path"]


def test_a_manifest_must_not_list_what_lies_beside_the_payload(bag: Path) -> None:
    listed(bag, f"{'0' * 64}  bagit.txt")

    assert codes(check_bag(bag)) == ["outside"]


def test_missing_added_and_swapped_files_are_named(bag: Path) -> None:
    (bag / "data/new.txt").write_bytes(b"")
    (bag / "data/a.txt").write_bytes(b"two")
    (bag / "data/dir/b.txt").unlink()

    assert [(fault.code.value, fault.path) for fault in check_bag(bag).faults] == [
        ("missing", "data/dir/b.txt"),
        ("unlisted", "data/new.txt"),
        ("digest", "data/a.txt"),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="making a link needs a right there")
def test_links_are_not_followed(bag: Path, tmp_path: Path) -> None:
    """A link to a secret outside would otherwise be read, proven and sent on."""
    (tmp_path / "secret").write_bytes(b"two")
    (bag / "data/dir/b.txt").unlink()
    (bag / "data/dir/b.txt").symlink_to(tmp_path / "secret")
    (bag / "data/loop").symlink_to(bag)

    assert codes(check_bag(bag)) == ["link", "link", "missing"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_in_the_payload_does_not_hang_the_check(bag: Path) -> None:
    os.mkfifo(bag / "data/pipe")

    assert codes(check_bag(bag)) == ["link"]


def test_a_hole_is_named_with_its_address_and_nothing_is_fetched(bag: Path) -> None:
    listed(bag, f"{'0' * 64}  data/far.tif")
    (bag / "fetch.txt").write_text("http://127.0.0.1:9/far.tif 12 data/far.tif\n", encoding="utf-8")

    verdict = check_bag(bag)

    assert codes(verdict) == ["fetch", "hole"]
    assert "http://127.0.0.1:9/far.tif" in verdict.faults[1].text.en
    assert verdict.is_valid is False


def test_a_fetch_list_may_not_name_what_lies_outside(bag: Path) -> None:
    (bag / "fetch.txt").write_text("http://127.0.0.1:9/x - ../x\n", encoding="utf-8")

    assert codes(check_bag(bag)) == ["path", "fetch"]


def test_names_that_are_one_name_elsewhere_are_warned_of(tmp_path: Path) -> None:
    bag = plain_bag(tmp_path / "bag", {"会议.TIF": b"1", "会议.tif": b"2", "café": b"3", "cafe\u0301": b"4"})

    verdict = check_bag(bag)

    assert (verdict.is_valid, codes(verdict)) == (True, ["clash", "clash"])


def test_a_name_in_another_normal_form_is_the_same_file(tmp_path: Path) -> None:
    """A Mac writes é as two characters; the manifest that came with it does not."""
    bag = plain_bag(tmp_path / "bag", {"cafe\u0301.txt": b"1"})
    (bag / "manifest-sha256.txt").write_text(f"{hashlib.sha256(b'1').hexdigest()}  data/café.txt\n", encoding="utf-8")

    verdict = check_bag(bag)

    assert (verdict.is_valid, codes(verdict)) == (True, ["spelling"])


def test_names_that_windows_cannot_hold_are_warned_of(tmp_path: Path) -> None:
    bag = plain_bag(tmp_path / "bag", {"CON.txt": b"1", "a:b?.txt": b"2", "end.": b"3", "pdf\u202eexe.tif": b"4"})

    verdict = check_bag(bag)

    assert (verdict.is_valid, codes(verdict)) == (True, ["portable"] * 4)


def test_escaped_names_are_read_in_one_pass(tmp_path: Path) -> None:
    """%250A is the name "%0A", not a line end."""
    bag = plain_bag(tmp_path / "bag", {})
    for name, given in (("a\nb", "a%0Ab"), ("100%", "100%25"), ("%0A", "%250A"), ("~x", "~x"), ("%7E", "%7E")):
        (bag / "data" / name).write_bytes(b"1")
        listed(bag, f"{hashlib.sha256(b'1').hexdigest()}  data/{given}")

    assert [fault for fault in check_bag(bag).faults if not fault.is_warning] == []


def test_from_version_1_every_manifest_lists_every_file(bag: Path) -> None:
    listed(bag, f"{hashlib.sha512(b'one').hexdigest()}  data/a.txt", name="manifest-sha512.txt")

    assert codes(check_bag(bag)) == ["not_in_every_manifest"]


@pytest.mark.parametrize(("version", "is_valid"), [("0.97", True), ("1.0", False)])
def test_a_file_listed_twice_alike_is_a_fault_from_version_1(tmp_path: Path, version: str, is_valid: bool) -> None:
    bag = plain_bag(tmp_path / "bag", PAYLOAD, version=version)
    listed(bag, f"{hashlib.sha256(b'one').hexdigest()}  data/a.txt")

    assert (check_bag(bag).is_valid, codes(check_bag(bag))) == (is_valid, ["listed_twice"])


def test_an_oxum_that_lies_is_found(bag: Path) -> None:
    (bag / "bag-info.txt").write_text("Payload-Oxum: 7.2\n", encoding="utf-8")
    assert codes(check_bag(bag)) == ["oxum"]

    (bag / "bag-info.txt").write_text("Payload-Oxum: 6.2\n", encoding="utf-8")
    assert codes(check_bag(bag)) == []


def test_tag_files_are_proven_by_the_tag_manifest(bag: Path) -> None:
    (bag / "bag-info.txt").write_text("Contact-Name: x\n", encoding="utf-8")
    names = ("bagit.txt", "manifest-sha256.txt", "bag-info.txt")
    listed(
        bag,
        *(f"{hashlib.sha256((bag / name).read_bytes()).hexdigest()}  {name}" for name in names),
        name="tagmanifest-sha256.txt",
    )
    assert check_bag(bag).is_valid is True

    (bag / "bag-info.txt").write_text("Contact-Name: y\n", encoding="utf-8")

    assert codes(check_bag(bag)) == ["digest"]


def test_a_manifest_that_its_tag_manifest_leaves_out_could_be_exchanged(bag: Path) -> None:
    line = f"{hashlib.sha256((bag / 'bagit.txt').read_bytes()).hexdigest()}  bagit.txt"
    listed(bag, line, name="tagmanifest-sha256.txt")

    assert codes(check_bag(bag)) == ["manifest_unlisted"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "declaration"),
        (b"\xef\xbb\xbfBagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "declaration"),
        (b"BagIt-Version: 1.0 \nTag-File-Character-Encoding: UTF-8\n", "declaration"),
        (b"BagIt-Version: 1.0\n", "declaration"),
        (b"BagIt-Version: 2.0\nTag-File-Character-Encoding: UTF-8\n", "version"),
        (b"BagIt-Version: .97\nTag-File-Character-Encoding: UTF-8\n", "declaration"),
        (b"BagIt-Version: 1.0\nTag-File-Character-Encoding: KLINGON\n", "encoding"),
        (b"BagIt-Version: 1.0\nTag-File-Character-Encoding: zlib\n", "encoding"),
        (b"\xff\xfe" + b"x" * 100_000, "declaration"),
    ],
)
def test_a_declaration_that_says_nothing_is_refused(bag: Path, content: bytes, code: str) -> None:
    (bag / "bagit.txt").write_bytes(content)

    assert codes(check_bag(bag)) == [code]


@pytest.mark.parametrize("content", [b"nothing\n", b"zz  data/a.txt\n", b"\xff\xfe\xff", b"0" * 100_000])
def test_a_manifest_of_rubbish_is_a_fault_and_no_crash(bag: Path, content: bytes) -> None:
    (bag / "manifest-sha256.txt").write_bytes(content)

    verdict = check_bag(bag)

    assert verdict.is_valid is False
    assert {"line", "encoding"} & set(codes(verdict)) != set()


def test_half_a_character_in_a_manifest_is_a_fault_and_no_crash(bag: Path) -> None:
    (bag / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-7\n", encoding="utf-8")
    (bag / "manifest-sha256.txt").write_bytes(b"00  data/" + "\ud800".encode("utf-7", "surrogatepass") + b".txt\n")

    assert "encoding" in codes(check_bag(bag))


@pytest.mark.skipif(sys.platform != "linux", reason="Windows and macOS have no such names")
@pytest.mark.parametrize("folder", ["", "data", "tags"])
def test_a_name_that_is_no_text_is_a_fault_and_no_crash(bag: Path, folder: str) -> None:
    (bag / folder).mkdir(exist_ok=True)
    (bag / folder / os.fsdecode(b"\xff.txt")).write_bytes(b"1")
    listed(bag, f"{hashlib.sha256(b'').hexdigest()}  none", name="tagmanifest-sha256.txt")

    assert "portable" in codes(check_bag(bag))


def test_manifests_in_gb18030_are_read(tmp_path: Path) -> None:
    bag = plain_bag(tmp_path / "bag", {"档案.txt": b"1"})
    (bag / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: GB18030\n", encoding="utf-8")
    text = (bag / "manifest-sha256.txt").read_text(encoding="utf-8")
    (bag / "manifest-sha256.txt").write_bytes(text.encode("gb18030"))

    assert check_bag(bag).is_valid is True


def test_a_folder_that_is_no_bag_is_said_to_be_none(tmp_path: Path) -> None:
    assert codes(check_bag(tmp_path)) == ["no_declaration"]
    assert codes(check_bag(tmp_path / "absent")) == ["no_declaration"]


def test_every_fault_has_its_words() -> None:
    from replication.packages.bag_faults import bag_fault  # noqa: PLC0415 - the only use

    assert [bag_fault(code).text.zh == "" or bag_fault(code).remedy.en == "" for code in BagFaultCode] == [False] * len(
        BagFaultCode
    )


def test_a_bag_of_many_files_spills_to_the_disk_and_is_judged_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bag_tables, "CACHE_KIB", 64)
    bag = plain_bag(tmp_path / "bag", {f"{number:05}.txt": b"%d" % number for number in range(3000)})
    assert check_bag(bag).files == 3000

    (bag / "data/01234.txt").write_bytes(b"9999")

    assert [(fault.code.value, fault.path) for fault in check_bag(bag).faults] == [("digest", "data/01234.txt")]


def test_another_bagit_program_agrees_about_a_sound_bag_and_a_damaged_one(bag: Path) -> None:
    assert bagit.Bag(str(bag)).is_valid() is check_bag(bag).is_valid is True

    (bag / "data/a.txt").write_bytes(b"ONE")

    assert bagit.Bag(str(bag)).is_valid() is check_bag(bag).is_valid is False


def test_folded_lines_and_repeated_labels_are_read_in_their_order(bag: Path) -> None:
    (bag / "bag-info.txt").write_text("Contact-Name: a\r\n  b\nContact-Name: c\n说明：无\n说明: 有\n", encoding="utf-8")
    declared = bag_tags.declaration_of(bag)
    assert isinstance(declared, bag_tags.Declaration)

    said, faults = bag_tags.info_of(bag, declared)

    assert said == [("Contact-Name", "a b"), ("Contact-Name", "c")]
    assert [fault.code.value for fault in faults] == ["info"]
