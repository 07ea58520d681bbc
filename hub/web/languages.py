"""Which language a page is in: what its reader chose, else what the browser asks for, else Simplified Chinese."""

from enum import StrEnum


class Language(StrEnum):
    """A language that the console speaks; the value is the one that ``protocol.wording.Text`` knows."""

    CHINESE = "zh"
    ENGLISH = "en"

    @property
    def tag(self) -> str:
        """What the page says of its language to a browser (BCP 47)."""
        return "zh-CN" if self is Language.CHINESE else "en"


class Theme(StrEnum):
    """Light or dark; automatic follows the machine."""

    AUTOMATIC = "auto"
    LIGHT = "light"
    DARK = "dark"


def chosen_language(cookie: str, accepted: str) -> Language:
    """Return the language for a reader's cookie and browser (``Accept-Language``, RFC 9110 12.5.4)."""
    if cookie in tuple(Language):
        return Language(cookie)
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        wishes.append((-weight, place, tag.partition("-")[0].lower()))
    for weight, _, tag in sorted(wishes):
        if weight and tag in tuple(Language):
            return Language(tag)
    return Language.CHINESE


def chosen_theme(cookie: str) -> Theme:
    """Return the theme of a reader's cookie."""
    return Theme(cookie) if cookie in tuple(Theme) else Theme.AUTOMATIC
