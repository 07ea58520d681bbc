"""Packages of a transfer, there and back: bag, official layout, EEP."""

import base64
import datetime
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import bagit
import msgspec
import pytest

from protocol.attaching import Mismatch, MismatchKind, missing_pages, page_mismatches, page_number
from protocol.errors import BadFile, StorageFull
from protocol.package_entries import PackageEntry, PackageFile
from protocol.vocabularies import Level
from protocol.whole_codes import whole_code
from replication.checks.package_shelf import Shelf
from replication.packages import packing
from replication.packages.bag_checking import check_bag
from replication.packages.catalogue_xml import ITEMS, catalogue_pieces, read_catalogue
from replication.packages.eep import unpack_eep
from replication.packages.eep_writing import EepEntry, eep_pieces
from replication.packages.official_layout import README, CarrierNote, read_note
from replication.packages.opening import PackageKind, files_of, kind_of, open_package
from replication.packages.packing import PARTIAL_SUFFIX, PackingStyle, SourceFile, packing_faults
from tests.packages_made import CODES, LABEL, entry, packed, scans, source_files

FILES = {
    f"2011/{CODES[0]}/0001.jpg": b"page one",
    f"2011/{CODES[0]}/0002.jpg": b"page two",
    f"{CODES[1]}.pdf": b"pdf" * 99,
}


# Packing


def test_a_package_is_a_bag_in_the_official_layout(tmp_path: Path) -> None:
    made = packed(tmp_path, [entry(1), entry(2)], FILES)

    assert check_bag(made.path).faults == ()
    assert check_bag(made.path).digest == made.digest
    assert bagit.Bag(str(made.path)).validate() is True
    assert sorted(path.name for path in (made.path / "data").iterdir()) == sorted(
        ["其他", "文件目录.XML", "电子档案", "说明文件.TXT"]
    )


def test_every_file_of_the_package_is_named_for_the_way(tmp_path: Path) -> None:
    made = packed(tmp_path, [entry(1)], FILES)

    there = {path.relative_to(made.path).as_posix() for path in made.path.rglob("*") if path.is_file()}
    assert {file.path for file in made.files} == there
    assert {len(file.sha256) for file in made.files} == {64}


@pytest.mark.parametrize("encoding", ["UTF-8", "GB18030"])
def test_catalogue_and_form_come_back_as_they_were_given(tmp_path: Path, encoding: str) -> None:
    volume = msgspec.structs.replace(entry(9, title='卷<一>&"二"', note="㐀\U00020000"), level=Level.VOLUME)
    entries = [volume, entry(1, title="<>&\"'", note="第一行\n第二行"), entry(2)]
    made = packed(tmp_path, entries, FILES, style=PackingStyle(encoding=encoding))

    opened = open_package(made.path)

    assert (opened.kind, opened.entries()) == (PackageKind.BAG, entries)
    assert opened.registration == made.registration
    assert (made.registration.entries, made.registration.volumes, made.registration.files) == (2, 1, 7)


def test_the_note_of_the_carrier_comes_back(tmp_path: Path) -> None:
    note = CarrierNote(carrier_no="A-01", capacity="25GB", maker="李四", environment="Windows 10")
    label = packing.PackageLabel(
        identifier="1", registration=LABEL.registration, made_on=datetime.date(2026, 1, 2), software="x", note=note
    )
    made = packed(tmp_path, [], {}, label, PackingStyle(encoding="GB18030"))

    assert read_note(made.path / "data") == note


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_note_is_read_in_whatever_an_editor_wrote_it(tmp_path: Path, encoding: str) -> None:
    (tmp_path / README).write_bytes("载体编号：3\r\n软硬件环境: Windows 10\r\n".encode(encoding))

    assert read_note(tmp_path) == CarrierNote(carrier_no="3", environment="Windows 10")


def test_links_and_copies_make_the_same_package(tmp_path: Path) -> None:
    linked = packed(tmp_path / "one", [entry(1)], FILES)
    copied = packed(tmp_path / "two", [entry(1)], FILES, style=PackingStyle(is_linked=False))

    assert linked.digest == copied.digest


@pytest.mark.parametrize("name", ["CON.jpg", "a?.jpg", "x" * 300, "end ./1.jpg", "cafe\u0301.jpg", "../x", "/x"])
def test_a_name_that_some_system_cannot_hold_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadFile):
        packing.pack(tmp_path / "p", [], [SourceFile(source=tmp_path / "s", path=name)], LABEL)

    assert list(tmp_path.iterdir()) == []


def test_names_that_clash_are_refused(tmp_path: Path) -> None:
    files = [SourceFile(source=tmp_path, path=path) for path in ("A/1.tif", "a/1.TIF")]

    assert [fault.en for fault in packing_faults(files)] == ["a/1.TIF and A/1.tif are one name to some system"]


def test_a_full_disk_leaves_no_half_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archivematica offered a half transfer for approval when the disk was full (artefactual/archivematica#325)."""
    monkeypatch.setattr(packing, "SPARE_BYTES", 2**62)

    with pytest.raises(StorageFull):
        packed(tmp_path, [entry(1)], FILES)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["scans"]


def test_work_that_is_told_to_stop_leaves_nothing(tmp_path: Path) -> None:
    names = scans(tmp_path / "scans", FILES)

    def stop(_more: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        packing.pack(tmp_path / "p", [], source_files(tmp_path / "scans", names), LABEL, told=stop)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["scans"]


def test_what_a_killed_run_left_is_begun_anew(tmp_path: Path) -> None:
    scans(tmp_path / f"package{PARTIAL_SUFFIX}", {"data/old": b"old"})

    made = packed(tmp_path, [entry(1)], FILES)

    assert check_bag(made.path).is_valid is True


# Catalogues


def test_a_catalogue_of_others_is_read_by_its_column_names(tmp_path: Path) -> None:
    path = tmp_path / "文件目录.xml"
    text = """<?xml version="1.0" encoding="GB2312"?>
    <文件目录><row><序号>1</序号><档号>Z109-WS·2011·Y-0001</档号><作者>镇政府</作者><文件题名>㐀通知</文件题名>
    <形成日期>2011</形成日期><自定义>x</自定义></row><row/></文件目录>"""
    path.write_bytes(text.encode("gb18030"))

    first, second = read_catalogue(path)

    assert (first.sequence, first.ref_code, first.responsible, first.title, first.date) == (
        "1",
        "Z109-WS·2011·Y-0001",
        "镇政府",
        "㐀通知",
        "2011",
    )
    assert second == PackageEntry()


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]><a>&c;</a>',
        "<a><b></a>",
        "",
        "<a>",
        '<?xml version="1.0" encoding="KLINGON"?><a/>',
        "<a>" * 100 + "</a>" * 100,
    ],
)
def test_a_catalogue_that_is_damaged_or_hostile_is_refused_with_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / ITEMS
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BadFile) as refused:
        list(read_catalogue(path))

    assert ITEMS in refused.value.reason.zh


def test_bytes_outside_of_the_named_encoding_are_refused(tmp_path: Path) -> None:
    path = tmp_path / ITEMS
    path.write_bytes('<?xml version="1.0" encoding="UTF-8"?><文件目录>'.encode() + "档".encode("gb18030"))

    with pytest.raises(BadFile):
        list(read_catalogue(path))


def test_control_characters_of_a_cell_do_not_break_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / ITEMS
    path.write_bytes(b"".join(catalogue_pieces(ITEMS, [entry(1, title="a\x00b\x0bc\ufffe")])))

    assert [one.title for one in read_catalogue(path)] == ["abc"]


# EEP


def eep_file(folder: Path, files: dict[str, bytes]) -> Path:
    scans(folder / "scans", files)
    sources = [SourceFile(source=folder / "scans" / name, path=name) for name in files]
    items = [EepEntry(entry=entry(1), files=tuple(sources)), EepEntry(entry=entry(2))]
    path = folder / "x.xml"
    path.write_bytes(b"".join(eep_pieces(items, created_at="2026-11-22T10:00:00", created_by="天荒坪镇档案室")))
    return path


def test_an_eep_file_comes_back_as_it_was(tmp_path: Path) -> None:
    content = bytes(range(256)) * 1000
    path = eep_file(tmp_path, {"a/1.tif": content, "empty": b"", "2.pdf": b"x"})

    found = unpack_eep(path, tmp_path / "into")

    assert (found.version, found.created_by) == ("2009", "天荒坪镇档案室")
    assert [one.ref_code for one in found.entries] == list(CODES)
    assert (found.entries[0].file_name, found.entries[1].file_name) == ("a/1.tif;empty;2.pdf", "")
    assert [(one.path, one.size_bytes, one.is_proven) for one in found.files] == [
        ("a/1.tif", 256_000, True),
        ("empty", 0, True),
        ("2.pdf", 1, True),
    ]
    assert (tmp_path / "into/a/1.tif").read_bytes() == content
    assert list((tmp_path / "into").glob(".*")) == []


def test_an_eep_file_of_others_is_opened_as_the_official_layout(tmp_path: Path) -> None:
    """Another prefix, no digest, the name behind the content, lines of 76 characters."""
    content = base64.encodebytes(b"scan" * 100).decode()
    text = f"""<?xml version="1.0" encoding="gb2312"?>
    <e:电子文件封装包 xmlns:e="http://www.saac.gov.cn/standards/ERM/encapsulation"><e:版本>2009</e:版本>
    <e:被签名对象 eep版本="2009"><e:封装内容><e:文件实体块><e:文件实体><e:档号>J001-WS·2012·D30-0001</e:档号>
    <e:内容描述><e:题名>通知</e:题名></e:内容描述>
    <e:文档><e:文档数据><e:编码><e:编码数据>{content}</e:编码数据>
    <e:电子属性><e:计算机文件名>正文.pdf</e:计算机文件名></e:电子属性></e:编码></e:文档数据></e:文档>
    </e:文件实体></e:文件实体块></e:封装内容></e:被签名对象></e:电子文件封装包>"""
    path = tmp_path / "x.xml"
    path.write_bytes(text.encode("gb18030"))

    opened = open_package(path, tmp_path / "into")

    assert [(one.ref_code, one.title, one.file_name) for one in opened.entries()] == [
        ("J001-WS·2012·D30-0001", "通知", "正文.pdf")
    ]
    assert (opened.root / "电子档案/正文.pdf").read_bytes() == b"scan" * 100


@pytest.mark.parametrize("name", ["../x", "/x", "C:\\x", "CON", "a/../../x", "", "~/x"])
def test_an_eep_file_cannot_write_elsewhere(tmp_path: Path, name: str) -> None:
    path = eep_file(tmp_path, {"harmless": b"x"})
    path.write_bytes(path.read_bytes().replace(b">harmless<", f">{name}<".encode()))

    with pytest.raises(BadFile):
        unpack_eep(path, tmp_path / "into")

    assert [one for one in (tmp_path / "into").rglob("*") if one.is_file()] == []


@pytest.mark.parametrize("damage", [(b"eHh4", b"eHh5"), (b"eHh4", b"eH!4"), (b"eHh4", b"eHh"), (b"eHh4", b"")])
def test_content_that_was_changed_in_an_eep_file_is_found(tmp_path: Path, damage: tuple[bytes, bytes]) -> None:
    path = eep_file(tmp_path, {"x": b"xxx"})
    path.write_bytes(path.read_bytes().replace(*damage))

    with pytest.raises(BadFile):
        unpack_eep(path, tmp_path / "into")


def test_an_eep_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = eep_file(tmp_path, {"x": b"x" * 100_000})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(BadFile):
        unpack_eep(path, tmp_path / "into")

    assert [one for one in (tmp_path / "into").rglob("*") if one.is_file()] == []


# Opening


def test_each_kind_is_told_by_what_is_in_it(tmp_path: Path) -> None:
    scans(tmp_path, {"layout/文件目录.xml": b"<a/>", "mets/METS.xml": b"<mets/>", "x.zip": b"PK\x03\x04", "y": b"?"})
    (tmp_path / "empty").mkdir()
    made = packed(tmp_path / "bag", [], {})

    kinds = {name: kind_of(tmp_path / name).value for name in ("layout", "mets", "x.zip", "y", "empty", "absent")}

    assert kinds == {
        "layout": "layout",
        "mets": "mets",
        "x.zip": "archive",
        "y": "unknown",
        "empty": "folder",
        "absent": "unknown",
    }
    assert kind_of(made.path) is PackageKind.BAG


@pytest.mark.parametrize("name", ["mets", "x.zip", "y", "absent"])
def test_what_is_not_taken_is_refused_with_what_it_is(tmp_path: Path, name: str) -> None:
    scans(tmp_path, {"mets/METS.xml": b"<mets/>", "x.zip": b"PK\x03\x04", "y": b"?"})

    with pytest.raises(BadFile) as refused:
        open_package(tmp_path / name, tmp_path)

    assert (refused.value.reason.zh != "", refused.value.hint.zh != "") == (True, True)


def test_links_in_a_folder_are_named_and_not_followed(tmp_path: Path) -> None:
    scans(tmp_path / "p", {"a": b"1"})
    (tmp_path / "p/link").symlink_to(tmp_path)
    refused: list[str] = []

    found = list(files_of(tmp_path / "p", lambda path, _fault: refused.append(path)))

    assert ([one.path for one in found], refused) == (["a"], ["link"])


# Attaching


def files(*paths: str) -> list[PackageFile]:
    return [PackageFile(path=f"电子档案/{path}", size_bytes=1) for path in paths]


def shelved(entries: Sequence[PackageEntry], given: Iterable[PackageFile]) -> Shelf:
    shelf = Shelf()
    for one in entries:
        shelf.entries.put(one, {})
    for file in given:
        shelf.files.put(file, is_record=True)
    return shelf


def entry_of_file(shelf: Shelf) -> tuple[int | None, ...]:
    return tuple(number for _, number in shelf.files.of_kind(are_records=True))


def owners(entries: Sequence[PackageEntry], given: Iterable[PackageFile]) -> tuple[int | None, ...]:
    with closing(shelved(entries, given)) as shelf:
        return entry_of_file(shelf)


@pytest.mark.parametrize(
    "path",
    [
        "Z109-WS·2011·Y·BGS-0001.pdf",
        "Z109-WS.2011.Y.BGS-0001.PDF",
        "z109—ws·2011·y·bgs—1.pdf",
        "2011/Z109-WS·2011·Y·BGS-0001/0001.jpg",
        "Z109-WS·2011·Y·BGS-0001-003.tif",
        "Z109-WS·2011·Y·BGS-0001_p3.tif",
        "Z109-WS·2011·Y·BGS-0001 (2).jpg",
        "Z109-WS·2011·Y·BGS-0001",
    ],
)
def test_a_scan_is_found_by_its_code_in_any_dialect(path: str) -> None:
    assert owners([entry(1), entry(2)], files(path)) == (0,)


def test_what_belongs_together_is_found_and_what_lacks_its_other_half_is_named() -> None:
    entries = [entry(1), entry(2), entry(3, ref_code=CODES[1]), entry(4, file_name="正文.pdf;附件.pdf")]

    with closing(shelved(entries, files(f"{CODES[1]}.pdf", "stray.pdf", "正文.pdf"))) as shelf:
        assert entry_of_file(shelf) == (None, None, 3)
        assert [shelf.files.is_contested(whole_code(code)) for code in CODES] == [False, True]
        assert shelf.files.strays(9) == (2, [f"电子档案/{CODES[1]}.pdf", "电子档案/stray.pdf"])
        assert [len(shelf.files.of_entry(number)) for number in range(4)] == [0, 0, 0, 1]
        assert [shelf.entries.absent_names(number) for number in range(4)] == [[], [], [], ["附件.pdf"]]


def test_a_name_that_the_catalogue_states_outranks_what_it_looks_like() -> None:
    entries = [entry(1), entry(2, file_name=f"{CODES[0]}.pdf")]

    assert owners(entries, files(f"{CODES[0]}.pdf")) == (1,)


def test_the_code_given_by_the_office_finds_its_scan_as_well() -> None:
    """Both codes are kept: scans were named before the archive gave its own."""
    entries = [entry(1, office_code="Z109-2011-Y-7")]

    assert owners(entries, files("Z109-2011-Y-0007.pdf")) == (0,)


def test_pages_are_compared_only_where_all_could_be_counted() -> None:
    three = entry(1, pages="3")

    assert list(page_mismatches(three, ["a", "b"], {"a": 1, "b": 1})) == [
        Mismatch(kind=MismatchKind.PAGES_DIFFER, entry=CODES[0], expected="3", seen="2")
    ]
    assert list(page_mismatches(three, ["a", "b"], {"a": 1, "b": None})) == []
    assert list(page_mismatches(three, ["a"], {"a": 3})) == []


def test_a_page_left_out_is_found_by_the_numbers() -> None:
    found = missing_pages(entry(1), ["x/0001.jpg", "x/0002.jpg", "x/0005.jpg"])

    assert [one.expected for one in found] == ["3", "4"]
    assert list(missing_pages(entry(1), ["0000.jpg", "0001.jpg"])) == []
    assert [one.expected for one in missing_pages(entry(1), ["2.jpg", "3.jpg"])] == ["1"]


@pytest.mark.parametrize(
    ("name", "number"),
    [("0001.jpg", 1), ("p12.tif", 12), ("x-003.tif", 3), ("正文.pdf", None), ("第3页.jpg", 3), ("2011.pdf", 2011)],
)
def test_the_number_of_a_page_is_read_from_its_name(name: str, number: int | None) -> None:
    assert page_number(f"a/{name}") == number
