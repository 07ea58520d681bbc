"""Packages as the tests make them: small scans, their catalogue, and a bag around both."""

import datetime
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from protocol.package_entries import PackageEntry
from protocol.package_paths import normal
from protocol.registration import PartySigning, Registration
from replication.packages.catalogue_xml import FURTHER, ITEMS, catalogue_pieces
from replication.packages.official_layout import README, CarrierNote, note_text
from replication.packages.packing import DEFAULT_STYLE, PackageLabel, PackedPackage, PackingStyle, SourceFile, pack

TODAY = datetime.date(2026, 11, 22)

CODES = ("Z109-WS·2011·Y·BGS-0001", "Z109-WS·2011·Y·BGS-0002")

LABEL = PackageLabel(
    identifier="transfer-1",
    registration=Registration(
        work_name="天荒坪镇 2011 年文书档案 第一批",
        giver=PartySigning(unit="天荒坪镇档案室", filler="张三", signed_on="2026-11-22"),
    ),
    made_on=datetime.date(2026, 11, 22),
    software="danglian test",
)


def entry(number: int, **changes: str) -> PackageEntry:
    """A sound entry; `changes` are its fields otherwise."""
    fields = {
        "sequence": str(number),
        "ref_code": f"Z109-WS·2011·Y·BGS-{number:04}",
        "responsible": "天荒坪镇人民政府",
        "title": f"关于第{number}号山林承包合同的批复",
        "date": "20110305",
        "fonds_no": "Z109",
        "filing_year": "2011",
        "retention": "永久",
        "pages": "1",
        "access_status": "open",
    }
    return msgspec.convert(fields | changes, PackageEntry)


def scans(root: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write files below a folder and return their paths."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return list(files)


def source_files(root: Path, files: Iterable[str]) -> list[SourceFile]:
    """Return files below a folder, each to lie in 电子档案 as it lies there."""
    return [SourceFile(source=root / path, path=normal(path)) for path in files]


def packed(
    folder: Path,
    entries: Iterable[PackageEntry],
    files: Mapping[str, bytes],
    label: PackageLabel = LABEL,
    style: PackingStyle = DEFAULT_STYLE,
) -> PackedPackage:
    """Make a package of these files in a folder of its own."""
    names = scans(folder / "scans", files)
    return pack(folder / "package", list(entries), source_files(folder / "scans", names), label, style)


def layout_of(folder: Path, entries: Iterable[PackageEntry]) -> Path:
    """Write catalogue and note beside the files of a folder, which is then in the official layout."""
    listed = list(entries)
    (folder / "电子档案").mkdir(exist_ok=True, parents=True)
    texts = {
        ITEMS: b"".join(catalogue_pieces(ITEMS, listed)),
        FURTHER: b"".join(catalogue_pieces(FURTHER, listed)),
        README: note_text(CarrierNote(environment="Windows 10")),
    }
    scans(folder, texts)
    return folder


def plain_bag(bag: Path, payload: Mapping[str, bytes], *, version: str = "1.0", algorithm: str = "sha256") -> Path:
    """A bag written by hand, so that any line of it can be wrong."""
    (bag / "data").mkdir(parents=True)
    (bag / "bagit.txt").write_text(f"BagIt-Version: {version}\nTag-File-Character-Encoding: UTF-8\n", encoding="utf-8")
    lines = []
    for name, content in payload.items():
        (bag / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (bag / "data" / name).write_bytes(content)
        lines.append(f"{hashlib.new(algorithm, content).hexdigest()}  data/{name}\n")
    (bag / f"manifest-{algorithm}.txt").write_text("".join(lines), encoding="utf-8")
    return bag
