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
