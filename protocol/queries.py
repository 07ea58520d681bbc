"""The query language: what a clerk types, read into a tree.

Words apart must all be found. “Quotation marks” hold words together, ``甲|乙`` finds either, ``-词`` excludes, brackets
group, ``题名:词`` looks in one field, and dates are periods (``protocol.query_help`` teaches all of it). Whatever is
none of this is text, and its punctuation is not looked for: a title that is pasted whole is found.

``parse`` raises nothing but BadQuery, which points at the place. Where signs could be meant or be mere punctuation they
are punctuation if that finds the same or more: brackets that do not match, a dash before a blank, quotation marks
inside a word.
"""

from collections.abc import Sequence
from typing import Final

from protocol import query_faults as faults
from protocol.analysis import is_one_character, phrases
from protocol.limits import QUERY_ALTERNATIVES_MAX, QUERY_CHARS_MAX, QUERY_DEPTH_MAX
from protocol.query_dates import (
    BadDate,
    Period,
    dated_word,
    glued_date,
    is_compared,
    period_of,
    spaced_date_at,
)
from protocol.query_fields import BadFilter, Field, field_named, filter_values, is_exclusion, slip_of
from protocol.query_marks import (
    ALTERNATIVE,
    MINUS,
    MUST_CLOSE,
    OPENING,
    PARTING,
    QUOTES,
    STARS,
    after_blanks,
    bracket_pairs,
    field_at,
    quote_end,
    spaced_number_at,
    word_end,
)
from protocol.query_tree import Dated, Either, Every, Filter, Node, Not, Query, Word

__all__ = ["Dated", "Either", "Every", "Filter", "Node", "Not", "Query", "Word", "parse", "verbatim"]


def parse(text: str) -> Query:
    """Read a query; an empty one, or blanks only, finds everything.

    Raises:
        BadQuery: it cannot be understood; the error says where and what to write instead.

    """
    if len(text) > QUERY_CHARS_MAX:
        raise faults.too_long(text)
    for at, character in enumerate(text):
        if "\ud800" <= character <= "\udfff":
            raise faults.broken_character(at)
    parts = _Reading(text).conjunction(0, len(text), depth=0)
    parts = tuple(one for part in parts for one in (part.parts if isinstance(part, Every) else (part,)))
    if not parts and text.strip():
        start = after_blanks(text, 0, len(text))
        end = len(text.rstrip())
        raise faults.empty_group(start, end) if text[start] in OPENING else faults.nothing_to_find(start, end)
    _check(parts)
    return Query(text=text, parts=parts)


def verbatim(text: str) -> str:
    """Return the query that looks for a text as it stands, whatever signs are in it; what is too long is cut."""
    return f"“{text.translate(_UNQUOTED)[: QUERY_CHARS_MAX - 2]}”"


TAKEN_APART_CHARS_MAX: Final = 40
"""Characters of a word that is also looked for in its parts: longer ones are titles."""

TAKEN_APART_MAX: Final = 4
"""Parts of such a word."""

_UNQUOTED: Final = dict.fromkeys(map(ord, QUOTES["“"] + "“"))


def _check(parts: Sequence[Node]) -> None:
    """Raise BadQuery for filters out of their place, and for exclusions with nothing to exclude from."""
    for part in parts:
        within = part.part if isinstance(part, Not) else part
        if not isinstance(within, Filter) and (filter_ := _filter_in(within)) is not None:
            raise faults.misplaced_filter(filter_.start, filter_.end)
    if parts and all(isinstance(part, Not) for part in parts):
        raise faults.only_exclusions(parts[0].start, parts[-1].end)


def _filter_in(node: Node) -> Filter | None:
    if isinstance(node, Filter):
        return node
    if isinstance(node, Not):
        return _filter_in(node.part)
    if isinstance(node, Either | Every):
        return next((found for part in node.parts if (found := _filter_in(part)) is not None), None)
    return None


class _Reading:
    """One query while it is read; every method takes the place where it begins and the end of what it may read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._brackets = bracket_pairs(text)

    def conjunction(self, at: int, end: int, *, depth: int, field: Field | None = None) -> tuple[Node, ...]:
        """Read parts that must all be found; parts that are mere punctuation are left out."""
        parts: list[Node] = []
        while (at := after_blanks(self._text, at, end)) < end:
            node, at = self._alternatives(at, end, depth, field)
            if node is not None:
                parts.append(node)
        return self._padded_names_closed(parts)

    def _padded_names_closed(self, parts: Sequence[Node]) -> tuple[Node, ...]:
        """Make one word of single characters that stand apart by blanks only: 王　伟 is a name."""
        closed: list[Node] = []
        for part in parts:
            before = closed[-1] if closed else None
            if (
                isinstance(part, Word)
                and isinstance(before, Word)
                and _is_single(part)
                and _is_padded(before)
                and before.field == part.field
                and not self._text[before.end : part.start].strip()
            ):
                text = self._text[before.start : part.end]
                closed[-1] = Word(text=text, start=before.start, end=part.end, field=part.field)
            else:
                closed.append(part)
        return tuple(closed)

    def _alternatives(self, at: int, end: int, depth: int, field: Field | None) -> tuple[Node | None, int]:
        """Read one part, or several with the sign of alternatives between them; None for mere punctuation."""
        start = at
        excluded, at = self._exclusion(at, end)
        if excluded and field is not None:
            raise faults.misplaced_minus(start, at)
        parts: list[Node] = []
        node, at, field = self._operand(at, end, depth, field)
        if node is not None:
            parts.append(node)
        while (sign := after_blanks(self._text, at, end)) < end and self._text[sign] in ALTERNATIVE:
            following = after_blanks(self._text, sign + 1, end)
            if self._exclusion(following, end)[0]:
                raise faults.misplaced_minus(following, following + 1)
            if following >= end or not parts or node is None:
                raise faults.missing_alternative(sign, sign + 1)
            node, at, field = self._operand(following, end, depth, field)
            if node is None:
                raise faults.missing_alternative(sign, at)
            parts.append(node)
            if len(parts) > QUERY_ALTERNATIVES_MAX:
                raise faults.too_many_alternatives(start, at)
        if not parts:
            return None, at
        found = _either(parts)
        if excluded and isinstance(found, Either) and found.is_guess:
            # Nobody wants to lose more than what was typed.
            found = found.parts[0]
        return (Not(part=found, start=start, end=at) if excluded else found), at

    def _exclusion(self, at: int, end: int) -> tuple[bool, int]:
        """Tell whether what follows is excluded, and where it begins."""
        text = self._text
        if at + 1 < end and text[at] in MINUS and not text[at + 1].isspace() and text[at + 1] not in MINUS:
            return True, at + 1
        named = field_at(text, at, end)
        if named is None or not is_exclusion(named[1]):
            return False, at
        value = after_blanks(text, named.end(), end)
        if value >= end:
            raise faults.missing_value(at, end, named[1])
        return True, value

    def _operand(self, at: int, end: int, depth: int, field: Field | None) -> tuple[Node | None, int, Field | None]:
        """Read one word, phrase, group, or field with its value; the field holds for alternatives that follow."""
        named = field_at(self._text, at, end)
        if named is not None and field_named(named[1]) is None:
            self._raise_if_slip(named[1], at, named.start(1), named.end(1))
        elif named is not None:
            field = field_named(named[1])
            start, at = at, after_blanks(self._text, named.end(), end)
            if at >= end or self._text[at] in ALTERNATIVE:
                raise faults.missing_value(start, at, named[1])
            if self._exclusion(at, end)[0]:
                raise faults.misplaced_minus(at, at + 1)
            node, after = self._value(at, end, depth, field)
            if node is None:
                raise faults.nothing_to_find(at, after)
            return node, after, field
        node, after = self._value(at, end, depth, field)
        return node, after, field

    def _raise_if_slip(self, name: str, at: int, start: int, end: int) -> None:
        if (meant := slip_of(name)) and not self._text.startswith("//", end + 1):
            instead = f"{self._text[:start]}{meant}{self._text[end:]}"
            raise faults.unknown_field(at, end, name, meant, instead)

    def _value(self, at: int, end: int, depth: int, field: Field | None) -> tuple[Node | None, int]:
        text = self._text
        closes = self._brackets.get(at, end) if text[at] in OPENING else end
        if closes < end and (closes + 1 == end or text[closes + 1].isspace() or text[closes + 1] in ALTERNATIVE):
            return self._group(at, closes, depth, field), closes + 1
        if (after := spaced_number_at(text, at, end)) > at and field in {None, Field.DOC_NO}:
            return Word(text=text[at:after], start=at, end=after, field=field), after
        if (after := spaced_date_at(text, at, end)) > at and field in {None, Field.DATE}:
            return self._leaf("".join(text[at:after].split()), at, after, field, is_quoted=False), after
        after = word_end(text, at, end)
        quoted = text[at] in QUOTES and quote_end(text, at, end) == after - 1 > at
        if quoted:
            return self._leaf(text[at + 1 : after - 1], at, after, field, is_quoted=True), after
        if text[at] in MUST_CLOSE and quote_end(text, at, end) < 0 and after < len(text.rstrip()):
            raise faults.unclosed_quote(at, at + 1, f"{text[:at]}{text[at + 1 :]}")
        return self._leaf(text[at:after], at, after, field, is_quoted=False), after

    def _group(self, at: int, closes: int, depth: int, field: Field | None) -> Node | None:
        if depth >= QUERY_DEPTH_MAX:
            raise faults.too_deep(at, closes + 1)
        parts = self.conjunction(at + 1, closes, depth=depth + 1, field=field)
        if parts and all(isinstance(part, Not) for part in parts):
            raise faults.only_exclusions(at, closes + 1)
        if len(parts) < 2:
            return parts[0] if parts else None
        return Every(parts=parts, start=at, end=closes + 1)

    def _leaf(self, text: str, start: int, end: int, field: Field | None, *, is_quoted: bool) -> Node | None:
        if field is not None and field.is_filter:
            if not text.strip():
                return None
            values = filter_values(field, text)
            if isinstance(values, BadFilter):
                raise faults.bad_value(start, end, values.reason, values.hint)
            return Filter(field=field, values=values, start=start, end=end)
        if field is Field.DATE or (not is_quoted and field is None and is_compared(text)):
            period = period_of(text)
            if isinstance(period, BadDate):
                raise faults.bad_value(start, end, period.reason, period.hint)
            return Dated(text=text, period=period, start=start, end=end)
        if not phrases(text):
            return None
        if not is_quoted and field is None and (dated := dated_word(text)) is not None:
            if isinstance(dated, BadDate):
                raise faults.bad_value(start, end, dated.reason, dated.hint)
            return Dated(text=text, period=dated, start=start, end=end, is_written_too=True)
        if not is_quoted and field is None and (taken_apart := _taken_apart(text, start, end)) is not None:
            return taken_apart
        is_open = not is_quoted and text[-1] in STARS and text[-2].isascii() and text[-2].isalnum()
        return Word(text=text, start=start, end=end, field=field, is_quoted=is_quoted, is_open=is_open)


def _taken_apart(text: str, start: int, end: int) -> Either | None:
    """Return a word as typed or in its parts: a date that is written together with others, words that commas part."""
    parts: tuple[Node, ...] = ()
    if (glued := glued_date(text)) is not None and isinstance(period := dated_word(glued[0]), Period):
        date = Dated(text=glued[0], period=period, start=start, end=end, is_written_too=True)
        parts = (date, Word(text=glued[1], start=start, end=end))
    elif len(text) <= TAKEN_APART_CHARS_MAX and len(pieces := PARTING.split(text)) in range(2, TAKEN_APART_MAX + 1):
        parts = tuple([Word(text=piece, start=start, end=end) for piece in pieces])
    if not parts or any(isinstance(part, Word) and not _is_said(part.text) for part in parts):
        return None
    whole = Word(text=text, start=start, end=end)
    return Either(parts=(whole, Every(parts=parts, start=start, end=end)), start=start, end=end, is_guess=True)


def _is_said(text: str) -> bool:
    """Tell whether a piece of a word says enough to be looked for by itself."""
    return len(text) > 1 and bool(phrases(text))


def _is_single(word: Word) -> bool:
    return not word.is_quoted and is_one_character(word.text)


def _is_padded(word: Word) -> bool:
    return not word.is_quoted and all(map(is_one_character, word.text.split()))


def _either(parts: Sequence[Node]) -> Node:
    """Join alternatives; those of one filter are one filter."""
    if len(parts) == 1:
        return parts[0]
    start, end = parts[0].start, parts[-1].end
    filters = [part for part in parts if isinstance(part, Filter)]
    if len(filters) == len(parts) and len({part.field for part in filters}) == 1:
        values = dict.fromkeys(value for part in filters for value in part.values)
        return Filter(field=filters[0].field, values=tuple(values), start=start, end=end)
    flat = [one for part in parts for one in (part.parts if isinstance(part, Either) else (part,))]
    return Either(parts=tuple(flat), start=start, end=end)
