"""The console's words in each language that it speaks; ``in_language`` gives them."""

from hub.web.languages import Language
from hub.web.words.chinese import CHINESE
from hub.web.words.english import ENGLISH
from hub.web.words.fields import Words
from hub.web.words.phrases import phrased

_CHINESE, _ENGLISH = phrased(CHINESE), phrased(ENGLISH)


def in_language(language: Language) -> Words:
    """Return every word of the console in one language."""
    return _ENGLISH if language is Language.ENGLISH else _CHINESE
