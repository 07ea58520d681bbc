"""Files that others made to be opened: PDF/A test files, PDFs broken on purpose, OFD; no crash, and no false word.

Run with ``-s`` to see the table of what was decided.
"""

import collections
import tarfile
from pathlib import Path

import pytest

from protocol.check_results import Outcome
from protocol.check_rules import CheckRules, Phase
from protocol.package_facts import PackageFacts
from replication.checks.rule_table import default_rules
from replication.checks.running import check
from tests.packages_made import TODAY, entry, layout_of

FORMATS = "11_file_formats"
RULES: CheckRules = default_rules()

FILE_RULES = ("content_open", "format_whitelist", "longterm_format", "no_private_compression_or_encryption")

UNOPENABLE = {
    "T02-01_001_document-catalog-No-document-catalog.pdf",
    "T02-01_003_document-catalog-indirecte-pages-reference-missing.pdf",
    "T02-01_004_document-catalog-incorrect-pages-reference.pdf",
    "T02-02_001_no-page-tree-node.pdf",
    "T02-02_002_page-tree-kids-links-recursive.pdf",
    "T02-02_004_page-tree-non-existing-object-as-kid.pdf",
    "T02-02_005_page-tree-no-kids.pdf",
    "T02-03_006_page-object-missing.pdf",
    "T04_012_trailer-root-no-indirect-reference.pdf",
    "T04_013_trailer-root-invalid-indirect-reference.pdf",
    "T04_014_trailer-root-indirect-reference-to-wrong-object.pdf",
    "minimal_test.pdf",
}
"""Of the broken PDFs, those in which no page can be found; all others open after a repair, and a person must look."""


def judged(shared_data: Path, folder: Path, name: str) -> dict[str, dict[str, Outcome]]:
    """What the rules on files say of every file of an archive, by its name."""
    with tarfile.open(next((shared_data / FORMATS).glob(f"{name}*"))) as packed:
        packed.extractall(folder / "电子档案", filter="data")
    layout_of(folder, [entry(1)])
    found: dict[str, dict[str, Outcome]] = collections.defaultdict(dict)
    for one in check(folder, PackageFacts(today=TODAY), RULES, Phase.FILING):
        if one.path.startswith("电子档案/") and one.rule in FILE_RULES and not one.path.endswith(".md"):
            found[one.path.rpartition("/")[2]][one.rule] = one.outcome
    return found


def told(title: str, found: dict[str, dict[str, Outcome]]) -> None:
    """Print what was decided, rule by rule."""
    print(f"\n{title}: {len(found)} files")
    for rule in FILE_RULES:
        counts = collections.Counter(one[rule].value for one in found.values())
        print(f"  {rule:40} " + "  ".join(f"{word} {count}" for word, count in sorted(counts.items())))


def test_of_the_pdfa_test_files_none_that_conforms_is_refused(shared_data: Path, tmp_path: Path) -> None:
    """Without a validator nothing is passed either: what claims to be PDF/A has not been proven."""
    found = judged(shared_data, tmp_path, "verapdf")
    told("veraPDF PDF/A-1b", found)

    conforming = [one["longterm_format"] for name, one in found.items() if "-pass-" in name]
    violating = [one["longterm_format"] for name, one in found.items() if "-fail-" in name]

    assert (len(conforming), set(conforming)) == (50, {Outcome.NOT_RUN})
    assert (len(violating), set(violating)) == (50, {Outcome.NOT_RUN, Outcome.FAILED})
    assert {one["content_open"] for one in found.values()} == {Outcome.PASSED}


def test_broken_pdfs_are_refused_or_shown_to_a_person(shared_data: Path, tmp_path: Path) -> None:
    found = judged(shared_data, tmp_path, "pdf_handbuilt")
    told("PDFs broken on purpose", found)

    assert {name for name, one in found.items() if one["content_open"] is Outcome.FAILED} == UNOPENABLE
    assert {one["content_open"] for one in found.values()} == {Outcome.FAILED, Outcome.MANUAL}


def test_ofd_files_are_followed_to_their_pages(shared_data: Path, tmp_path: Path) -> None:
    found = judged(shared_data, tmp_path, "ofd")
    told("OFD", found)

    assert len(found) == 15
    assert {outcome for one in found.values() for outcome in one.values()} == {Outcome.PASSED}


@pytest.mark.parametrize("cut", [1, 2, 10])
def test_ofd_files_that_were_cut_are_refused(shared_data: Path, tmp_path: Path, cut: int) -> None:
    with tarfile.open(next((shared_data / FORMATS).glob("ofd*"))) as packed:
        packed.extractall(tmp_path / "电子档案", filter="data")
    files = sorted((tmp_path / "电子档案").rglob("*.ofd"))
    for path in files:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) * cut // (cut + 1)])
    layout_of(tmp_path, [entry(1)])

    found = check(tmp_path, PackageFacts(today=TODAY), RULES, Phase.FILING)
    opened = [one.outcome for one in found if one.rule == "content_open"]

    assert (len(opened), set(opened)) == (15, {Outcome.FAILED})
