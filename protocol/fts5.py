"""Expressions in the language of FTS5, for the nodes and for a hub on SQLite. Pure."""

from typing import Final

from protocol.expressions import TEXT_COLUMNS, AllOf, AnyOf, Column, Expression, Run, Without
from protocol.marks import YEAR

_UNQUOTED: Final = str.maketrans({'"': " ", "\0": " "})

DECADE_DIGITS: Final = 3
"""Digits of a year that name its decade."""


def fts5_match(expression: Expression) -> str:
    """Return what FTS5 is asked for; no term is ever read as its syntax."""
    match expression:
        case Run():
            return _run(expression)
        case AllOf(parts=parts):
            return _joined(" AND ", parts)
        case AnyOf(parts=parts):
            return _joined(" OR ", parts)
        case Without(wanted=wanted, unwanted=unwanted):
            return f"({fts5_match(wanted)} NOT {fts5_match(unwanted)})"


def _joined(word: str, parts: tuple[Expression, ...]) -> str:
    said = list(dict.fromkeys(map(fts5_match, parts)))
    return said[0] if len(said) == 1 else f"({word.join(said)})"


def _run(run: Run) -> str:
    first = run.terms[0]
    if run.is_prefix and len(run.terms) == 1 and first[:1] == YEAR and len(first) == 1 + DECADE_DIGITS:
        # FTS5 puts together whatever a prefix finds before it looks at anything else; ten years it takes as they come.
        return "(" + " OR ".join(f'"{first}{digit}"' for digit in range(10)) + ")"
    said = f'"{" ".join(run.terms).translate(_UNQUOTED)}"' + (" *" if run.is_prefix else "")
    # Marks and words are never alike, so that neither needs to be told where to look.
    if set(run.columns) == set(TEXT_COLUMNS) or run.columns == (Column.MARKS,):
        return said
    return f"{{{' '.join(run.columns)}}} : {said}"
