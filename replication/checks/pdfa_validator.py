"""PDF/A judged by veraPDF, the maintained validator, where the program is installed; it is a tool of its own (Java).

Its machine-readable report is read (``--format mrr``, XML; 1.24 to 1.31 write it alike): a verdict is a
``validationReport`` of a profile of PDF/A that came to its normal end. A file may be judged by several profiles: that
it conforms to PDF/UA says nothing of PDF/A. Whatever else the report holds, or if there is none, nobody has judged.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

import msgspec

from protocol.errors import BadFile
from replication.packages.reading import PIECE_BYTES
from replication.packages.xml_reading import local, read_xml

PROGRAM = "verapdf"

VALIDATE_S = 120.0
"""Seconds for one file: the program starts a Java machine each time."""

VERSION_S = 30.0
"""Seconds to be told its version."""

REPORT_BYTES_MAX = 64 * 1024 * 1024
"""Bytes of a report that are read; it tells the first hundred failures of each rule."""

ANSWER_SHOWN_CHARS = 200
"""Characters of its answer that evidence repeats."""

CLAUSES_SHOWN_MAX = 5
"""Clauses that are told of those not kept to."""

KILL: Final = 9
"""Number of the signal that nothing can put off; Windows has no name for it."""

_OF_PDFA: Final = "PDF/A"


class PdfaVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the validator said; ``conforms`` is None where it could not judge."""

    conforms: bool | None
    said: str
    version: str


class PdfaValidator:
    """Runs one installed veraPDF."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._version = ""

    def validate(self, path: Path) -> PdfaVerdict:
        """Judge one file by the part that it claims.

        Raises:
            OSError: the program cannot be started.
            subprocess.TimeoutExpired: it did not come to an end.

        """
        if not self._version:
            with self._ran(["--version"], VERSION_S) as told:
                first = told.read(PIECE_BYTES).decode("utf-8", "replace").strip()
                self._version = first.splitlines()[0] if first else "?"
        with self._ran(["--format", "mrr", str(path.resolve())], VALIDATE_S) as report:
            conforms, said = read_report(report)
        return PdfaVerdict(conforms=conforms, said=said[:ANSWER_SHOWN_CHARS], version=self._version)

    def _ran(self, arguments: Sequence[str], deadline_s: float) -> IO[bytes]:
        """Run it and return what it wrote, in a file: a pipe would be held open by what it started itself."""
        output = tempfile.TemporaryFile()  # noqa: SIM115 - whoever asked reads and closes it
        try:
            # A script starts the Java machine: with a group of its own both can be ended.
            process = subprocess.Popen(
                [self._program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                process.wait(deadline_s)
            finally:
                _end(process)
            output.seek(0)
        except BaseException:
            output.close()
            raise
        return output


def read_report(report: IO[bytes]) -> tuple[bool | None, str]:
    """Return what a report says of its one file: whether it conforms (None: nobody judged), and the reason in short."""
    seen = _Seen()
    try:
        for _ in read_xml(iter(lambda: report.read(PIECE_BYTES), b""), "veraPDF", seen.start, seen.end, seen.text):
            if report.tell() > REPORT_BYTES_MAX:
                return None, "> REPORT_BYTES_MAX"
    except BadFile as error:
        return None, error.reason.en
    return seen.verdict()


class _Seen:
    """What a report has told so far."""

    def __init__(self) -> None:
        self._judged: list[tuple[str, bool]] = []
        self._other: list[str] = []
        self._clauses: dict[str, None] = {}
        self._profile = ""
        self._in_exception = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = local(tag)
        if name == "validationReport":
            self._profile = attributes.get("profileName", "")
            status, compliant = attributes.get("jobEndStatus", ""), attributes.get("isCompliant", "")
            is_judged = status == "normal" and compliant in {"true", "false"} and self._profile.startswith(_OF_PDFA)
            if is_judged:
                self._judged.append((self._profile, compliant == "true"))
            else:
                self._other.append(f"{self._profile} {status}".strip())
        elif name == "rule" and attributes.get("status") == "failed" and self._profile.startswith(_OF_PDFA):
            self._clauses[f"{attributes.get('clause', '?')}-{attributes.get('testNumber', '?')}"] = None
        elif name == "taskException":
            self._other.append(f"{attributes.get('type', '')} exception")
            self._in_exception = True
        elif name == "batchSummary":
            counted = ("failedToParse", "encrypted", "outOfMemory", "veraExceptions")
            self._other += [word for word in counted if attributes.get(word, "0") != "0"]

    def end(self, tag: str) -> None:
        if local(tag) == "taskException":
            self._in_exception = False

    def text(self, said: str) -> None:
        if self._in_exception and said.strip() and len(self._other) < CLAUSES_SHOWN_MAX:
            self._other.append(said.strip())

    def verdict(self) -> tuple[bool | None, str]:
        if not self._judged or any("xception" in one or one == "outOfMemory" for one in self._other):
            return None, "; ".join(dict.fromkeys(self._other)) or "no report"
        profiles = ", ".join(profile.removesuffix(" validation profile") for profile, _ in self._judged)
        if all(conforms for _, conforms in self._judged):
            return True, f"PASS {profiles}"
        clauses = list(self._clauses)
        more = f" … ({len(clauses)})" if len(clauses) > CLAUSES_SHOWN_MAX else ""
        return False, f"FAIL {profiles}: {', '.join(clauses[:CLAUSES_SHOWN_MAX])}{more}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a program and what it started; nothing where it has ended by itself."""
    if process.poll() is not None:
        return
    end_group = getattr(os, "killpg", None)
    if end_group is None:
        # Windows has no groups; what the program started ends when nobody reads from it.
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            end_group(process.pid, KILL)
    process.wait()


def installed_validator() -> PdfaValidator | None:
    """Return the veraPDF of this machine, None where there is none."""
    program = shutil.which(PROGRAM)
    return PdfaValidator(program) if program else None
