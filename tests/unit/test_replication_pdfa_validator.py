"""veraPDF's machine-readable report: only a normal end with a profile of PDF/A is a verdict."""

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest

from replication.checks import pdfa_validator
from replication.checks.pdfa_validator import PdfaValidator, read_report

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<report>
  <buildInformation><releaseDetails id="core" version="1.28.2" buildDate="2025-07-15"/></buildInformation>
  <jobs><job><item size="2146"><name>/x/a.pdf</name></item>
"""
TAIL = """  <duration start="1" finish="2">00:00:00.001</duration></job></jobs>
  <batchSummary totalJobs="1" failedToParse="{parse}" encrypted="{locked}" outOfMemory="{memory}" veraExceptions="0">
    <validationReports compliant="0" nonCompliant="0" failedJobs="0">1</validationReports>
  </batchSummary>
</report>
"""
BROKEN_RULE = (
    '<details passedRules="126" failedRules="1" passedChecks="143" failedChecks="1">'
    '<rule specification="ISO 19005-1:2005" clause="6.2.3.3" testNumber="1" status="failed" failedChecks="1">'
    "<description>d</description></rule></details>"
)


def judged(profile: str, compliant: str, *, status: str = "normal", inside: str = "") -> str:
    return (
        f'<validationReport jobEndStatus="{status}" profileName="{profile} validation profile"'
        f' statement="s" isCompliant="{compliant}">{inside}</validationReport>'
    )


def report(*inside: str, parse: int = 0, locked: int = 0, memory: int = 0) -> io.BytesIO:
    return io.BytesIO((HEAD + "".join(inside) + TAIL.format(parse=parse, locked=locked, memory=memory)).encode())


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ((judged("PDF/A-1B", "true"),), (True, "PASS PDF/A-1B")),
        ((judged("PDF/A-1B", "false", inside=BROKEN_RULE),), (False, "FAIL PDF/A-1B: 6.2.3.3-1")),
        ((judged("PDF/A-4F", "true"), judged("PDF/UA-2", "false")), (True, "PASS PDF/A-4F")),
        ((judged("PDF/A-4", "false"), judged("PDF/UA-2", "true")), (False, "FAIL PDF/A-4: ")),
    ],
)
def test_a_profile_of_pdfa_that_came_to_its_end_is_a_verdict(
    inside: tuple[str, ...], expected: tuple[bool, str]
) -> None:
    assert read_report(report(*inside)) == expected


@pytest.mark.parametrize(
    "said",
    [
        report(judged("PDF/UA-1", "true")),
        report(judged("PDF/A-1B", "true", status="cancelled")),
        report(judged("PDF/A-1B", "")),
        report(
            '<taskException type="PARSE" isExecuted="true" isSuccess="false"><exceptionMessage>m</exceptionMessage>'
            "</taskException>",
            parse=1,
        ),
        report(judged("PDF/A-1B", "true"), '<taskException type="VALIDATE"/>'),
        report(judged("PDF/A-1B", "true"), memory=1),
        report(locked=1),
        io.BytesIO(b""),
        io.BytesIO(b"PASS /x/a.pdf 1b"),
        io.BytesIO(report(judged("PDF/A-1B", "true")).getvalue()[:-40]),
        io.BytesIO(b"java.lang.OutOfMemoryError: Java heap space"),
    ],
)
def test_whatever_else_it_says_nobody_has_judged(said: io.BytesIO) -> None:
    """That a file conforms to PDF/UA says nothing of PDF/A; a report that was cut says nothing at all."""
    conforms, reason = read_report(said)

    assert (conforms, bool(reason)) == (None, True)


def is_alive(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").split()[2] not in {"Z", "X"}
    except OSError:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script with an interpreter line")
def test_a_validator_that_hangs_is_ended_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The launcher is a script: ended alone, it would leave the Java machine with our end of the pipe."""
    monkeypatch.setattr(pdfa_validator, "VALIDATE_S", 0.5)
    program, mark = tmp_path / "verapdf", tmp_path / "child"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "veraPDF 1.28.2" && exit 0\n'
        f'{sys.executable} -c \'import os,time; open("{mark}", "w").write(str(os.getpid())); time.sleep(600)\'\n',
        encoding="utf-8",
    )
    program.chmod(0o700)

    with pytest.raises(subprocess.TimeoutExpired):
        PdfaValidator(str(program)).validate(tmp_path / "a.pdf")

    if mark.exists() and (child := mark.read_text(encoding="utf-8")):
        # A signal is on its way for a moment; a child that nobody ended would live for ten minutes.
        while is_alive(child):
            time.sleep(0.01)
