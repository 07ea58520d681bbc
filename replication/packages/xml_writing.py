"""Text as XML 1.0 can hold it."""

import re
from typing import Final
from xml.sax.saxutils import escape

_IMPOSSIBLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def xml_text(value: str) -> str:
    """Return a value for the inside of an element.

    The few characters that XML has no way to write are left out, whatever a cell says; all others stay, invisible ones
    too, so that the check that looks for them finds them at the other end. A reader turns bare CR into LF.
    """
    return escape(_IMPOSSIBLE.sub("", value), {"\r": "&#13;"})
