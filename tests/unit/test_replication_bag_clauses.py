"""RFC 8493 clause by clause, in bags made to break each; where bagit-python judges otherwise, it is said why.

Each line of the table is one bag: what is written into it, whether it is valid, and what is said of it.
"""

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import bagit
import msgspec
import pytest

from replication.packages.bag_checking import BagVerdict, check_bag
from replication.packages.bag_faults import BagFaultCode

DECLARED = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
FILES = {"a.txt": b"one", "d/b.txt": b"two"}


def sha(content: bytes, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, content).hexdigest()


ONE, TWO = sha(b"one"), sha(b"two")
BOTH = f"{ONE}  data/a.txt\n{TWO}  data/d/b.txt\n"


class Bag(msgspec.Struct, frozen=True, kw_only=True):
    """One bag, and what is to be said of it."""

    files: Mapping[str, bytes] = msgspec.field(default_factory=FILES.copy)
    declared: bytes = DECLARED
    manifest: bytes | None = None
    """None: a right one."""
    tags: Mapping[str, bytes] = {}
    valid: bool
    said: tuple[str, ...] = ()
    """Codes of the faults, in the order of their words."""
    theirs: bool | None = None
    """What bagit-python says, where it is wrong or where the standard leaves it open; None: the same as we."""
    why: str = ""
    is_theirs_by_chance: bool = False
    """bagit-python says now this, now that: by the order in which the disk lists the files."""


def declared(version: str, encoding: str = "UTF-8") -> bytes:
    return f"BagIt-Version: {version}\nTag-File-Character-Encoding: {encoding}\n".encode()


def info(text: str) -> dict[str, bytes]:
    return {"bag-info.txt": text.encode()}


def fetch(text: str) -> dict[str, bytes]:
    return {"fetch.txt": text.encode()}


CLAUSES: dict[str, Bag] = {
    # 2.1.1 Bag declaration
    "sound": Bag(valid=True),
    "declared with CRLF": Bag(declared=DECLARED.replace(b"\n", b"\r\n"), valid=True),
    "declared without a last line end": Bag(declared=DECLARED[:-1], valid=True),
    "declared with a byte order mark": Bag(declared=b"\xef\xbb\xbf" + DECLARED, valid=False, said=("declaration",)),
    "declared in lower case": Bag(declared=DECLARED.lower(), valid=False, said=("declaration",)),
    "declared in the other order": Bag(
        declared=b"".join(reversed(DECLARED.splitlines(keepends=True))),
        valid=False,
        said=("declaration",),
        theirs=True,
        why="the standard wants exactly these two lines in this order",
    ),
    "declared with a third line": Bag(
        declared=DECLARED + b"X: y\n", valid=False, said=("declaration",), theirs=True, why="exactly two lines"
    ),
    "an empty declaration": Bag(declared=b"", valid=False, said=("declaration",)),
    "declared in bytes that are no text": Bag(
        declared=b"\xff\xfe" * 9, valid=False, said=("declaration",), theirs=None
    ),
    "version 0.93": Bag(declared=declared("0.93"), valid=True),
    "version 0.94": Bag(declared=declared("0.94"), valid=True),
    "version 0.95": Bag(declared=declared("0.95"), valid=True),
    "version 0.96": Bag(declared=declared("0.96"), valid=True),
    "version 0.97": Bag(declared=declared("0.97"), valid=True),
    "version 0.98": Bag(
        declared=declared("0.98"), valid=False, said=("version",), theirs=True, why="there never was a 0.98"
    ),
    "version 2.0": Bag(declared=declared("2.0"), valid=False, said=("version",)),
    "an encoding of no text": Bag(declared=declared("1.0", "rot13"), valid=False, said=("encoding",), theirs=False),
    "an encoding that nobody knows": Bag(declared=declared("1.0", "KLINGON"), valid=False, said=("encoding",)),
    # 2.1.2, 2.1.3 Payload and its manifests
    "no files at all": Bag(files={}, valid=True),
    "manifest without a last line end": Bag(manifest=BOTH[:-1].encode(), valid=True),
    "manifest with CRLF": Bag(manifest=BOTH.replace("\n", "\r\n").encode(), valid=True),
    "manifest with CR": Bag(manifest=BOTH.replace("\n", "\r").encode(), valid=True),
    "manifest with blank lines": Bag(manifest=b"\n" + BOTH.encode() + b"\n\n", valid=True),
    "manifest with a byte order mark": Bag(manifest=b"\xef\xbb\xbf" + BOTH.encode(), valid=True, said=("bom",)),
    "manifest in UTF-16": Bag(
        declared=declared("1.0", "UTF-16"), manifest=BOTH.encode("utf-16"), valid=True, why="5.2: any encoding"
    ),
    "manifest in GB18030": Bag(
        files={"档案𠀀.txt": b"one"},
        declared=declared("1.0", "GB18030"),
        manifest=f"{ONE}  data/档案𠀀.txt\n".encode("gb18030"),
        valid=True,
    ),
    "manifest in another encoding than said": Bag(
        files={"档案.txt": b"one"},
        manifest=f"{ONE}  data/档案.txt\n".encode("gbk"),
        valid=False,
        said=("encoding", "unlisted"),
        theirs=False,
    ),
    "digests in upper case": Bag(manifest=BOTH.replace(ONE, ONE.upper()).encode(), valid=True),
    "a tab between": Bag(manifest=BOTH.replace("  ", "\t").encode(), valid=True),
    "one blank between": Bag(manifest=BOTH.replace("  ", " ").encode(), valid=True),
    "md5sum's asterisk": Bag(manifest=BOTH.replace("  ", " *").encode(), valid=True, said=("md5sum", "md5sum")),
    "names with ./": Bag(
        manifest=BOTH.replace("data/a", "./data/a").encode(), valid=True, said=("dot_slash",), why="tools write it so"
    ),
    "a line of nothing": Bag(
        manifest=BOTH.encode() + b"hello\n",
        valid=False,
        said=("line",),
        theirs=True,
        why="a line that says nothing is passed over there",
    ),
    "a comment": Bag(
        manifest=b"# made by hand\n" + BOTH.encode(),
        valid=False,
        said=("line",),
        theirs=True,
        why="a manifest has no comments",
    ),
    "a line of twenty megabytes": Bag(
        manifest=f"{ONE}  data/{'x' * 100_000}\n".encode(), valid=False, said=("encoding", "unlisted", "unlisted")
    ),
    "a digest that is cut": Bag(manifest=BOTH.replace(ONE, ONE[:9]).encode(), valid=False, said=("digest",)),
    "the other file's digest": Bag(manifest=BOTH.replace(ONE, TWO).encode(), valid=False, said=("digest",)),
    "an empty manifest": Bag(manifest=b"", valid=False, said=("unlisted", "unlisted")),
    "a file too many": Bag(files={**FILES, "c": b"3"}, manifest=BOTH.encode(), valid=False, said=("unlisted",)),
    "a file too few": Bag(files={"a.txt": b"one"}, manifest=BOTH.encode(), valid=False, said=("missing",)),
    "listed twice alike": Bag(manifest=f"{ONE}  data/a.txt\n{BOTH}".encode(), valid=False, said=("listed_twice",)),
    "listed twice alike, before 1.0": Bag(
        declared=declared("0.97"), manifest=f"{ONE}  data/a.txt\n{BOTH}".encode(), valid=True, said=("listed_twice",)
    ),
    "listed twice with two digests": Bag(
        manifest=f"{TWO}  data/a.txt\n{BOTH}".encode(), valid=False, said=("contradictory", "digest")
    ),
    "a folder is listed": Bag(manifest=BOTH.encode() + f"{ONE}  data/d\n".encode(), valid=False, said=("missing",)),
    "names in another case": Bag(
        manifest=BOTH.replace("a.txt", "A.TXT").encode(), valid=False, said=("clash", "missing", "unlisted")
    ),
    "a name in another normal form": Bag(
        files={"cafe\u0301": b"one"}, manifest=f"{ONE}  data/caf\u00e9\n".encode(), valid=True, said=("spelling",)
    ),
    "both normal forms": Bag(
        files={"cafe\u0301": b"one", "caf\u00e9": b"two"},
        valid=True,
        said=("clash",),
        why="two files are two files; bagit-python takes their names for one, and the file that was listed last",
        is_theirs_by_chance=True,
    ),
    "percent, CR and LF escaped": Bag(
        files={"100%.txt": b"one", "a\nb": b"two", "c\rd": b"3", "a%0Ab": b"4"},
        valid=True,
        said=("portable", "portable"),
        theirs=False,
        why="2.1.3: all three are escaped; bagit-python leaves the percent sign as it is",
    ),
    "escaped in lower case": Bag(
        files={"a\nb": b"one"},
        manifest=f"{ONE}  data/a%0ab\n".encode(),
        valid=True,
        said=("portable",),
        theirs=False,
        why="hexadecimal digits have no case",
    ),
    "other escapes stand for themselves": Bag(
        files={"A": b"one"}, manifest=f"{ONE}  data/%41\n".encode(), valid=False, said=("missing", "unlisted")
    ),
    "line ends of Unicode are part of a name": Bag(
        files={"a\u2028b": b"one", "c\x85d": b"two", "e\x0bf": b"3"},
        valid=True,
        said=("portable", "portable"),
        theirs=False,
        why="2.1.3: a line ends at LF, CR or CRLF and at nothing else",
    ),
    "a name of 255 bytes": Bag(files={"x" * 255: b"one"}, valid=True, said=("portable",)),
    "eighty folders deep": Bag(files={"d/" * 80 + "x": b"one"}, valid=True),
    "devices of Windows": Bag(
        files={"CON": b"1", "aux.txt": b"2"}, valid=True, said=("portable", "portable"), theirs=None
    ),
    # 2.2.1 Tag manifests, 2.2.2 bag-info, 2.2.3 fetch
    "tag manifest lists the payload": Bag(
        tags={"tagmanifest-sha256.txt": f"{sha(BOTH.encode())}  manifest-sha256.txt\n{ONE}  data/a.txt\n".encode()},
        valid=False,
        said=("outside",),
    ),
    "tag manifest leads out": Bag(
        tags={"tagmanifest-sha256.txt": f"{sha(BOTH.encode())}  manifest-sha256.txt\n{ONE}  ../x\n".encode()},
        valid=False,
        said=("path",),
    ),
    "tag manifest without the manifest": Bag(
        tags={"tagmanifest-sha256.txt": f"{sha(DECLARED)}  bagit.txt\n".encode()},
        valid=False,
        said=("manifest_unlisted",),
        theirs=True,
        why="2.2.1: every payload manifest must be listed",
    ),
    "manifests that disagree": Bag(
        tags={
            "manifest-sha512.txt": (
                f"{sha(b'x', 'sha512')}  data/a.txt\n" + f"{sha(b'two', 'sha512')}  data/d/b.txt\n"
            ).encode()
        },
        valid=False,
        said=("digest",),
    ),
    "a second manifest with less": Bag(
        tags={"manifest-sha512.txt": f"{sha(b'one', 'sha512')}  data/a.txt\n".encode()},
        valid=False,
        said=("not_in_every_manifest",),
        theirs=True,
        why="3: from 1.0 every manifest lists every file",
    ),
    "an algorithm that nobody has": Bag(
        tags={"manifest-gost.txt": BOTH.encode()},
        valid=False,
        said=("algorithm",),
        theirs=True,
        why="what cannot be computed is passed over there, and proves nothing",
    ),
    "bag-info with folded lines": Bag(tags=info("External-Description: a\n  b\n\tc\n"), valid=True),
    "bag-info without a colon": Bag(tags=info("hello\n"), valid=False, said=("info",)),
    "an oxum that is right": Bag(tags=info("Payload-Oxum: 6.2\n"), valid=True),
    "an oxum with a file too many": Bag(tags=info("Payload-Oxum: 6.3\n"), valid=False, said=("oxum",)),
    "an oxum of no numbers": Bag(tags=info("Payload-Oxum: many\n"), valid=False, said=("oxum",), theirs=False),
    "an oxum in another case": Bag(
        tags=info("payload-oxum: 6.3\n"),
        valid=False,
        said=("oxum",),
        theirs=True,
        why="2.2.2: labels have no case",
    ),
    "two oxums of which one is wrong": Bag(
        tags=info("Payload-Oxum: 6.2\nPayload-Oxum: 7.2\n"),
        valid=False,
        said=("oxum",),
        theirs=True,
        why="2.2.2: it must not be repeated",
    ),
    "a fetch list whose files are here": Bag(
        tags=fetch("http://127.0.0.1:9/a - data/a.txt\n"), valid=True, said=("fetch",)
    ),
    "a hole": Bag(
        tags=fetch("http://127.0.0.1:9/z 3 data/z.txt\n"),
        valid=False,
        said=("fetch", "hole"),
        theirs=True,
        why="2.2.3: what is to be fetched must be listed in every manifest",
    ),
    "a fetch list that leads out": Bag(
        tags=fetch("http://127.0.0.1:9/a 3 ../../a\n"), valid=False, said=("fetch", "path")
    ),
    "an address with a blank": Bag(
        tags=fetch("http://127.0.0.1:9/a b 3 data/a.txt\n"),
        valid=False,
        said=("fetch", "line"),
        theirs=True,
        why="2.2.3: blanks of an address are escaped",
    ),
    "a fetch list of nothing": Bag(tags=fetch("hello\n"), valid=False, said=("fetch", "line"), theirs=False),
}


def made(folder: Path, bag: Bag) -> Path:
    """Write a bag."""
    for path, content in bag.files.items():
        place = folder / "data" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "bagit.txt").write_bytes(bag.declared)
    right = "".join(
        f"{sha(content)}  data/{path.replace('%', '%25').replace(chr(10), '%0A').replace(chr(13), '%0D')}\n"
        for path, content in bag.files.items()
    )
    (folder / "manifest-sha256.txt").write_bytes(right.encode() if bag.manifest is None else bag.manifest)
    for name, content in bag.tags.items():
        (folder / name).write_bytes(content)
    return folder


def codes(verdict: BagVerdict) -> tuple[str, ...]:
    return tuple(sorted(fault.code.value for fault in verdict.faults))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.skipif(os.name == "nt", reason="these names cannot be made there")
@pytest.mark.parametrize("clause", CLAUSES)
def test_each_clause_is_judged_and_every_fault_names_its_remedy(tmp_path: Path, clause: str) -> None:
    bag = CLAUSES[clause]

    verdict = check_bag(made(tmp_path / "bag", bag))

    assert (verdict.is_valid, codes(verdict)) == (bag.valid, bag.said)
    for fault in verdict.faults:
        assert all((fault.text.zh, fault.text.en, fault.remedy.zh, fault.remedy.en))


@pytest.mark.skipif(os.name == "nt", reason="as above")
@pytest.mark.parametrize("clause", CLAUSES)
def test_the_maintained_library_says_the_same_but_where_it_is_known_not_to(tmp_path: Path, clause: str) -> None:
    """What it raises on input that it does not understand counts as "not valid"."""
    bag = CLAUSES[clause]
    folder = made(tmp_path / "bag", bag)
    try:
        theirs = bagit.Bag(str(folder)).is_valid()
    except (bagit.BagError, ValueError, TypeError, OSError):
        theirs = False

    assert bag.is_theirs_by_chance or theirs == (bag.valid if bag.theirs is None else bag.theirs)
    assert bag.theirs in {None, bag.valid} or bag.why or not theirs


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha512"])
@pytest.mark.parametrize("version", ["0.93", "0.97", "1.0"])
def test_one_old_manifest_alone_is_enough(tmp_path: Path, algorithm: str, version: str) -> None:
    folder = made(tmp_path / "bag", Bag(declared=declared(version), valid=True))
    (folder / "manifest-sha256.txt").unlink()
    lines = "".join(f"{sha(content, algorithm)}  data/{path}\n" for path, content in FILES.items())
    (folder / f"manifest-{algorithm}.txt").write_text(lines, encoding="utf-8")
    assert check_bag(folder).is_valid is True

    (folder / "data/a.txt").write_bytes(b"onE")

    assert codes(check_bag(folder)) == ("digest",)


def test_what_stands_in_the_place_of_a_tag_file_or_of_the_payload_is_named(tmp_path: Path) -> None:
    """A folder, a link or a file where something else belongs."""
    link, file, lost = (made(tmp_path / name, Bag(valid=True)) for name in ("link", "file", "lost"))
    (link / "data").rename(tmp_path / "elsewhere")
    (link / "data").symlink_to(tmp_path / "elsewhere")
    (file / "data").rename(tmp_path / "away")
    (file / "data").write_bytes(b"")
    (lost / "manifest-sha256.txt").rename(tmp_path / "m")
    (lost / "manifest-sha256.txt").symlink_to(tmp_path / "m")

    assert codes(check_bag(link)) == ("no_payload",)
    assert codes(check_bag(file)) == ("no_payload",)
    assert codes(check_bag(lost)) == ("no_manifest",)


@pytest.mark.skipif(os.name == "nt", reason="as above")
def test_a_name_that_is_no_text_is_named_with_its_bytes(tmp_path: Path) -> None:
    """Names in GBK, as a stick from an old program has them on Linux."""
    folder = made(tmp_path / "bag", Bag(valid=True))
    (Path(os.fsdecode(os.fsencode(folder / "data") + b"/" + "档案.txt".encode("gbk")))).write_bytes(b"x")

    (fault,) = check_bag(folder).faults

    assert (fault.code, fault.is_warning) == (BagFaultCode.PORTABLE, False)
    assert "\\udcb5\\udcb5" in fault.text.zh


@pytest.mark.skipif(os.name == "nt", reason="as above")
def test_many_lines_of_files_that_are_not_there_are_judged_in_time_that_grows_with_them(tmp_path: Path) -> None:
    """Each is looked for under its other spellings: by an index, and not by going through all."""
    folder = made(tmp_path / "bag", Bag(files={f"{number}": b"" for number in range(500)}, valid=True))
    lines = "".join(f"{ONE}  data/gone-{number}\n" for number in range(5_000))
    (folder / "manifest-sha256.txt").write_text(lines, encoding="utf-8")

    verdict = check_bag(folder)

    assert (verdict.errors, verdict.files) == (5_500, 0)
