"""What is known of a package before its rules are applied: read once, shared by all of them."""

import time
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final

import msgspec

from protocol.attaching import is_kept_beside
from protocol.check_rules import CheckSettings
from protocol.entry_checks import EntryContext, folded
from protocol.errors import BadFile
from protocol.package_entries import PackageEntry, PackageFile
from protocol.package_facts import PackageFacts
from protocol.package_paths import FAULT_WORDS, PathFault
from protocol.whole_codes import whole_code
from protocol.wording import Text
from replication.checks.archives_within import ArchiveLook, look_within
from replication.checks.formats import Identity, identify
from replication.checks.ofd_files import open_ofd
from replication.checks.opened import Opened
from replication.checks.opening_apart import OpeningApart
from replication.checks.opening_worker import OPENERS
from replication.checks.package_shelf import Shelf
from replication.checks.pdf_files import pdfa_disproof
from replication.checks.pdfa_validator import PdfaValidator
from replication.checks.text_files import open_sound, open_text, open_xml
from replication.checks.virus_scanner import VirusScanner
from replication.packages.bag_checking import ProvenFile, bag_digest, examine_bag
from replication.packages.bag_faults import BagFault
from replication.packages.bag_tags import PAYLOAD
from replication.packages.official_layout import entries_in
from replication.packages.opening import OpenPackage, PackageKind, files_of
from replication.packages.reading import digests_of

DIGEST_SHOWN_CHARS = 16
"""Characters of a digest that evidence repeats."""

FAULTS_KEPT_MAX = 10_000
"""Faults of the package itself that are kept for its rules."""


class CheckStage(StrEnum):
    """What is being done; the measure of how far it has come."""

    FIXITY = "fixity"
    """Bytes read for digests."""
    FILES = "files"
    ENTRIES = "entries"
    PACKAGE = "package"
    """Rules applied to the package as a whole."""


Progress = Callable[[CheckStage, int, int], None]
"""Told of a stage, how much of it is done, and its whole; it raises where the work is to stop."""


class CheckTools(msgspec.Struct, frozen=True, kw_only=True):
    """Programs beside ours; what is None is not there, and its rules have not run."""

    scanner: VirusScanner | None = None
    validator: PdfaValidator | None = None
    opens_apart: bool = True
    """PDF and images are opened by a program apart, which a hostile file can neither crash for us nor keep for ever."""


class Survey:
    """One package in hand."""

    def __init__(self, package: OpenPackage, facts: PackageFacts, settings: CheckSettings, tools: CheckTools) -> None:
        self.package = package
        self.facts = facts
        self.settings = settings
        self.tools = tools
        self._apart = OpeningApart() if tools.opens_apart else None
        self.shelf = Shelf()
        self.refused: list[tuple[str, Text]] = []
        self.bag_faults: list[BagFault] = []
        self.proven_by = ""
        """Algorithms of the manifests."""
        self.read_bytes = 0
        self.read_s = 0.0
        self.catalogue_fault: BadFile | None = None

    def look(self, progress: Progress) -> None:
        """Read catalogue, names and, of a bag, every byte."""

        def refused(path: str, fault: PathFault | None) -> None:
            words = FAULT_WORDS[fault] if fault else Text(zh="是链接或特殊文件", en="it is a link or a special file")
            self.refused.append((path, words))

        try:
            for entry in entries_in(self.package.root):
                self.shelf.entries.put(entry, self._said(entry))
        except BadFile as error:
            self.catalogue_fault = error
            self.shelf.entries.drop()
        for file in files_of(self.package.root, refused):
            self.shelf.files.put(file, is_record=not is_kept_beside(file.path))
        self._prove(progress)

    def _said(self, entry: PackageEntry) -> dict[str, str]:
        """Return what an entry says in the fields in which no two may say the same."""
        said = ((field, folded(field, getattr(entry, field))) for field in self.settings.unique)
        return {field: value for field, value in said if value}

    @cached_property
    def loaded_codes(self) -> frozenset[str] | None:
        """Codes, as wholes, that were read back after loading."""
        return _wholes(self.facts.loaded_codes)

    @cached_property
    def context(self) -> EntryContext:
        """What the pure rules on entries are given."""
        held = _wholes(self.facts.held_codes)
        return EntryContext(settings=self.settings, facts=self.facts, repeated=self.shelf.entries.repeated(), held=held)

    @cached_property
    def digest(self) -> str:
        """The digest that stands for the package; empty where it is no bag."""
        return bag_digest(self.package.path) if self.package.kind is PackageKind.BAG else ""

    @cached_property
    def faults_of_file(self) -> Mapping[str, BagFault]:
        """The first fault of each file of a bag that has one, by path within the layout."""
        found: dict[str, BagFault] = {}
        for fault in self.bag_faults:
            if fault.path.startswith(f"{PAYLOAD}/") and not fault.is_warning:
                found.setdefault(fault.path.removeprefix(f"{PAYLOAD}/"), fault)
        return found

    def open(self, format_name: str, place: Path) -> Opened | None:
        """Open a file; None for a format that no tool of ours opens."""
        if self._apart is not None and format_name in OPENERS:
            return self._apart.open(format_name, place)
        opener = _OPENERS.get(format_name)
        return None if opener is None else opener(place)

    def disprove_pdfa(self, place: Path) -> tuple[str, Text | None]:
        """Return as ``pdf_files.pdfa_disproof``.

        Raises:
            OpeningFailed: the program apart did not come to an end.

        """
        return pdfa_disproof(place) if self._apart is None else self._apart.disprove(place)

    def close(self) -> None:
        """Let go of the program apart, and of the shelf."""
        self.shelf.close()
        if self._apart is not None:
            self._apart.close()

    def _prove(self, progress: Progress) -> None:
        if self.package.kind is not PackageKind.BAG:
            return
        _, total = self.shelf.files.totals()
        started = time.monotonic()

        def told(more: int) -> None:
            self.read_bytes += more
            progress(CheckStage.FIXITY, min(self.read_bytes, total), total)

        for found in examine_bag(self.package.path, told):
            if isinstance(found, ProvenFile):
                self.proven_by = "+".join(name for name, _ in found.digests)
                digest = bytes.fromhex(found.digests[0][1][:DIGEST_SHOWN_CHARS])
                self.shelf.files.note_proven(found.path.removeprefix(f"{PAYLOAD}/"), digest)
            elif len(self.bag_faults) < FAULTS_KEPT_MAX:
                self.bag_faults.append(found)
        self.read_s = time.monotonic() - started


_OPENERS: Final[Mapping[str, Callable[[Path], Opened]]] = {
    **OPENERS,
    "OFD": open_ofd,
    "XML": open_xml,
    "TXT": open_text,
    "WAV": open_sound,
}


class FileLook:
    """One file of a package, looked at once for all rules."""

    def __init__(self, file: PackageFile, entry: PackageEntry | None, survey: Survey) -> None:
        self.file = file
        self.entry = entry
        self.place: Path = survey.package.file(file.path)
        self._survey = survey

    @cached_property
    def identity(self) -> Identity:
        """What the file is."""
        return identify(self.place)

    @cached_property
    def opened(self) -> Opened | None:
        """What came of opening it; None for a format that no tool of ours opens."""
        name = self.identity.format
        if name in {"TXT", ""} and self.identity.named:
            # Anything can be read as text: a PDF whose head is damaged must not pass as a page of it.
            name = self.identity.named
        return self._survey.open(name, self.place)

    @cached_property
    def archive(self) -> ArchiveLook:
        """What was seen inside of it, if it packs other files."""
        return look_within(self.place, self.identity.format, self._survey.settings)

    def sha256(self) -> str:
        """Read the file and return its digest."""
        return digests_of(self.place, ("sha256",))["sha256"]


def _wholes(codes: frozenset[str] | None) -> frozenset[str] | None:
    return None if codes is None else frozenset(map(whole_code, codes))


def looks(survey: Survey) -> Iterator[FileLook]:
    """Yield the files of a package, those of the records first, each with its entry if it has one."""
    for are_records in (True, False):
        for file, number in survey.shelf.files.of_kind(are_records=are_records):
            yield FileLook(file, None if number is None else survey.shelf.entries[number], survey)
