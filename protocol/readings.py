"""What a word may also be read as: other names of a place, equal words, other spellings and sounds of a name.

A reading never replaces what was typed. A search finds the word itself first, and by its readings what lies under
another name, in its own rank and with its reason beside it.
"""

from enum import StrEnum
from typing import Final

import msgspec

from protocol.wording import Text

READINGS_MAX: Final = 24
"""Readings of one word, the best first: more would make one question into a hundred."""

SOUND_ALIKES_MAX: Final = 64
"""Characters of either likeness at one place of a name: two places then make 16,000 names to look up, not a million."""


class ReadingKind(StrEnum):
    """Why a word may be read as another."""

    PLACE = "place"
    """Another name of the same place: an earlier, a later, or one that a rule gives."""
    SYNONYM = "synonym"
    """A word that the county's table calls equal."""
    NAME_FORM = "name_form"
    """Another spelling of a person's name: 傅 and 付."""
    HOMOPHONE = "homophone"
    """A person's name that sounds the same or nearly so."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One other reading of a word, folded as ``protocol.analysis.fold`` does."""

    text: str
    """What to look for instead of the whole word."""
    kind: ReadingKind
    note: Text
    """Why, for the reader of the hits it brings: "皈山乡 2014 年改设为孝源街道"."""


class Sound(StrEnum):
    """How alike two characters or names sound."""

    SAME = "same"
    """Some reading of the one is a reading of the other; tones do not count."""
    NEAR = "near"
    """Sounds that people here mix up: z and zh, n and l, an and ang."""


class SoundAlikes(msgspec.Struct, frozen=True, kw_only=True):
    """Characters that sound like one character of a name; it is in neither text, and none is in both."""

    character: str
    same: str
    """Characters that sound the same, those that are usual in names first."""
    near: str
    """Characters that sound nearly the same, in the same order."""


class Homophones(msgspec.Struct, frozen=True, kw_only=True):
    """A person's name with what each of its characters sounds like.

    The names that sound like it are all combinations, far too many to ask for: whoever searches combines the characters
    as far as its index holds them, and asks ``reading`` what to say of a name that it found so.
    """

    name: str
    """The name, folded."""
    characters: tuple[SoundAlikes, ...]

    def sound(self, name: str) -> Sound | None:
        """Return how alike another folded name sounds: None for a different one, and for the name itself."""
        if len(name) != len(self.name) or name == self.name:
            return None
        found = Sound.SAME
        for character, alike in zip(name, self.characters, strict=True):
            if character in alike.near:
                found = Sound.NEAR
            elif character != alike.character and character not in alike.same:
                return None
        return found

    def reading(self, name: str) -> Reading | None:
        """Return another name as a reading of this one; None if it does not sound alike."""
        match self.sound(name):
            case Sound.SAME:
                note = Text(zh=f"“{name}”与“{self.name}”同音", en=f"{name} sounds like {self.name}")
            case Sound.NEAR:
                note = Text(zh=f"“{name}”与“{self.name}”音近", en=f"{name} sounds nearly like {self.name}")
            case _:
                return None
        return Reading(text=name, kind=ReadingKind.HOMOPHONE, note=note)
