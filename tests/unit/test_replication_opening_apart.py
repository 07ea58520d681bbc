"""Files opened by a program apart: what keeps it, fills its memory or crashes it ends one file, never the checks."""

import io
import os
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from protocol.check_results import Outcome
from protocol.check_rules import Phase
from protocol.package_facts import PackageFacts
from protocol.wording import Text
from replication.checks import opening_apart
from replication.checks.opened import Openness
from replication.checks.opening_apart import OpeningApart, OpeningFailed
from replication.checks.opening_worker import OpeningTask, done
from replication.checks.rule_table import default_rules
from replication.checks.running import check
from tests.packages_made import TODAY, entry, layout_of, scans


def bomb() -> bytes:
    """A PDF of some 100 kB, written by hand, whose one page unpacks to 64 GB of zeros."""
    zeros = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = zeros.compress(bytes(2**26)) + zeros.flush(zlib.Z_FULL_FLUSH)
    packed = zlib.compress(b"\x78\xda" + block * 1_000, 1)
    head = (
        b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>\nendobj\n"
    )
    stream = b"4 0 obj\n<</Length %d/Filter[/FlateDecode/FlateDecode]>>\nstream\n" % len(packed)
    return head + stream + packed + b"\nendstream\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"


def memory_bomb() -> bytes:
    """A PDF of some 16 kB whose table of objects unpacks to 2.5 GB, which qpdf keeps in memory as a whole."""
    zeros = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = zeros.compress(bytes(2**26)) + zeros.flush(zlib.Z_FULL_FLUSH)
    packed = zlib.compress(b"\x78\xda" + block * 40, 1)
    head = b"%PDF-1.5\n"
    table = b"1 0 obj\n<</Type/XRef/W[1 2 1]/Size 4/Root 2 0 R/Length %d/Filter[/FlateDecode/FlateDecode]>>\nstream\n"
    end = b"\nendstream\nendobj\nstartxref\n%d\n" % len(head)
    return head + table % len(packed) + packed + end + b"%%EOF\n"


def jpeg() -> bytes:
    content = io.BytesIO()
    Image.new("L", (8, 8)).save(content, "JPEG")
    return content.getvalue()


@pytest.fixture
def apart() -> Iterator[OpeningApart]:
    with OpeningApart(open_s=30.0) as opening:
        yield opening


def test_what_the_program_apart_says_is_what_opening_here_says(apart: OpeningApart, tmp_path: Path) -> None:
    scans(tmp_path, {"a.jpg": jpeg(), "b.jpg": b"\xff\xd8\xff junk", "c.pdf": b"%PDF-1.4 junk"})

    for name, format_name in (("a.jpg", "JPEG"), ("b.jpg", "JPEG"), ("c.pdf", "PDF")):
        here = done(OpeningTask(format=format_name, path=str(tmp_path / name))).opened
        assert apart.open(format_name, tmp_path / name) == here


def test_a_file_that_does_not_come_to_an_end_is_given_up_and_the_next_is_opened(tmp_path: Path) -> None:
    scans(tmp_path, {"bomb.pdf": bomb(), "a.jpg": jpeg()})

    with OpeningApart(open_s=1.0) as apart:
        given_up = apart.open("PDF", tmp_path / "bomb.pdf")
        apart.open_s = 60.0
        following = apart.open("JPEG", tmp_path / "a.jpg")

    assert (given_up.openness, "1 s" in given_up.evidence.en) == (Openness.TOO_LARGE, True)
    assert following.openness is Openness.OPENED


def test_a_file_that_fills_the_memory_is_given_up_and_the_next_is_opened(tmp_path: Path) -> None:
    scans(tmp_path, {"bomb.pdf": memory_bomb(), "a.jpg": jpeg()})

    with OpeningApart(memory_bytes=128 * 2**20) as apart:
        given_up = apart.open("PDF", tmp_path / "bomb.pdf")
        following = apart.open("JPEG", tmp_path / "a.jpg")

    assert (given_up.openness, "128 MB" in given_up.evidence.en) == (Openness.TOO_LARGE, True)
    assert following.openness is Openness.OPENED


def test_a_bomb_is_for_a_person_and_is_not_said_to_be_unencrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpeningApart.__init__, "__kwdefaults__", {"open_s": 1.0, "memory_bytes": 2**30})
    scans(tmp_path / "电子档案", {"bomb.pdf": bomb()})
    layout_of(tmp_path, [entry(1)])

    found = {
        one.rule: one.outcome
        for one in check(tmp_path, PackageFacts(today=TODAY), default_rules(), Phase.FILING)
        if one.path.endswith(".pdf")
    }

    assert found["content_open"] is Outcome.MANUAL
    assert found["no_private_compression_or_encryption"] is Outcome.NOT_RUN
    assert found["longterm_format"] is Outcome.NOT_RUN


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_program_that_crashes_is_told_and_started_again(apart: OpeningApart, tmp_path: Path) -> None:
    scans(tmp_path, {"a.jpg": jpeg()})
    assert apart.open("JPEG", tmp_path / "a.jpg").openness is Openness.OPENED
    process = apart._process
    assert process is not None
    os.kill(process.pid, signal.SIGSEGV)
    process.wait()

    crashed = apart.open("JPEG", tmp_path / "a.jpg")

    assert (crashed.openness, crashed.pages) == (Openness.CRASHED, None)
    assert apart.open("JPEG", tmp_path / "a.jpg").openness is Openness.OPENED


def test_a_program_that_is_killed_in_the_moment_of_its_answer_is_not_used_again(
    apart: OpeningApart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer holds, and the next file, which has done nothing, is opened by another one."""
    scans(tmp_path, {"a.jpg": jpeg()})

    def late(process: "subprocess.Popen[bytes]", answered: threading.Event) -> list[Text]:
        assert answered.wait(30)
        process.kill()
        process.wait()
        return [Text(zh="太久", en="too long")]

    with monkeypatch.context() as slow:
        slow.setattr(apart, "_watched", late)
        first = apart.open("JPEG", tmp_path / "a.jpg")
    second = apart.open("JPEG", tmp_path / "a.jpg")

    assert [first.openness, second.openness] == [Openness.OPENED] * 2


def test_a_library_that_raises_what_nobody_expected_is_told(apart: OpeningApart, tmp_path: Path) -> None:
    gone = apart.open("PDF", tmp_path / "gone.pdf")

    assert (gone.openness, "gone.pdf" in gone.evidence.en) == (Openness.CRASHED, True)
    with pytest.raises(OpeningFailed):
        apart.disprove(tmp_path / "gone.pdf")


def test_a_program_that_cannot_be_started_again_leaves_the_rule_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening_apart, "_COMMAND", ("-P", "-c", "import sys; sys.exit(3)"))
    scans(tmp_path / "电子档案", {"a.jpg": jpeg()})
    layout_of(tmp_path, [entry(1)])

    found = [
        one.outcome
        for one in check(tmp_path, PackageFacts(today=TODAY), default_rules(), Phase.FILING)
        if one.rule == "content_open"
    ]

    assert found == [Outcome.NOT_RUN]
