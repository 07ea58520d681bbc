"""What people have searched for, kept in memory under a number: names of persons never stand in an address (promise 8).

An address is kept by browsers, by what stands between, and by whoever looks at a screen. The number means something to
this hub only, as long as it runs, and only for who asked.
"""

import hashlib
import secrets
from collections import OrderedDict
from typing import Final

ASKED_KEPT_MAX: Final = 20_000
"""Searches that are kept: a day of a busy county; the ones used longest ago go first."""


class AskedWords:
    """Words by number; the same words of the same person have the same number, so that going back works."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._kept: OrderedDict[str, str] = OrderedDict()

    def keep(self, login: str, words: str) -> str:
        """Keep words and return their number; no words need none."""
        if not words:
            return ""
        said = f"{login}\n{words}".encode("utf-8", "replace")
        number = hashlib.blake2b(said, key=self._key, digest_size=12).hexdigest()
        self._kept[number] = said.decode("utf-8")
        self._kept.move_to_end(number)
        if len(self._kept) > ASKED_KEPT_MAX:
            self._kept.popitem(last=False)
        return number

    def of(self, login: str, number: str) -> str | None:
        """Return the words of a number; None if they are not kept, or are somebody else's."""
        if not number:
            return ""
        asker, _, words = self._kept.get(number, "").partition("\n")
        if not words or asker != login:
            return None
        self._kept.move_to_end(number)
        return words
