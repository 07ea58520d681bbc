"""Whether an index row holds what an expression asks for: what an engine would say of it, said without one. Pure.

Used where an engine is asked for more than is wanted, because it cannot be asked for just that, or because asking for
less is quicker; and by tests, to which every engine has to agree.
"""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from protocol.expressions import AllOf, AnyOf, Column, Expression, Run, Without
from protocol.index_rows import INDEX_COLUMNS, IndexRow

_IDEOGRAPHS: Final = re.compile("[\u4e00-\u9fff]+")
"""Characters that nothing behind them changes, as it does a kana."""


def holds(expression: Expression, row: IndexRow) -> bool:
    """Tell whether an expression finds a row."""
    columns = {column: f" {terms} " for column, terms in zip(INDEX_COLUMNS, row, strict=True)}
    return holds_in(expression, columns.__getitem__)


def holds_in(expression: Expression, terms_of: Callable[[Column], str]) -> bool:
    """Tell the same of columns that are cut when they are asked for; each with a blank before and behind its terms."""
    match expression:
        case Run(terms=terms, columns=columns, is_prefix=is_prefix):
            wanted = f" {' '.join(terms)}" if is_prefix else f" {' '.join(terms)} "
            return any(wanted in terms_of(column) for column in columns)
        case AllOf(parts=parts):
            return all(holds_in(part, terms_of) for part in parts)
        case AnyOf(parts=parts):
            return any(holds_in(part, terms_of) for part in parts)
        case Without(wanted=wanted_part, unwanted=unwanted):
            return holds_in(wanted_part, terms_of) and not holds_in(unwanted, terms_of)


def written(expression: Expression) -> str | None:
    """Return Han characters of which a title is found if they stand in it just so; None if there are none such."""
    if not isinstance(expression, Run) or Column.TITLE not in expression.columns or expression.is_prefix:
        return None
    first, *others = expression.terms
    text = first
    for term in others:
        text += term[1:]
    pairs = tuple(map("".join, pairwise(text)))
    return text if pairs == expression.terms and _IDEOGRAPHS.fullmatch(text) else None


def words_only(expression: Expression) -> Expression | None:
    """Return what finds at least the same in an index that knows neither columns nor marks; None for everything."""
    match expression:
        case Run():
            is_mark = Column.MARKS in expression.columns
            return None if is_mark else Run(terms=expression.terms, is_prefix=expression.is_prefix)
        case AllOf(parts=parts):
            kept = tuple(part for part in map(words_only, parts) if part is not None)
            return AllOf(parts=kept) if kept else None
        case AnyOf(parts=parts):
            loose = [words_only(part) for part in parts]
            kept = tuple(part for part in loose if part is not None)
            return AnyOf(parts=kept) if len(kept) == len(loose) else None
        case Without(wanted=wanted):
            return words_only(wanted)
