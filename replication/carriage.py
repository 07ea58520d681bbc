"""What a courier carries, as the commands at both ends see it: the files on a stick, and what became of each."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import msgspec

from protocol.bundles import SUFFIX, Compared
from protocol.county_time import stamp
from protocol.errors import BadBundle, DanglianError, Retryable
from protocol.wording import Count, Text
from replication.bundles import Bundle, read_bundle

FILES_MAX = 10_000
"""Bundles looked at in one go: every site of a province on one stick."""


class Outcome(StrEnum):
    """What became of a bundle that was brought."""

    TAKEN = "taken"
    REPEATED = "repeated"
    """Everything in it was known already; nothing was changed."""
    OLDER = "older"
    """A later one was taken before; nothing was changed."""
    ADMITTED = "admitted"
    """An application that was granted, or an admission that arrived."""
    REFUSED = "refused"


class Carried(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one bundle."""

    file: str
    outcome: Outcome
    site: str = ""
    made_at_ms: int = 0
    frames: int = 0
    events: int = 0
    """Events that were applied now."""
    last: int = 0
    """Position up to which the site's events are applied, or confirmed, now."""
    quarantined: int = 0
    compared: Compared = Compared.NOT_COMPARED
    letters: int = 0
    """Letters in it; each is acted on once, however often it comes."""
    letters_left: int = 0
    """That its writer holds back for the next bundle."""
    letters_fault: Text | None = None
    """Why its letters could not be read; the rest was taken."""
    order: str = ""
    """Of a file of pages: the serial of the certificate that they are for."""
    pages_bytes: int = 0
    """Bytes of pages that came with it and were not here."""
    pages_left: int = 0
    """Bytes of the order's pages that are still missing."""
    pages_damaged: tuple[str, ...] = ()
    """Pages of which a piece is damaged, or belongs elsewhere; their other pieces were taken."""
    fault: str = ""
    reason: Text | None = None
    hint: Text | None = None


class Written(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One bundle that was written."""

    file: str
    site: str
    size_bytes: int
    frames: int = 0
    previous: int = 0
    last: int = 0
    letters: int = 0
    letters_left: int = 0
    order: str = ""
    """Of a file of pages: whose they are; ``previous`` and ``last`` are places in their row of bytes then."""
    left_bytes: int = 0
    """Bytes of its pages that found no room; they go with the next stick."""
    unreadable: Text | None = None
    """Which of its pages is not what was approved, and was not written."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was brought: a bundle whose manifest holds, or why there is none."""

    path: Path
    is_named: bool
    """Whether a person named this very file; what lies in a folder may be for somebody else."""
    bundle: Bundle | None = None
    fault: DanglianError | None = None


def found_in(places: Iterable[Path]) -> list[Found]:
    """Return the bundles of some files and folders in the order in which they were written."""
    found: list[Found] = []
    for place in places:
        inside = sorted(place.glob(f"*{SUFFIX}"))[:FILES_MAX] if place.is_dir() else [place]
        found += [_read(path, is_named=not place.is_dir()) for path in inside]
    return sorted(found, key=_order)


def _read(path: Path, *, is_named: bool) -> Found:
    try:
        return Found(path=path, is_named=is_named, bundle=read_bundle(path))
    except (BadBundle, Retryable) as error:
        return Found(path=path, is_named=is_named, fault=error)


def _order(one: Found) -> tuple[str, int]:
    if one.bundle is None:
        return "", 0
    return one.bundle.manifest.sender.site, one.bundle.manifest.serial


def refusal(path: Path, error: DanglianError) -> Carried:
    """Return the line of a bundle that was not taken."""
    fault = error.fault if isinstance(error, BadBundle) else "not_now"
    return Carried(file=str(path), outcome=Outcome.REFUSED, fault=fault, reason=error.reason, hint=error.hint)


def letters_told(one: Carried) -> Text:
    """Return what became of the letters of a bundle, to stand behind its line."""
    if one.letters_fault is not None:
        return Text(
            zh=f"；其中函件未能读取：{one.letters_fault.zh}",
            en=f"; its letters could not be read: {one.letters_fault.en}",
        )
    return _counted(one.letters, one.letters_left)


def letters_written(one: Written) -> Text:
    """Return how many letters a bundle holds, to stand behind its line."""
    return _counted(one.letters, one.letters_left)


def _counted(count: int, left: int) -> Text:
    if not count:
        return Text(zh="", en="")
    more = Text(zh=f"，另有 {left} 件下次带", en=f", {left} more go with the next") if left else Text(zh="", en="")
    return Text(zh=f"；函件 {count} 件{more.zh}", en=f"; {Count(count):letter|letters}{more.en}")


def next_serial(latest: int, now_ms: int) -> int:
    """Return the serial number of the next bundle: it grows even if the clock was set back."""
    return max(latest + 1, now_ms)


def target_in(place: Path, stem: str, made_at_ms: int, part: int = 0) -> Path:
    """Return the file to write: ``place`` itself if it names a bundle, else a new file in that folder.

    Args:
        place: what a person gave.
        stem: how a new file's name begins.
        made_at_ms: when it is written, by this machine's clock.
        part: how many files were written before it in the same go.

    """
    if place.suffix == SUFFIX:
        return place.with_stem(f"{place.stem}-{part + 1}") if part else place
    written = stamp(made_at_ms)
    target, number = place / f"{stem}-{written}{SUFFIX}", 1
    while target.exists():
        number += 1
        target = place / f"{stem}-{written}-{number}{SUFFIX}"
    return target
