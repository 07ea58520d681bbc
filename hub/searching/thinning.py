"""Asking the index for less than is meant, where that is far quicker, and looking at what it finds.

FTS5 walks along the whole list of every term of a phrase, and puts together whatever a prefix finds before it looks at
anything else. Of a long phrase only its rarest terms are asked for, and none for the last character of a number (号),
which half of all titles hold; whoever asks so looks at each entry that is found (``protocol.record_facts.found``).
PostgreSQL, which looks at what it finds by itself, is asked for all that is meant (``hub.storage.commonness``).
"""

import msgspec

from hub.searching.rarity import Rarity
from protocol.expressions import AllOf, AnyOf, Column, Expression, Run, Without

TERMS_MAX = 4
"""Terms of a phrase up to which it is asked for as it is."""

TERMS_KEPT = 4
"""Terms of a longer phrase that are asked for."""

NUMBERED_MIN = 3
"""Terms of a phrase from which on its last character need not be asked for."""


def thinned(rarity: Rarity, expression: Expression) -> Expression:
    """Return what finds at least what an expression finds, and more quickly; the same where nothing is gained."""
    if not rarity.matters:
        return expression
    match expression:
        case Run():
            return _run(rarity, expression)
        case AllOf(parts=parts):
            return AllOf(parts=tuple(thinned(rarity, part) for part in parts))
        case AnyOf(parts=parts):
            return AnyOf(parts=tuple(thinned(rarity, part) for part in parts))
        case Without(wanted=wanted, unwanted=unwanted):
            kept = _unwanted(rarity, unwanted)
            asked = thinned(rarity, wanted)
            return Without(wanted=asked, unwanted=kept) if kept is not None else asked


def _unwanted(rarity: Rarity, expression: Expression) -> Expression | None:
    """What of the unwanted is asked for as it is; the rest is left to the look at what is found."""
    if not isinstance(expression, AnyOf):
        return expression if thinned(rarity, expression) == expression else None
    kept = tuple(part for part in expression.parts if thinned(rarity, part) == part)
    return AnyOf(parts=kept) if kept else None


def _run(rarity: Rarity, run: Run) -> Expression:
    if Column.MARKS in run.columns:
        return run
    terms = run.terms
    if run.is_prefix and len(terms) >= NUMBERED_MIN and not terms[-1].isascii():
        run = msgspec.structs.replace(run, terms=terms[:-1], is_prefix=False)
    if len(run.terms) <= TERMS_MAX or run.is_prefix:
        return run
    reach = rarity.of(run.terms)
    rarest = sorted(range(len(run.terms)), key=lambda place: reach[run.terms[place]])
    kept: list[int] = []
    for place in rarest:
        # Neighbours share a character and so tell the same; what stands apart tells more.
        if all(abs(place - other) > 1 for other in kept):
            kept.append(place)
    asked = (run.terms[place] for place in kept[:TERMS_KEPT])
    return AllOf(parts=tuple(msgspec.structs.replace(run, terms=(term,)) for term in asked))
