"""The program apart that opens files for the checks: ``python -m replication.checks.opening_worker``.

It reads tasks and writes outcomes, one line of JSON each, until there are no more. Libraries that decode what strangers
wrote run in here and nowhere else: one that crashes, or never comes to an end, takes this program with it and no other.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from protocol.wording import Text
from replication.checks.images import open_image
from replication.checks.opened import Opened
from replication.checks.pdf_files import open_pdf, pdfa_disproof

IMAGES: Final = ("TIFF", "JPEG", "PNG", "GIF", "BMP", "WEBP", "JPEG2000")
OPENERS: Final[Mapping[str, Callable[[Path], Opened]]] = {"PDF": open_pdf, **dict.fromkeys(IMAGES, open_image)}
"""What opens each format that a library decodes."""

FAULT_CHARS: Final = 200
"""Characters of an unexpected error that are told."""


class OpeningTask(msgspec.Struct, frozen=True, kw_only=True):
    """One file to be opened, or to be seen whether it plainly is no PDF/A."""

    format: str
    path: str
    is_disproof: bool = False


class OpeningOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of it; ``fault`` where a library raised what nobody expected."""

    opened: Opened | None = None
    claim: str = ""
    against: Text | None = None
    fault: str = ""


def done(task: OpeningTask) -> OpeningOutcome:
    """Do a task; whatever a library raises is told."""
    try:
        if task.is_disproof:
            claim, against = pdfa_disproof(Path(task.path))
            return OpeningOutcome(claim=claim, against=against)
        return OpeningOutcome(opened=OPENERS[task.format](Path(task.path)))
    except Exception as error:  # noqa: BLE001 - the rule that asked says that it has not run, and why
        return OpeningOutcome(fault=f"{type(error).__name__}: {error}"[:FAULT_CHARS])


def main() -> None:
    """Work until no task comes any more."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        # What a library prints must not stand between the answers.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        for line in sys.stdin.buffer:
            answers.write(msgspec.json.encode(done(msgspec.json.decode(line, type=OpeningTask))) + b"\n")
            answers.flush()


if __name__ == "__main__":
    main()
