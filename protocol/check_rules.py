"""The table of the four-property checks 四性检测 (DA/T 70-2018): which rules there are, and which a phase demands.

A rule is known by its id; the standard's own numbers differ from phase to phase, and from product to product. The table
is data (``replication/checks/rules.toml``, or a county's own file): each line says why it is mandatory or not.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property

import msgspec

from protocol.wording import Text


class Phase(StrEnum):
    """When a package is checked, with the letters of DA/T 70."""

    FILING = "GD"
    """归档"""
    TRANSFER = "YJ"
    """移交与接收"""
    KEEPING = "CQ"
    """长期保存"""


class Dimension(StrEnum):
    """The four properties, and what counties check beside them."""

    AUTHENTICITY = "authenticity"
    COMPLETENESS = "completeness"
    USABILITY = "usability"
    SAFETY = "safety"
    EXTRA = "extra"


DIMENSION_WORDS: Mapping[Dimension, Text] = {
    Dimension.AUTHENTICITY: Text(zh="真实性", en="authenticity"),
    Dimension.COMPLETENESS: Text(zh="完整性", en="completeness"),
    Dimension.USABILITY: Text(zh="可用性", en="usability"),
    Dimension.SAFETY: Text(zh="安全性", en="safety"),
    Dimension.EXTRA: Text(zh="附加", en="further"),
}


class Scope(StrEnum):
    """What a rule looks at, one after the other."""

    PACKAGE = "package"
    ENTRY = "entry"
    FILE = "file"


class CheckRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule; ``phases`` are those in which it is applied, ``mandatory`` those in which a package needs it."""

    id: str
    dimension: Dimension
    scope: Scope
    name: Text
    phases: tuple[Phase, ...]
    mandatory: tuple[Phase, ...] = ()
    reason: Text
    """Why it is mandatory, or why not."""


class CheckRules(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A county's table of rules, in the order of the standard."""

    rules: tuple[CheckRule, ...]
    settings: "CheckSettings"

    @cached_property
    def by_id(self) -> Mapping[str, CheckRule]:
        """The rules by their ids."""
        return {rule.id: rule for rule in self.rules}

    def of(self, phase: Phase) -> tuple[CheckRule, ...]:
        """Return the rules that are applied in a phase."""
        return tuple(rule for rule in self.rules if phase in rule.phases)

    def is_mandatory(self, rule: str, phase: Phase) -> bool:
        """True if a package needs this rule in this phase; a rule that the table lacks is never waved through."""
        known = self.by_id.get(rule)
        return known is None or phase in known.mandatory


class CheckSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What the rules measure against; a county may write its own."""

    formats: tuple[str, ...] = ("PDF", "OFD", "TIFF", "JPEG", "PNG", "XML", "TXT", "WAV", "MP3", "MP4")
    """Formats that are taken at all (DA/T 47, DA/T 22, and the county's own list)."""
    longterm_formats: tuple[str, ...] = ("PDF/A", "OFD", "TIFF", "JPEG", "XML", "TXT", "WAV")
    """Formats for long keeping."""
    required: tuple[str, ...] = ("ref_code", "title", "date", "responsible", "retention", "access_status")
    """Fields of an entry that must be filled (DA/T 18-2022, item level)."""
    unique: tuple[str, ...] = ("ref_code",)
    """Fields whose values may not repeat."""
    forbidden_characters: str = "\t<>{}&%*=\"'\\|?"
    """Characters that damage a catalogue when it is loaded elsewhere."""
    keywords: tuple[str, ...] = ()
    """Words that a person must look at; the list is the county's."""
    title_chars_max: int = 500
    field_chars_max: int = 1_000
    archive_bytes_max: int = 4 * 1024**3
    """Bytes that a compressed file inside a package may unpack to before it counts as a bomb."""
    archive_ratio_max: int = 200
    """Times its own size that a compressed file may unpack to."""
