"""Packages that came as one ZIP or TAR: taken whole or refused by name, and nothing is ever written elsewhere."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.check_results import Outcome
from protocol.check_rules import Phase
from protocol.errors import BadFile, StorageFull
from protocol.package_facts import PackageFacts
from replication.checks.archives_within import look_within
from replication.checks.rule_table import default_rules
from replication.checks.running import check
from replication.checks.survey import CheckTools
from replication.packages import unpacking
from replication.packages.bag_checking import check_bag
from replication.packages.opening import PackageKind, open_package
from tests.packages_made import TODAY, entry, layout_of, plain_bag

PAYLOAD = {"档案.txt": b"one", "卷/b.txt": b"two"}
RULES = default_rules()


@pytest.fixture
def bag(tmp_path: Path) -> dict[str, bytes]:
    """The members of a sound bag, below the folder 移交."""
    folder = plain_bag(tmp_path / "made" / "移交", PAYLOAD)
    return {
        path.relative_to(folder.parent).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def zipped(members: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def zipped_by_windows(members: Mapping[str, bytes]) -> bytes:
    """As Chinese Windows packs: names in GBK, and nothing that says so."""
    content = io.BytesIO()
    lines, count = b"", 0
    for name, data in members.items():
        given, place, crc = name.encode("gbk"), content.tell(), zlib.crc32(data)
        sizes = (crc, len(data), len(data), len(given))
        content.write(struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 0, *sizes, 0) + given + data)
        lines += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, *sizes, 0, 0, 0, 0, 0, place)
        lines += given
        count += 1
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(lines), content.tell(), 0)
    return content.getvalue() + lines + end


def tarred(members: Mapping[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=form) as archive:
        for name, data in members.items():
            one = tarfile.TarInfo(name)
            one.size = len(data)
            archive.addfile(one, io.BytesIO(data))
    return content.getvalue()


def special(kind: bytes, name: str = "移交/data/x", target: str = "/etc/passwd") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        one = tarfile.TarInfo(name)
        one.type, one.linkname = kind, target
        archive.addfile(one)
    return content.getvalue()


def header(name: bytes, size: int, kind: bytes = b"0") -> bytes:
    """A header of TAR with any size in it, also below zero."""
    number = b"%011o\0" % size if 0 <= size < 8**11 else (256**12 + size).to_bytes(13, "big")[1:]
    if size >= 8**11:
        number = b"\x80" + number[1:]
    plain = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + number + b"%011o\0" % 0 + b" " * 8 + kind
    made = bytearray((plain + b"\0" * 100 + b"ustar\x0000").ljust(512, b"\0"))
    made[148:156] = b"%06o\0 " % sum(made)
    return bytes(made)


def opened(tmp_path: Path, content: bytes, name: str = "移交.zip") -> Path:
    """Open what came as one file and return where its bag lies."""
    path, workplace = tmp_path / name, tmp_path / "workplace"
    path.write_bytes(content)
    workplace.mkdir(exist_ok=True)
    package = open_package(path, workplace)
    assert package.kind is PackageKind.BAG
    assert package.path.is_relative_to(workplace)
    return package.path


def refused(tmp_path: Path, content: bytes, name: str = "移交.zip") -> BadFile:
    """Open what must be refused; nothing of it lies outside of the folder for it."""
    before = {path for path in tmp_path.rglob("*") if "workplace" not in path.parts}
    with pytest.raises(BadFile) as error:
        opened(tmp_path, content, name)
    after = {path for path in tmp_path.rglob("*") if "workplace" not in path.parts}
    assert after - before <= {tmp_path / name}
    assert error.value.reason.zh.startswith(name)
    assert error.value.reason.en.startswith(name)
    assert (bool(error.value.hint.zh), bool(error.value.hint.en)) == (True, True)
    return error.value


@pytest.mark.parametrize(
    "packed",
    [
        zipped,
        zipped_by_windows,
        tarred,
        lambda members: tarred(members, tarfile.PAX_FORMAT),
        lambda members: gzip.compress(tarred(members)),
        lambda members: bz2.compress(tarred(members)),
        lambda members: lzma.compress(tarred(members)),
    ],
    ids=["zip", "zip-gbk", "tar", "tar-pax", "tar.gz", "tar.bz2", "tar.xz"],
)
def test_a_bag_in_one_file_is_that_bag(
    bag: dict[str, bytes], tmp_path: Path, packed: Callable[[dict[str, bytes]], bytes]
) -> None:
    found = opened(tmp_path, packed(bag))

    assert (found.name, check_bag(found).is_valid, check_bag(found).files) == ("移交", True, 2)


def test_long_names_come_back_whole(tmp_path: Path) -> None:
    deep = "/".join(["很长的文件夹名称" * 2] * 6) + "/一.txt"
    folder = plain_bag(tmp_path / "made" / "b", {deep: b"x"})
    members = {path.relative_to(folder.parent).as_posix(): path.read_bytes() for path in folder.rglob("*.txt")}

    for number, form in enumerate((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
        assert check_bag(opened(tmp_path, tarred(members, form), f"{number}.tar")).is_valid is True


def test_the_official_layout_in_one_zip_is_checked_like_the_folder(tmp_path: Path) -> None:
    folder = layout_of(tmp_path / "made", [entry(1)])
    members = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (tmp_path / "p.zip").write_bytes(zipped({**members, "电子档案/": b""}))
    (tmp_path / "workplace").mkdir()

    found = check(
        tmp_path / "p.zip",
        PackageFacts(today=TODAY),
        RULES,
        Phase.FILING,
        tools=CheckTools(opens_apart=False),
        workplace=tmp_path / "workplace",
    )

    assert {one.outcome for one in found if one.rule in {"package_structure", "meta_readable"}} == {Outcome.PASSED}


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "移交/../../x",
        "/tmp/x",
        "C:\\x",
        "C:/x",
        "\\\\server\\x",
        "移交\\..\\..\\x",
        "~/x",
        "移交/CON",
        "移交/aux.txt",
        "移交/a.",
        "移交/b ",
        "移交/c?d",
        "移交/" + "x" * 256,
        "移交/" + "d/" * 120 + "x",
        "移交/\u202efdp.exe",
    ],
)
@pytest.mark.parametrize("packed", [zipped, tarred], ids=["zip", "tar"])
def test_a_name_that_leads_out_or_that_some_disk_loses_is_refused_by_name(
    bag: dict[str, bytes], tmp_path: Path, packed: Callable[[dict[str, bytes]], bytes], name: str
) -> None:
    error = refused(tmp_path, packed({**bag, name: b"evil"}))

    assert ("›" in error.reason.zh, "›" in error.reason.en) == (True, True)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    assert "link or a special file" in refused(tmp_path, special(kind), "移交.tar").reason.en


def test_a_link_in_a_zip_is_refused(bag: dict[str, bytes], tmp_path: Path) -> None:
    content = io.BytesIO(zipped(bag))
    with zipfile.ZipFile(content, "a") as archive:
        link = zipfile.ZipInfo("移交/data/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")

    assert "link or a special file" in refused(tmp_path, content.getvalue()).reason.en


@pytest.mark.parametrize("other", ["移交/DATA/档案.txt", "移交/data/档案.TXT"])
def test_two_names_that_are_one_elsewhere_are_refused(bag: dict[str, bytes], tmp_path: Path, other: str) -> None:
    assert "differs only in case" in refused(tmp_path, zipped({**bag, other: b"1"})).reason.en


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_there_twice_is_refused(bag: dict[str, bytes], tmp_path: Path) -> None:
    """Programs differ in which of the two they take, so one may be checked and the other kept."""
    content = io.BytesIO(zipped(bag))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("移交/data/档案.txt", b"other")

    assert "twice" in refused(tmp_path, content.getvalue()).reason.en


def locked(content: bytes) -> bytes:
    made = bytearray(content)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        made[made.index(mark) + place] |= 1
    return bytes(made)


def bomb() -> bytes:
    return zipped({"移交/data/zeros": bytes(100_000_000)})


def overlapping() -> bytes:
    """Two thousand members that share the same bytes."""
    data = zlib.compress(bytes(100_000), 9)[2:-4]
    sizes = (zlib.crc32(bytes(100_000)), len(data), 100_000, 1)
    first = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0, *sizes, 0) + b"a" + data
    line = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, *sizes, 0, 0, 0, 0, 0, 0) + b"a"
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2000, 2000, 2000 * len(line), len(first), 0)
    return first + line * 2000 + end


def listing_a_million() -> bytes:
    line = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    lines = line * 1_000_000
    return b"PK\x03\x04" + bytes(26) + lines + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 9, 9, len(lines), 30, 0)


HOSTILE = {
    "cut.zip": zipped({"移交/bagit.txt": b"x" * 100})[:-30],
    "wrong-sum.zip": zipped({"移交/bagit.txt": b"x" * 100}).replace(struct.pack("<I", zlib.crc32(b"x" * 100)), b"1234"),
    "locked.zip": locked(zipped({"移交/bagit.txt": b"x"})),
    "bomb.zip": bomb(),
    "overlapping.zip": overlapping(),
    "million.zip": listing_a_million(),
    "empty.zip": zipped({}),
    "nothing-in-it.zip": zipped({"移交/a.txt": b"x"}),
    "below-zero.tar": header(b"a", -512) + bytes(1024),
    "below-zero-later.tar": header(b"a", 0) + header(b"b", -1024) + bytes(1024),
    "claims-an-exabyte.tar": header(b"a", 2**60) + bytes(1024),
    "long-name-of-a-gigabyte.tar": header(b"a", 2**30, b"L") + bytes(1024),
    "fields-of-a-gigabyte.tar": header(b"a", 2**30, b"x") + bytes(1024),
    "fields-below-zero.tar": header(b"a", 17, b"x") + b"17 size=-1000000\n".ljust(512, b"\0") + header(b"b", 0),
    "wrong-sum.tar": header(b"a", 0).replace(b"ustar", b"ustar", 1)[:148] + b"0000000\0" + header(b"a", 0)[156:],
    "cut.tar": tarred({"移交/a": b"x" * 9_000})[:3_000],
    "bomb.tar.gz": gzip.compress(header(b"a", 2**29) + bytes(2**27)),
    "no-tar.gz": gzip.compress(b"no tar at all" * 100),
    "cut.tar.xz": lzma.compress(tarred({"移交/a": bytes(range(256)) * 99}))[:-20],
    "noise.tar.bz2": b"BZh9" + bytes(range(256)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_damaged_locked_or_a_bomb_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    assert refused(tmp_path, HOSTILE[name], name).hint.en.endswith(".")


@pytest.mark.parametrize("name", [name for name in HOSTILE if not name.startswith(("nothing", "empty", "no-tar"))])
def test_within_a_package_it_is_named_as_well(tmp_path: Path, name: str) -> None:
    """The look into an archive that lies among the records is bounded like the unpacking of a whole package."""
    path = tmp_path / name
    path.write_bytes(HOSTILE[name])
    kind = {"zip": "ZIP", "tar": "TAR", "gz": "GZIP", "xz": "XZ", "bz2": "BZIP2"}[name.rpartition(".")[2]]

    seen = look_within(path, kind, RULES.settings)

    assert (seen.format, seen.is_bomb or seen.is_locked or seen.is_broken) == (kind, True)


def test_a_disk_without_room_is_said_and_the_rule_has_not_run(
    bag: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "SPARE_BYTES", 2**60)
    with pytest.raises(StorageFull):
        opened(tmp_path, zipped(bag))

    found = check(
        tmp_path / "移交.zip", PackageFacts(today=TODAY), RULES, Phase.FILING, workplace=tmp_path / "workplace"
    )

    assert {one.outcome for one in found} == {Outcome.NOT_RUN}


def test_without_a_place_to_unpack_nothing_is_unpacked(bag: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "移交.tar"
    path.write_bytes(tarred(bag))

    with pytest.raises(BadFile) as error:
        open_package(path)

    assert error.value.hint.en == "Unpack it first, then check the folder."


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_spoilt_byte_of_a_zip_or_tar_makes_no_crash(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tmp_path = tmp_path_factory.mktemp("spoilt")
    packed = data.draw(st.sampled_from((SMALL_ZIP, SMALL_TAR)))
    content = bytearray(packed[: data.draw(st.integers(1, len(packed)))])
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "p").write_bytes(content)
    (tmp_path / "workplace").mkdir()

    found = list(
        check(
            tmp_path / "p",
            PackageFacts(today=TODAY),
            RULES,
            Phase.FILING,
            tools=CheckTools(opens_apart=False),
            workplace=tmp_path / "workplace",
        )
    )

    assert [one for one in found if "the rule broke" in one.evidence.en] == []
    assert {path.name for path in tmp_path.iterdir()} == {"p", "workplace"}


_MEMBERS = {"b/bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "b/data/a": b"one"}
SMALL_ZIP = zipped(_MEMBERS)
SMALL_TAR = tarred(_MEMBERS)
