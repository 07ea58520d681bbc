"""Finding known words inside a word: the longest at each place, from left to right, none over another."""

from collections.abc import Iterable, Iterator

import msgspec


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """Where a known word stands in another."""

    start: int
    end: int
    text: str

    def replaced(self, word: str, text: str) -> str:
        """Return ``word`` with ``text`` in this place."""
        return word[: self.start] + text + word[self.end :]


class Passages:
    """A set of known words, folded; a look costs the length of the word times the lengths that are known."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._lengths = sorted({len(word) for word in self._words}, reverse=True)

    def found(self, word: str) -> Iterator[Passage]:
        """Yield what is known of ``word``."""
        start = 0
        while start < len(word):
            ends = (start + length for length in self._lengths if start + length <= len(word))
            end = next((end for end in ends if word[start:end] in self._words), None)
            if end is not None:
                yield Passage(start=start, end=end, text=word[start:end])
            start = end or start + 1
