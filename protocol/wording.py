"""Words that a person reads, in the two languages that every screen, report and reject file carries."""

import msgspec


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence for a person: Simplified Chinese, which users see by default, and complete English beside it."""

    zh: str
    en: str

    def both(self) -> str:
        """Return both languages on one line, Chinese first."""
        return f"{self.zh} · {self.en}"

    def in_language(self, language: str) -> str:
        """Return the sentence in ``language`` ("zh" or "en"); anything else reads as Chinese."""
        return self.en if language == "en" else self.zh


def counted(shown: object, one: str, many: str) -> str:
    """Return a number, as it is shown, with the English word that it takes."""
    return f"{shown} {one if str(shown) == '1' else many}"


class Count(int):
    """A number in an English sentence, which says both words: ``f"{Count(files):file is|files are} missing"``.

    A comma before the words has the number written in groups of three digits. Chinese has one form for all numbers.
    """

    __slots__ = ()

    def __format__(self, format_spec: str) -> str:
        """Return the number with one of two words; without them, as any number."""
        words, bar, many = format_spec.partition("|")
        if not bar:
            return super().__format__(format_spec)
        one = words.removeprefix(",")
        return counted(int(self) if one == words else f"{int(self):,}", one, many)
