"""PDF/A judged by veraPDF, the maintained validator, where the program is installed; it is a tool of its own (Java)."""

import shutil
import subprocess
from pathlib import Path

import msgspec

PROGRAM = "verapdf"

VALIDATE_S = 120.0
"""Seconds for one file: the program starts a Java machine each time."""

VERSION_S = 30.0
"""Seconds to be told its version."""

ANSWER_SHOWN_CHARS = 200
"""Characters of its answer that evidence repeats."""


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
            told = self._run(["--version"], VERSION_S).strip()
            self._version = told.splitlines()[0] if told else "?"
        answer = self._run(["--format", "text", str(path.resolve())], VALIDATE_S)
        line = next((one for one in answer.splitlines() if one.startswith(("PASS ", "FAIL "))), "")
        said = (line or answer.strip()).replace(str(path.resolve()), path.name)[:ANSWER_SHOWN_CHARS]
        return PdfaVerdict(conforms=line.startswith("PASS ") if line else None, said=said, version=self._version)

    def _run(self, arguments: list[str], deadline_s: float) -> str:
        run = subprocess.run(
            [self._program, *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=deadline_s,
        )
        return run.stdout


def installed_validator() -> PdfaValidator | None:
    """Return the veraPDF of this machine, None where there is none."""
    program = shutil.which(PROGRAM)
    return PdfaValidator(program) if program else None
