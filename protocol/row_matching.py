"""Whether an index row holds what an expression asks for: what an engine would say of it, said without one. Pure.

Used where an engine is asked for more than is wanted, because it cannot be asked for just that, or because asking for
less is quicker; and by tests, to which every engine has to agree.
"""

from protocol.expressions import AllOf, AnyOf, Column, Expression, Run, Without
from protocol.index_rows import INDEX_COLUMNS, IndexRow


def holds(expression: Expression, row: IndexRow) -> bool:
    """Tell whether an expression finds a row."""
    match expression:
        case Run():
            return _stands(expression, row)
        case AllOf(parts=parts):
            return all(holds(part, row) for part in parts)
        case AnyOf(parts=parts):
            return any(holds(part, row) for part in parts)
        case Without(wanted=wanted, unwanted=unwanted):
            return holds(wanted, row) and not holds(unwanted, row)


def _stands(run: Run, row: IndexRow) -> bool:
    wanted = f" {' '.join(run.terms)}" if run.is_prefix else f" {' '.join(run.terms)} "
    columns = zip(INDEX_COLUMNS, row, strict=True)
    return any(wanted in f" {terms} " for column, terms in columns if column in run.columns)


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
