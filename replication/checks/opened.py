"""What came of opening a file with a program that knows its format."""

from enum import StrEnum

import msgspec

from protocol.wording import Text


class Openness(StrEnum):
    """How far a file could be opened."""

    OPENED = "opened"
    REPAIRED = "repaired"
    """Only after damage was put right: a person must look whether anything is lost."""
    TOO_LARGE = "too_large"
    """Larger than is opened here; only its head was read."""
    UNUSUAL = "unusual"
    """Of a kind that this machine's programs do not decode; only its head was read."""
    BROKEN = "broken"
    LOCKED = "locked"
    """Asks for a password."""
    CRASHED = "crashed"
    """The program that opened it did not survive it; that says nothing of the file."""
    NO_TOOL = "no_tool"
    """This machine has no program for the format."""


class Signing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the signatures within a document were found."""

    valid: int = 0
    """What was signed is unchanged, and the signature is of the key that it names."""
    broken: int = 0
    not_judged: int = 0
    why: Text | None = None
    """Why some were not judged."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for one file."""

    openness: Openness
    pages: int | None = None
    evidence: Text
    tool: str = "danglian"
    tool_version: str = ""
    is_encrypted: bool = False
    """Protected in any way, also where it opens without a password."""
    holds: tuple[str, ...] = ()
    """Names of files that are embedded in it, the first few."""
    signing: Signing | None = None
    """None where nothing is signed within it, or nobody looked."""


def no_tool(package: str, format_name: str) -> Opened:
    """Return that a library is absent, and which."""
    return Opened(
        openness=Openness.NO_TOOL,
        evidence=Text(
            zh=f"本机没有打开 {format_name} 的 {package}", en=f"this machine lacks {package}, which opens {format_name}"
        ),
        tool=package,
    )


def broken(evidence: Text, tool: str = "danglian", tool_version: str = "") -> Opened:
    """Return that a file could not be opened, and why."""
    return Opened(openness=Openness.BROKEN, evidence=evidence, tool=tool, tool_version=tool_version)
