"""Checking a bag against RFC 8493 while reading every file once, in the same memory whatever its size.

Nothing of what a bag says is believed: not its sizes, not its names, not that its files are files. A path that leads
out of the bag is a fault and is never opened; a link is never followed; nothing is fetched. What is wrong is yielded as
it is found, so that one fault never hides the next (promise 9). Versions 0.93 to 1.0 are read; where they differ, a bag
is held to what its own version asks.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from protocol.package_entries import PACKAGE_FILES_MAX
from protocol.package_paths import FAULT_WORDS, LEADS_OUT, PathFault, path_faults, read
from replication.packages.bag_faults import BagFault, BagFaultCode, bag_fault
from replication.packages.bag_tables import BagTables, bag_tables
from replication.packages.bag_tags import (
    FETCH,
    PAYLOAD,
    VERSION_1,
    Declaration,
    ManifestName,
    can_digest,
    declaration_of,
    fetches_of,
    info_of,
    listed_of,
    manifests_of,
)
from replication.packages.reading import PlainKind, Told, digests_of, nobody, plain_kind

__all__ = ["BagVerdict", "ProvenFile", "check_bag", "examine_bag"]

FAULTS_KEPT_MAX = 1_000
"""Faults that the verdict on one bag carries; it counts all of them."""

FOLDER_DEPTH_MAX = 128
"""Folders within folders; a path that deep is too long for some system, whatever its names."""

_OXUM: Final = re.compile(r"([0-9]{1,18})\.([0-9]{1,12})")
_SYSTEM_FILES: Final = frozenset((".ds_store", "thumbs.db", "desktop.ini", "ehthumbs.db"))


class ProvenFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file that was read to its end and has every digest that was listed for it."""

    path: str
    size_bytes: int
    digests: tuple[tuple[str, str], ...]
    """Algorithm and digest, as computed."""


class BagVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a bag."""

    is_valid: bool
    faults: tuple[BagFault, ...]
    """The first ``FAULTS_KEPT_MAX``, warnings included."""
    errors: int
    warnings: int
    files: int
    """Files of the payload that were proven."""
    size_bytes: int
    algorithms: tuple[str, ...]
    digest: str
    """SHA-256 of the tag manifest, which stands for the whole bag; empty where there is none."""
    info: tuple[tuple[str, str], ...] = ()


def check_bag(bag: Path, told: Told = nobody) -> BagVerdict:
    """Read a bag and judge it; never raises for what is in the bag."""
    faults: list[BagFault] = []
    errors = warnings = files = size_bytes = 0
    algorithms: dict[str, None] = {}
    for found in examine_bag(bag, told):
        if isinstance(found, ProvenFile):
            files += 1
            size_bytes += found.size_bytes
            algorithms |= dict.fromkeys(name for name, _ in found.digests)
            continue
        errors += not found.is_warning
        warnings += found.is_warning
        if len(faults) < FAULTS_KEPT_MAX:
            faults.append(found)
    declared = declaration_of(bag) if bag.is_dir() else None
    info = info_of(bag, declared)[0] if isinstance(declared, Declaration) else []
    return BagVerdict(
        is_valid=not errors,
        faults=tuple(faults),
        errors=errors,
        warnings=warnings,
        files=files,
        size_bytes=size_bytes,
        algorithms=tuple(algorithms),
        digest=bag_digest(bag),
        info=tuple(info),
    )


def bag_digest(bag: Path) -> str:
    """Return the digest that stands for a bag: SHA-256 of its tag manifest, the one with SHA-256 if it has several."""
    names = ("tagmanifest-sha256.txt", "tagmanifest-sha512.txt", "tagmanifest-sm3.txt", "tagmanifest-md5.txt")
    for name in names:
        path = bag / name
        if path.is_file() and not path.is_symlink():
            return digests_of(path, ("sha256",))["sha256"]
    return ""


def examine_bag(bag: Path, told: Told = nobody) -> Iterator[ProvenFile | BagFault]:
    """Yield every fault of a bag, and every file of its payload that was proven.

    Args:
        bag: the folder.
        told: told of the bytes that were read, and asked to raise if the work is to stop.

    """
    declared = declaration_of(bag)
    if isinstance(declared, BagFault):
        yield declared
        return
    if not (bag / PAYLOAD).is_dir() or (bag / PAYLOAD).is_symlink():
        yield bag_fault(BagFaultCode.NO_PAYLOAD)
        return
    manifests = manifests_of(bag)
    if all(manifest.is_tag_manifest for manifest in manifests):
        yield bag_fault(BagFaultCode.NO_MANIFEST)
        return
    with bag_tables() as payload:
        yield from _walk(bag, PAYLOAD, payload.add_file)
        yield from _take_lists(bag, declared, [one for one in manifests if not one.is_tag_manifest], payload)
        yield from _take_holes(bag, declared, payload)
        yield from _completeness(declared, payload, sum(not one.is_tag_manifest for one in manifests))
        yield from _oxum(bag, declared, payload)
        yield from _prove(bag, [one for one in manifests if not one.is_tag_manifest], payload, told)
    with bag_tables() as tags:
        yield from _tag_faults(bag, declared, manifests, tags)


def _walk(bag: Path, top: str, add: Callable[[str, int], None]) -> Iterator[BagFault]:
    """Note every plain file below a folder; yield what is no plain file, or has a name that nobody can hold."""
    count = 0
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            # Names alone: of a folder with two hundred thousand files everything else would be too much.
            inside = sorted(os.listdir(bag / folder))  # noqa: PTH208 - as above
        except OSError as error:
            yield bag_fault(BagFaultCode.UNREADABLE, folder, detail=error.strerror or "")
            continue
        for name in inside:
            path = f"{folder}/{name}"
            try:
                state = (bag / path).lstat()
            except OSError as error:
                yield bag_fault(BagFaultCode.UNREADABLE, path, detail=error.strerror or "")
                continue
            kind = plain_kind(state)
            if kind is PlainKind.FOLDER:
                if path.count("/") < FOLDER_DEPTH_MAX:
                    waiting.append(path)
                else:
                    yield bag_fault(BagFaultCode.PORTABLE, path, detail=FAULT_WORDS[PathFault.TOO_LONG].both())
                continue
            problems = path_faults(path)
            if kind is not PlainKind.FILE:
                yield bag_fault(BagFaultCode.LINK, path)
                continue
            if PathFault.NOT_TEXT in problems:
                yield bag_fault(BagFaultCode.PORTABLE, path, detail=FAULT_WORDS[PathFault.NOT_TEXT].both())
                continue
            count += 1
            if count > PACKAGE_FILES_MAX:
                yield bag_fault(BagFaultCode.TOO_MANY, detail=f"> {PACKAGE_FILES_MAX}")
                return
            add(path, state.st_size)
            yield from _name_warnings(path, name, problems)


def _name_warnings(path: str, name: str, problems: tuple[PathFault, ...]) -> Iterator[BagFault]:
    for problem in problems:
        if problem is not PathFault.NOT_NORMAL:
            yield bag_fault(BagFaultCode.PORTABLE, path, detail=FAULT_WORDS[problem].both(), warning=True)
    if name.casefold() in _SYSTEM_FILES:
        yield bag_fault(BagFaultCode.SYSTEM_FILE, path, warning=True)


def _take_lists(
    bag: Path, declared: Declaration, manifests: list[ManifestName], tables: BagTables
) -> Iterator[BagFault]:
    for number, manifest in enumerate(manifests):
        if not can_digest(manifest.algorithm):
            yield bag_fault(BagFaultCode.ALGORITHM, manifest.name, detail=manifest.algorithm)
        for found in listed_of(bag / manifest.name, declared.encoding):
            if isinstance(found, BagFault):
                yield found
                continue
            if found.is_md5sum:
                yield bag_fault(BagFaultCode.MD5SUM, manifest.name, line=found.line, warning=True)
            path, noticed = _judged(found.given, tables, manifest)
            yield from noticed
            if path is None:
                continue
            earlier = tables.add_listed(path, number, found.digest)
            if earlier is not None:
                same = earlier == found.digest
                code = BagFaultCode.LISTED_TWICE if same else BagFaultCode.CONTRADICTORY
                yield bag_fault(code, path, line=found.line, warning=same and declared.version < VERSION_1)


def _judged(given: str, tables: BagTables, manifest: ManifestName) -> tuple[str | None, list[BagFault]]:
    """Return the path that a line means, None if it may not be followed, and what is to be said of it."""
    noticed = []
    if given.startswith("./"):
        noticed.append(bag_fault(BagFaultCode.DOT_SLASH, given, warning=True))
        given = given[2:]
    decoded = read(given)
    # Before version 1.0 programs did not agree on what is escaped; a file of the name as written settles it.
    path = given if decoded != given and tables.has_file(given) and not tables.has_file(decoded) else decoded
    leading_out = [fault for fault in path_faults(path) if fault in LEADS_OUT]
    if leading_out:
        return None, [*noticed, bag_fault(BagFaultCode.PATH, path, detail=FAULT_WORDS[leading_out[0]].both())]
    if path.startswith(f"{PAYLOAD}/") == manifest.is_tag_manifest:
        return None, [*noticed, bag_fault(BagFaultCode.OUTSIDE, path, detail=manifest.name)]
    if not tables.has_file(path) and (there := tables.otherwise_written(path)) is not None:
        return there, [*noticed, bag_fault(BagFaultCode.SPELLING, path, warning=True)]
    return path, noticed


def _take_holes(bag: Path, declared: Declaration, tables: BagTables) -> Iterator[BagFault]:
    if not (bag / FETCH).exists():
        return
    for found in fetches_of(bag / FETCH, declared.encoding):
        if isinstance(found, BagFault):
            yield found
            continue
        address, given = found
        path = read(given.removeprefix("./"))
        leading_out = [fault for fault in path_faults(path) if fault in LEADS_OUT]
        if leading_out:
            yield bag_fault(BagFaultCode.PATH, path, detail=FAULT_WORDS[leading_out[0]].both())
        elif not path.startswith(f"{PAYLOAD}/"):
            yield bag_fault(BagFaultCode.OUTSIDE, path, detail=FETCH)
        else:
            tables.add_hole(path, address)
    yield bag_fault(BagFaultCode.FETCH, warning=True)


def _completeness(declared: Declaration, tables: BagTables, manifests: int) -> Iterator[BagFault]:
    for path, address in tables.missing():
        yield bag_fault(BagFaultCode.HOLE, path, detail=address) if address else bag_fault(BagFaultCode.MISSING, path)
    for path in tables.unlisted():
        yield bag_fault(BagFaultCode.UNLISTED, path)
    if manifests > 1:
        for path in tables.not_in_every(manifests):
            yield bag_fault(BagFaultCode.NOT_IN_EVERY_MANIFEST, path, warning=declared.version < VERSION_1)
    for one, other in tables.clashes():
        yield bag_fault(BagFaultCode.CLASH, one, detail=other, warning=True)


def _oxum(bag: Path, declared: Declaration, tables: BagTables) -> Iterator[BagFault]:
    info, noticed = info_of(bag, declared)
    yield from noticed
    files, size_bytes = tables.totals()
    for said in {value for label, value in info if label.casefold() == "payload-oxum"}:
        if not (match := _OXUM.fullmatch(said)) or (int(match[1]), int(match[2])) != (size_bytes, files):
            yield bag_fault(BagFaultCode.OXUM, detail=f"{said} ≠ {size_bytes}.{files}")


def _prove(bag: Path, manifests: list[ManifestName], tables: BagTables, told: Told) -> Iterator[ProvenFile | BagFault]:
    """Read each listed file once for all its digests."""
    usable = {number: one.algorithm for number, one in enumerate(manifests) if can_digest(one.algorithm)}
    for path, size_bytes, listed in tables.expected():
        wanted = {usable[number]: digest for number, digest in listed.items() if number in usable}
        try:
            found = digests_of(bag / path, tuple(wanted), told)
            is_changed = (bag / path).lstat().st_size != size_bytes
        except OSError as error:
            yield bag_fault(BagFaultCode.UNREADABLE, path, detail=error.strerror or "")
            continue
        wrong = [algorithm for algorithm, digest in wanted.items() if found[algorithm] != digest]
        if wrong:
            yield bag_fault(BagFaultCode.DIGEST, path, detail=", ".join(wrong))
        elif is_changed:
            yield bag_fault(BagFaultCode.CHANGED, path)
        elif wanted:
            yield ProvenFile(path=path, size_bytes=size_bytes, digests=tuple(found.items()))


def _tag_faults(
    bag: Path, declared: Declaration, manifests: list[ManifestName], tables: BagTables
) -> Iterator[BagFault]:
    """Hold the files beside the payload against the tag manifests, where there are any; others may lie beside them."""
    listing = [one for one in manifests if one.is_tag_manifest]
    if not listing:
        return
    for found in sorted(bag.iterdir()):
        if found.name == PAYLOAD:
            continue
        if found.is_dir() and not found.is_symlink():
            yield from _walk(bag, found.name, tables.add_file)
        elif found.is_symlink() or not found.is_file():
            yield bag_fault(BagFaultCode.LINK, found.name)
        elif PathFault.NOT_TEXT in path_faults(found.name):
            yield bag_fault(BagFaultCode.PORTABLE, found.name, detail=FAULT_WORDS[PathFault.NOT_TEXT].both())
        else:
            tables.add_file(found.name, found.stat().st_size)
    yield from _take_lists(bag, declared, listing, tables)
    for path, _ in tables.missing():
        yield bag_fault(BagFaultCode.MISSING, path)
    unlisted = set(tables.unlisted())
    for manifest in manifests:
        if not manifest.is_tag_manifest and manifest.name in unlisted and declared.version >= VERSION_1:
            yield bag_fault(BagFaultCode.MANIFEST_UNLISTED, manifest.name)
    yield from (one for one in _prove(bag, listing, tables, nobody) if isinstance(one, BagFault))
