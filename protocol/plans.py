"""How a query is looked for: ranked stages, each an expression that an index is asked for.

The stages go from the surest to the widest: the whole code or number; the words together in the title; all in the
title; among title and responsible parties; anywhere; then under other spellings of names, other names of places, equal
words, and names that sound alike. Each holds the one before it, but "title" need not hold the whole codes, so what a
stage finds anew is ``Plan.fresh``: that stage without the one before it and without the first. An engine that keeps the
set of what it has shown may ask for the stages themselves.

``found_by`` is what all stages find together. If the plan is not exact, the index finds more than the query means (a
day where it knows only years, one field where it knows a column, the tail of a long title): each hit is then to be
checked by ``protocol.matching``, and a total is an upper bound. ``periods`` and ``selections`` have to hold for each
hit in any case; where an index has the marks of filters, ``marked`` puts them into an expression.
"""

import functools
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from protocol.analysis import fold, phrases
from protocol.expressions import AllOf, AnyOf, Column, Expression, Run, Without
from protocol.limits import QUERY_WORDS_MAX, READINGS_WORDS_MAX, RUN_TERMS_MAX
from protocol.marks import ACCESS, FONDS, KIND, LEVEL, SITE, mark, period
from protocol.query_dates import Period
from protocol.query_fields import Field
from protocol.query_tree import Dated, Either, Every, Filter, Node, Not, Query, Word, leaves
from protocol.readings import Reading, ReadingKind
from protocol.spellings import spelt_phrases
from protocol.wording import Text
from protocol.written_numbers import code_beginning, other_ends, whole_marks

Readings = Callable[[str], Sequence[Reading]]
"""What a word may also be read as, the best first."""


class StageName(StrEnum):
    """The ranks of hits, best first."""

    WHOLE = "whole"
    JOINED = "joined"
    TITLE = "title"
    PARTIES = "parties"
    ANYWHERE = "anywhere"
    NAME_FORM = "name_form"
    PLACE = "place"
    SYNONYM = "synonym"
    HOMOPHONE = "homophone"


MEANINGS: Final = {
    StageName.WHOLE: Text(zh="档号或文号完全相符", en="the whole code or document number"),
    StageName.JOINED: Text(zh="各词在题名中连在一起", en="the words stand together in the title"),
    StageName.TITLE: Text(zh="各词都在题名中", en="all words stand in the title"),
    StageName.PARTIES: Text(zh="各词在题名或责任者中", en="all words stand in the title or the responsible parties"),
    StageName.ANYWHERE: Text(zh="各词在条目中或所指字段中", en="the words stand in the entry, or in the field named"),
    StageName.NAME_FORM: Text(zh="含姓名的其他写法", en="with other spellings of a name"),
    StageName.PLACE: Text(zh="含地名的旧称、新称", en="with earlier and later names of a place"),
    StageName.SYNONYM: Text(zh="含同义词", en="with words of the same meaning"),
    StageName.HOMOPHONE: Text(zh="含音同或音近的姓名", en="with names that sound alike"),
}
"""What each stage means, for the reader of a hit."""

_READ: Final = (
    (StageName.NAME_FORM, ReadingKind.NAME_FORM),
    (StageName.PLACE, ReadingKind.PLACE),
    (StageName.SYNONYM, ReadingKind.SYNONYM),
    (StageName.HOMOPHONE, ReadingKind.HOMOPHONE),
)
_COLUMNS: Final = {
    Field.TITLE: (Column.TITLE,),
    Field.PARTY: (Column.PARTIES,),
    Field.CODE: (Column.CODES,),
    Field.DOC_NO: (Column.CODES,),
    Field.SCOPE: (Column.REST,),
    Field.NOTE: (Column.REST,),
}
_SHARED: Final = frozenset((Field.CODE, Field.DOC_NO, Field.SCOPE, Field.NOTE))
"""Fields that share their column with others."""
_SIGNS: Final = {Field.SITE: SITE, Field.FONDS: FONDS, Field.KIND: KIND, Field.ACCESS: ACCESS, Field.LEVEL: LEVEL}
READ_FIELDS: Final = frozenset((None, Field.TITLE, Field.PARTY, Field.SCOPE, Field.NOTE))


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One rank of hits."""

    name: StageName
    expression: Expression

    @property
    def means(self) -> Text:
        """What a hit of this stage is, in words."""
        return MEANINGS[self.name]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """A filter that every hit passes: its field has one of the values, or none of them if it is an exclusion."""

    field: Field
    values: tuple[str, ...]
    is_excluded: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask an index, in which order, and what to compare besides."""

    query: Query
    stages: tuple[Stage, ...]
    """At least one, unless the query has nothing to look for but filters, periods and exclusions."""
    found_by: Expression | None
    """All stages together; None if there is none: then every entry is found that the rest lets through."""
    unwanted: Expression | None
    """What no hit may be found by; part of every stage already."""
    periods: tuple[Period, ...]
    """Each hit is of all of them. Where they are bounded the stages hold their years already, more coarsely."""
    selections: tuple[Selection, ...]
    is_exact: bool
    """Whether nothing is found that the query does not mean, once periods and filters have been compared."""
    words: tuple[str, ...]
    """The words that may be read otherwise, as typed."""

    def fresh(self, number: int) -> Expression:
        """Return what finds the hits of one stage that no stage before it finds."""
        expression = self.stages[number].expression
        before = [stage.expression for stage in dict.fromkeys((self.stages[0], self.stages[number - 1]))]
        return Without(wanted=expression, unwanted=_any(before)) if number else expression


def plan(query: Query, readings: Readings = lambda _: ()) -> Plan:
    """Return how a query is looked for.

    Args:
        query: what was typed.
        readings: what each of its words may also be read as. Homophones among them, which only an index can find, make
            a last stage.

    """
    making = _Making(query, readings)
    stages = making.stages()
    return Plan(
        query=query,
        stages=stages,
        # The last stage holds all others, whole codes included.
        found_by=stages[-1].expression if stages else None,
        unwanted=making.unwanted,
        periods=tuple(part.period for part in query.parts if isinstance(part, Dated) and not part.is_written_too),
        selections=tuple(_selections(query)),
        is_exact=making.is_exact,
        words=readable_words(query),
    )


def is_readable(word: Word) -> bool:
    """Tell whether a word may be read otherwise: quotation marks, codes and numbers mean just what they say."""
    return not word.is_quoted and not word.is_open and word.field in READ_FIELDS


def readable_words(query: Query) -> tuple[str, ...]:
    """Return the words of a query that may be read otherwise, as typed; in a long query the first ones."""
    words = [leaf.text for leaf in leaves(query.parts) if isinstance(leaf, Word) and is_readable(leaf)]
    return tuple(dict.fromkeys(words))[:READINGS_WORDS_MAX]


def usable_readings(query: Query, readings: Readings) -> dict[str, tuple[Reading, ...]]:
    """Return the other readings of each word of a query."""
    found = {word: [one for one in readings(word) if phrases(one.text)] for word in readable_words(query)}
    return {word: tuple(one for one in those if fold(one.text) != fold(word)) for word, those in found.items()}


def marked(selection: Selection) -> Expression | None:
    """Return what finds the records whose marks one filter asks for; None if a site is named by words.

    An exclusion is for the caller to turn round.
    """
    runs: list[Expression] = []
    for value in selection.values:
        is_prefix = value.endswith("*")
        if selection.field is Field.SITE and not value.rstrip("*").replace("-", "").isalnum():
            return None
        if selection.field is Field.SITE and not value[:1].isdigit():
            return None
        term = mark(_SIGNS[selection.field], value.rstrip("*"))
        runs.append(Run(terms=(term,), columns=(Column.MARKS,), is_prefix=is_prefix))
    return _any(runs)


def _selections(query: Query) -> list[Selection]:
    found = []
    for part in query.parts:
        within = part.part if isinstance(part, Not) else part
        if isinstance(within, Filter):
            found.append(Selection(field=within.field, values=within.values, is_excluded=isinstance(part, Not)))
    return found


class _Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where words are looked for at one stage, and in which readings."""

    columns: tuple[Column, ...] | None = None
    """None for anywhere: codes and numbers as wholes count too."""
    kinds: frozenset[ReadingKind] = frozenset()
    is_whole: bool = False
    """What has a whole form is looked for in that form only."""
    is_typed: bool = False
    """Words count as typed, not in their parts."""


_ANYWHERE: Final = _Scope()


class _Making:
    """A plan while it is made."""

    def __init__(self, query: Query, readings: Readings) -> None:
        self.is_exact = True
        parts = [part for part in query.parts if not _is_compared(part)]
        wanted = [part for part in parts if not isinstance(part, Not)]
        # Words beyond the bound, the shortest first, are left to the check.
        if len(wanted) > QUERY_WORDS_MAX:
            wanted = sorted(wanted, key=lambda part: part.start - part.end)[:QUERY_WORDS_MAX]
            wanted.sort(key=lambda part: part.start)
            self.is_exact = False
        self._wanted = wanted
        self._unbounded = [part for part in query.parts if isinstance(part, Dated) and not part.is_written_too]
        self._read = usable_readings(query, readings)
        self._cut = functools.cache(spelt_phrases)  # The same words are cut for each stage.
        excluded = [part.part for part in parts if isinstance(part, Not)]
        self.unwanted = self._unwanted(excluded)

    def stages(self) -> tuple[Stage, ...]:
        """Return the stages that differ from the ones before them."""
        narrowed = self._years()
        if not self._wanted and not narrowed:
            return ()
        scopes = [
            (StageName.WHOLE, _Scope(is_whole=True)),
            (StageName.JOINED, _Scope(columns=(Column.TITLE,), is_typed=True)),
            (StageName.TITLE, _Scope(columns=(Column.TITLE,))),
            (StageName.PARTIES, _Scope(columns=(Column.TITLE, Column.PARTIES))),
            (StageName.ANYWHERE, _ANYWHERE),
        ]
        kinds: frozenset[ReadingKind] = frozenset()
        for name, kind in _READ:
            kinds |= {kind}
            if any(reading.kind is kind for readings in self._read.values() for reading in readings):
                scopes.append((name, _Scope(kinds=kinds)))
        found: dict[Expression, StageName] = {}
        for name, scope in scopes:
            if not self._has(name):
                continue
            if name is StageName.TITLE and (joined := self._joined()) is not None:
                found.setdefault(self._bounded([joined, *self._undated(scope), *narrowed]), StageName.JOINED)
            expressions = [self._of(part, scope) for part in self._wanted]
            found.setdefault(self._bounded([*expressions, *narrowed]), name)
        return tuple(Stage(name=name, expression=expression) for expression, name in found.items())

    def _has(self, name: StageName) -> bool:
        """Tell whether a stage is what its name says for at least one word of the query."""
        words = [leaf for leaf in leaves(tuple(self._wanted)) if isinstance(leaf, Word)]
        fields = {word.field for word in words}
        match name:
            case StageName.WHOLE:
                return any(map(_has_whole, leaves(tuple(self._wanted))))
            case StageName.JOINED:
                return any(isinstance(part, Either) and part.is_guess for part in self._wanted)
            case StageName.TITLE:
                return bool(fields & {None, Field.TITLE})
            case StageName.PARTIES:
                return bool(fields & {None, Field.TITLE, Field.PARTY})
            case _:
                return True

    def _bounded(self, parts: Sequence[Expression]) -> Expression:
        expression = _all(parts)
        return Without(wanted=expression, unwanted=self.unwanted) if self.unwanted is not None else expression

    def _years(self) -> list[Expression]:
        """The years of the periods that a hit must be of, as far as they are bounded."""
        periods = [part.period for part in self._unbounded]
        return [period(*one.years) for one in periods if one.first is not None and one.last is not None]

    def _joined(self) -> Expression | None:
        """The words, in their order, as one text in the title; None where there are not several."""
        words = [part for part in self._wanted if isinstance(part, Word)]
        if len(words) < 2 or any(word.field not in {None, Field.TITLE} or word.is_open for word in words):
            return None
        glued = words[0].text
        for word in words[1:]:
            glued += word.text if _is_han(glued[-1]) or _is_han(word.text[0]) else f" {word.text}"
        found = dict.fromkeys((*phrases(glued), *phrases(";".join(word.text for word in words))))
        runs = [
            Run(terms=one.terms, columns=(Column.TITLE,), is_prefix=one.is_prefix)
            for one in found
            if len(one.terms) <= RUN_TERMS_MAX
        ]
        return _any(runs) if len(runs) == len(found) else None

    def _undated(self, scope: _Scope) -> list[Expression]:
        """What is wanted beside the joined words."""
        return [self._of(part, scope) for part in self._wanted if not isinstance(part, Word)]

    def _of(self, node: Node, scope: _Scope) -> Expression:
        match node:
            case Word():
                return self._word(node, scope)
            case Dated():
                return self._dated(node, scope)
            case Either():
                parts = node.parts[:1] if node.is_guess and scope.is_typed else node.parts
                return _any([self._of(part, scope) for part in parts])
            case Every():
                return self._every(node, scope)
            case _:
                raise AssertionError(node)

    def _every(self, node: Every, scope: _Scope) -> Expression:
        wanted = _all([self._of(part, scope) for part in node.parts if not isinstance(part, Not)])
        unwanted = self._unwanted([part.part for part in node.parts if isinstance(part, Not)])
        return Without(wanted=wanted, unwanted=unwanted) if unwanted is not None else wanted

    def _unwanted(self, excluded: Sequence[Node]) -> Expression | None:
        """What must not be found; what an index finds too widely is left to the check: it would exclude too much."""
        expressions = []
        for node in excluded:
            before, self.is_exact = self.is_exact, True
            expression = self._of(node, _ANYWHERE)
            if self.is_exact:
                expressions.append(expression)
                self.is_exact = before
        return _any(expressions) if expressions else None

    def _word(self, word: Word, scope: _Scope) -> Expression:
        if scope.is_whole and (whole := whole_marks(word.text, word.field)):
            return _any(_of_marks(whole))
        columns = _COLUMNS[word.field] if word.field else scope.columns
        found = self._texts(word.text, columns, is_open=word.is_open)
        if word.field in _SHARED:
            self.is_exact = False
        if columns is None or word.field in {Field.CODE, Field.DOC_NO}:
            found += _of_marks(whole_marks(word.text, word.field))
            for other in other_ends(word.text, word.field):
                found += self._texts(other, (Column.CODES,))
            if beginning := code_beginning(word.text, word.field):
                found += self._texts(word.text, (Column.CODES,), is_open=True)
                found.append(Run(terms=(beginning,), columns=(Column.MARKS,), is_prefix=True))
        for reading in self._read.get(word.text, ()) if is_readable(word) else ():
            if reading.kind in scope.kinds:
                found += self._texts(reading.text, columns)
        return _any(found)

    def _dated(self, dated: Dated, scope: _Scope) -> Expression:
        if scope.is_whole and dated.is_written_too and (whole := whole_marks(dated.text)):
            return _any(_of_marks(whole))
        if not dated.period.is_whole_years or not dated.is_written_too:
            self.is_exact = False
        found: list[Expression] = [period(*dated.period.years)]
        if dated.is_written_too:
            written = Word(text=dated.text, start=dated.start, end=dated.end)
            found.insert(0, self._word(written, scope))
        return _any(found)

    def _texts(self, text: str, columns: tuple[Column, ...] | None, *, is_open: bool = False) -> list[Expression]:
        found: list[Expression] = []
        for one in self._cut(text):
            terms = one.terms[:RUN_TERMS_MAX]
            is_prefix = one.is_prefix or is_open
            if len(terms) < len(one.terms):
                self.is_exact = is_prefix = False
            run = Run(terms=terms, is_prefix=is_prefix)
            found.append(run if columns is None else msgspec.structs.replace(run, columns=columns))
        return found


def _is_compared(part: Node) -> bool:
    """Tell whether a part of the query is compared with columns, and so is no part of an expression."""
    within = part.part if isinstance(part, Not) else part
    return isinstance(within, Filter) or (isinstance(part, Dated) and not part.is_written_too)


def _has_whole(leaf: Word | Dated | Filter) -> bool:
    return not isinstance(leaf, Filter) and bool(whole_marks(leaf.text, getattr(leaf, "field", None)))


def _of_marks(terms: Sequence[str]) -> list[Expression]:
    return [Run(terms=(term,), columns=(Column.MARKS,)) for term in terms]


def _is_han(character: str) -> bool:
    return not character.isascii()


def _any(parts: Sequence[Expression]) -> Expression:
    distinct = tuple(dict.fromkeys(parts))
    return distinct[0] if len(distinct) == 1 else AnyOf(parts=distinct)


def _all(parts: Sequence[Expression]) -> Expression:
    distinct = tuple(dict.fromkeys(parts))
    return distinct[0] if len(distinct) == 1 else AllOf(parts=distinct)
