"""What a query means, as a tree: words, dates, filters, and how they are joined.

``protocol.queries`` reads a query into it; plans and evaluators walk it.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from protocol.analysis import phrases
from protocol.query_dates import Period
from protocol.query_fields import Field


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where something stands in the query as typed, in characters."""

    start: int
    end: int


class Word(Place, frozen=True, kw_only=True, tag="word"):
    """Text that must stand together: a word, a name, a code, a phrase, a whole pasted title."""

    text: str
    """As typed, without the quotation marks around it."""
    field: Field | None = None
    """A text field (``Field.is_text``); None for all."""
    is_quoted: bool = False
    """In quotation marks: just these words, never read otherwise."""
    is_open: bool = False
    """Ends in an asterisk: its last word of letters and digits need only begin so."""


class Dated(Place, frozen=True, kw_only=True, tag="dated"):
    """A date: the record is of the period, or, if it is a word among words, it is written so in the text."""

    text: str
    period: Period
    is_written_too: bool = False


class Filter(Place, frozen=True, kw_only=True, tag="filter"):
    """A field that must have one of some values; stands at the top of a query only, plain or in a ``Not``."""

    field: Field
    values: tuple[str, ...]
    """As the index marks them. A site's value may end in an asterisk, or be (part of) a site's name."""


class Not(Place, frozen=True, kw_only=True, tag="not"):
    """What must not be found."""

    part: "Node"


class Either(Place, frozen=True, kw_only=True, tag="either"):
    """Alternatives, two at least."""

    parts: tuple["Node", ...]
    is_guess: bool = False
    """Only the first was typed; the others take it apart (1986年林权: of that year, and 林权)."""


class Every(Place, frozen=True, kw_only=True, tag="every"):
    """What must all be found: a group in brackets."""

    parts: tuple["Node", ...]


Node = Word | Dated | Filter | Not | Either | Every


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A query as typed and as understood; every part must hold, and without parts everything is found."""

    text: str
    parts: tuple[Node, ...] = ()

    @property
    def plain_words(self) -> str:
        """Words that every record which the query means holds, separated by blanks, each in quotation marks if need be.

        This is what a site is asked that does not know the language; where words are missing here it finds more. What
        is found otherwise than in these words (as a whole code, by its date, under another name) it does not find.
        """
        typed = [part.parts[0] if isinstance(part, Either) and part.is_guess else part for part in self.parts]
        words = [part for part in typed if isinstance(part, Word | Dated)]
        plain = [word.text for word in words if isinstance(word, Word) or word.is_written_too]
        kept = [f'"{text}"' if len(text.split()) > 1 else text for text in map(_unquoted, plain) if phrases(text)]
        return " ".join(kept)

    @property
    def is_plain(self) -> bool:
        """True if ``plain_words`` say it all."""
        return all(isinstance(part, Word) and part.field is None and not part.is_open for part in self.parts)


_QUOTES: Final = str.maketrans(dict.fromkeys('"“”＂', " "))


def _unquoted(text: str) -> str:
    return " ".join(text.translate(_QUOTES).split())


def leaves(nodes: tuple[Node, ...], *, wanted: bool = True) -> Iterator[Word | Dated | Filter]:
    """Return the words, dates and filters of a tree in the order typed; only those that may be found if ``wanted``."""
    for node in nodes:
        if isinstance(node, Either | Every):
            yield from leaves(node.parts, wanted=wanted)
        elif isinstance(node, Not):
            if not wanted:
                yield from leaves((node.part,), wanted=False)
        else:
            yield node
