"""Bags hold for any names and any bytes: what is packed is valid, and one flipped byte anywhere is found."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from protocol.check_rules import Phase
from protocol.package_entries import PackageEntry
from protocol.package_facts import PackageFacts
from protocol.package_paths import LEADS_OUT, path_faults, read, same_to_others, written
from replication.checks.rule_table import default_rules
from replication.checks.running import check
from replication.checks.survey import CheckTools
from replication.packages.bag_checking import check_bag
from replication.packages.bag_writing import BagWriter
from replication.packages.catalogue_xml import ITEMS, catalogue_pieces, read_catalogue
from tests.packages_made import TODAY, entry, packed

IN_HERE = CheckTools(opens_apart=False)

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@given(st.text(max_size=60))
@example("%250A\n%")
def test_a_path_is_read_as_it_was_written(path: str) -> None:
    assert read(written(path)) == path
    assert set("\r\n") & set(written(path)) == set()


@given(PATHS)
def test_a_path_without_faults_stays_inside_whatever_the_system(path: str) -> None:
    assume(not LEADS_OUT & set(path_faults(path)))
    inside = Path("bag").joinpath(*path.replace("\\", "/").split("/"))

    assert ".." not in inside.parts
    assert inside.parts[0] == "bag"


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(PATHS, st.binary(max_size=64), max_size=6))
def test_a_bag_of_any_names_is_valid(payload: dict[str, bytes]) -> None:
    assume(len({same_to_others(path) for path in payload}) == len(payload))
    folders = {path[: place + 1] for path in payload for place, char in enumerate(path) if char == "/"}
    assume(not any(f"{path}/" in folders for path in payload))
    assume(not any(LEADS_OUT & set(path_faults(f"data/{path}")) for path in payload))
    assume(all(len(part.encode()) < 255 for path in payload for part in path.split("/")))
    with tempfile.TemporaryDirectory() as folder:
        bag = Path(folder) / "bag"
        with BagWriter(bag, ("sha256", "sm3")) as writer:
            for path, content in payload.items():
                writer.write(f"data/{path}", (content,))
            writer.seal([("Contact-Name", "某人")])

        verdict = check_bag(bag)

        assert [fault.text.en for fault in verdict.faults if not fault.is_warning] == []
        assert verdict.files == len(payload)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_flipped_bit_of_a_package_is_found(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = packed(Path(folder), [entry(1)], {f"{entry(1).ref_code}/0001.jpg": b"scan", "empty": b""})
        files = sorted(path for path in made.path.rglob("*") if path.is_file() and path.stat().st_size)
        # Nothing stands over the tag manifests but the digest of one, which travels by another way.
        victims = [path for path in files if not path.name.startswith("tagmanifest")]
        victim = data.draw(st.sampled_from(victims))
        content = bytearray(victim.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        victim.unlink()
        victim.write_bytes(content)

        assert check_bag(made.path).is_valid is False
        shutil.rmtree(made.path)


CHARACTERS = st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\ufffe\uffff")
SAID = st.text(CHARACTERS, max_size=40).map(str.strip)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SAID, SAID, SAID), max_size=5), st.sampled_from(["UTF-8", "GB18030"]))
def test_a_catalogue_says_what_was_written_into_it(rows: list[tuple[str, str, str]], encoding: str) -> None:
    entries = [PackageEntry(ref_code=code, title=title, note=note) for code, title, note in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ITEMS
        path.write_bytes(b"".join(catalogue_pieces(ITEMS, entries, encoding=encoding)))

        assert list(read_catalogue(path)) == entries


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_of_any_kind_make_no_reader_crash(content: bytes) -> None:
    """Each either reads the file or says in words that it does not."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "电子档案").mkdir()
        place = Path(folder) / "电子档案" / "x.pdf"
        place.write_bytes(content)
        (Path(folder) / ITEMS).write_bytes(content)
        outcomes = {
            one.evidence.en
            for one in check(Path(folder), PackageFacts(today=TODAY), default_rules(), Phase.FILING, tools=IN_HERE)
            if "the rule broke" in one.evidence.en
        }

        assert outcomes == set()
