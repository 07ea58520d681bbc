"""Rows of the index and what is asked of it in PostgreSQL's words: vectors and queries.

They are written out here and not cut by the server: its parser would drop what its locale does not know, which under
"C" is every Chinese character. Terms are those that FTS5's tokenizer ``ascii`` sees, so that both stores find the same.
The text columns are the weights of the terms; marks, which no text contains, need neither weight nor place.
"""

import re
from typing import Final

from protocol.expressions import TEXT_COLUMNS, AllOf, AnyOf, Column, Expression, Run, Without
from protocol.index_rows import INDEX_COLUMNS, IndexRow

TERM_CHARS_MAX: Final = 500
"""Characters of a term that are told apart: a vector takes 2,046 bytes, and a character of UTF-8 has four at most."""

TERMS_MAX: Final = 16_000
"""Terms of one row that are kept: places beyond 16,383 cannot be told apart, and a vector has a megabyte at most."""

_WEIGHTS: Final = {Column.TITLE: "A", Column.PARTIES: "B", Column.CODES: "C", Column.REST: "D"}

_TERM = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")
_UPPER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_NOWHERE = "'\N{REPLACEMENT CHARACTER} '"


def vector(row: IndexRow) -> str:
    """Return an index row as PostgreSQL reads a vector."""
    said: list[str] = []
    place = 0
    for column, text in zip(INDEX_COLUMNS, row, strict=True):
        terms = terms_of(text)[: max(0, TERMS_MAX - place)]
        weight = _WEIGHTS.get(column)
        if weight is None:
            said += [f"'{term}'" for term in terms]
            continue
        said += [f"'{term}':{number}{weight}" for number, term in enumerate(terms, place + 1)]
        # One place is left free, so that no phrase runs from one column into the next.
        place += len(terms) + 1
    return " ".join(said)


def tsquery(expression: Expression) -> str:
    """Return an expression as PostgreSQL reads a query; terms that are none find nothing, as in FTS5."""
    match expression:
        case Run():
            return _run(expression)
        case AllOf(parts=parts):
            return f"({' & '.join(map(tsquery, parts))})"
        case AnyOf(parts=parts):
            return f"({' | '.join(map(tsquery, parts))})"
        case Without(wanted=wanted, unwanted=unwanted):
            return f"({tsquery(wanted)} & !{tsquery(unwanted)})"


def _run(run: Run) -> str:
    terms = terms_of(" ".join(run.terms))
    if not terms:
        return _NOWHERE
    weights = "" if set(run.columns) >= set(TEXT_COLUMNS) else "".join(_WEIGHTS.get(one, "") for one in run.columns)
    marks = [weights] * (len(terms) - 1) + [f"*{weights}" if run.is_prefix else weights]
    said = [f"'{term}'{':' if mark else ''}{mark}" for term, mark in zip(terms, marks, strict=True)]
    return f"({' <-> '.join(said)})"


def terms_of(text: str) -> list[str]:
    """Return the terms of a text as FTS5's tokenizer ``ascii`` sees them; nothing in them is ever read as syntax."""
    return [term[:TERM_CHARS_MAX].translate(_UPPER) for term in _TERM.findall(text)]
