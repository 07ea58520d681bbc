"""Texts that stand in records as they were written, read by somebody who set the other language.

What a person typed, and what a decision said when it was made, stays as it is: it is evidence. What the hub itself
wrote has an English text; everything else that holds Chinese is marked for English readers as recorded.
"""

import re
from typing import Final

from hub.window.clocks import PHASES
from hub.window.findings import INCOMPLETE, LATE
from protocol.wording import Text

AS_RECORDED: Final = "(as recorded)"
"""Said to English readers alone: a Chinese one sees nothing unusual in a Chinese text."""

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_EXPIRED: Final = re.compile(r"(?P<phase>.+)期限 (?P<day>\d{4}-\d\d-\d\d) 已过")
_KNOWN: Final = {one.zh: one for one in (LATE, INCOMPLETE)}
_PHASES: Final = {one.zh: one for one in PHASES.values()}


def spoken_record(text: str, language: str) -> tuple[str, bool]:
    """Return a text of a record in a reader's language; and whether it is shown in words that are not."""
    if language == "zh" or _HAN.search(text) is None:
        return text, False
    known = _KNOWN.get(text) or _expired(text)
    return (text, True) if known is None else (known.en, False)


def _expired(text: str) -> Text | None:
    found = _EXPIRED.fullmatch(text)
    phase = None if found is None else _PHASES.get(found["phase"])
    if found is None or phase is None:
        return None
    return Text(zh=text, en=f"{phase.en}: the term of {found['day']} is over")
