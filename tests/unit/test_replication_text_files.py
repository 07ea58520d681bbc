"""Texts opened for real: the encodings that archives use are read to their end, and noise is not taken for one."""

import random
from pathlib import Path

import pytest

from protocol.check_results import Outcome
from protocol.check_rules import Phase
from protocol.package_facts import PackageFacts
from replication.checks.opened import Openness
from replication.checks.rule_table import default_rules
from replication.checks.running import check
from replication.checks.text_files import open_text
from replication.packages.reading import PIECE_BYTES
from tests.packages_made import CODES, TODAY, entry, layout_of, scans

SAID = "上石村山林权属登记表\r\n毛竹林承包合同\r\n"
NOISE = random.Random(7).randbytes(4096)
TEXTS = {
    "UTF-8": SAID.encode(),
    "UTF-8 with its mark": SAID.encode("utf-8-sig"),
    "GB18030": SAID.encode("gb18030"),
    "UTF-16": SAID.encode("utf-16"),
    "UTF-16 of the other order": b"\xfe\xff" + SAID.encode("utf-16-be"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_of_any_encoding_in_use_passes_its_rule(tmp_path: Path, name: str) -> None:
    """A probe of one encoding that breaks must not keep the rule from running."""
    scans(tmp_path / "电子档案", {f"{CODES[0]}.txt": TEXTS[name]})
    facts = PackageFacts(today=TODAY)

    found = check(layout_of(tmp_path, [entry(1)]), facts, default_rules(), Phase.TRANSFER)
    opened = next(one for one in found if one.rule == "content_open" and one.path.endswith(".txt"))

    assert (opened.outcome, opened.evidence.en) == (Outcome.PASSED, f"read as {name.split(maxsplit=1)[0]}")


def test_random_bytes_are_no_text(tmp_path: Path) -> None:
    scans(tmp_path / "电子档案", {f"{CODES[0]}.txt": NOISE})

    found = check(layout_of(tmp_path, [entry(1)]), PackageFacts(today=TODAY), default_rules(), Phase.TRANSFER)

    assert [one.outcome for one in found if one.rule == "content_open" and one.path.endswith(".txt")] == [
        Outcome.FAILED
    ]


@pytest.mark.parametrize("name", TEXTS)
def test_a_character_that_lies_across_two_pieces_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "long.txt"
    mark = TEXTS[name][:2] if name.startswith("UTF-16") else b""
    encoding = {"UTF-16": "utf-16-le", "UTF-16 of the other order": "utf-16-be"}.get(name, name.split(maxsplit=1)[0])
    path.write_bytes(mark + ("a" + "档" * (PIECE_BYTES // 2 + 1)).encode(encoding))

    assert open_text(path).openness is Openness.OPENED


@pytest.mark.parametrize("content", [SAID.encode()[:-3] + b"\xe6", SAID.encode("utf-16")[:-1], b"\xff\xfe\x00\xd8"])
def test_a_text_that_was_cut_within_a_character_is_broken(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cut.txt"
    path.write_bytes(content)

    assert open_text(path).openness is Openness.BROKEN
