"""In which order the index meets the parts of a question, where that is far quicker.

FTS5 walks all parts of a conjunction in step: each is moved to wherever another one stands. A word that every title has
is so read from end to end for the sake of two filters, however rare what passes both. Here the two rarest parts are
walked first, and the next rarest is looked for only where they meet; a phrase, whose terms are compared place by place,
comes last, behind its rarest term. FTS5 dissolves an AND within an AND, but not one that something is taken from: so
nothing is taken from it. PostgreSQL orders the terms by itself.
"""

from collections.abc import Mapping, Sequence

import msgspec

from hub.searching.rarity import Rarity
from protocol.expressions import AllOf, AnyOf, Column, Expression, Run, Without
from protocol.marks import NOWHERE

LISTS_MIN = 3
"""Lists of entries from which on their order tells: two are walked in step whichever comes first."""

COMMONER = 16
"""Times that a term is as common as the rarest of its phrase from which on looking for the phrase costs the most."""

CHOICES_LOOKED_AT = 4
"""Parts of a choice that are asked how rare they are: those of one choice are alike (sites of a town, years)."""

_NOTHING = Run(terms=(NOWHERE,), columns=(Column.MARKS,))


def ordered(rarity: Rarity, expression: Expression) -> Expression:
    """Return what finds the same, with what is rare before what is common; the same where nothing is gained."""
    return _ordered(rarity, expression) if rarity.matters else expression


def wider(rarity: Rarity, expression: Expression | None) -> Expression | None:
    """Return what finds all that an expression in order does, and more, because it leaves out costly phrases.

    A phrase is costly that holds a term as common as no other: on the way back FTS5 reads the whole of every page of
    such a list that it comes to. None where no phrase is.
    """
    match expression:
        case AllOf(parts=(Without(wanted=met, unwanted=unwanted), *phrases)) if phrases and unwanted == _NOTHING:
            runs = [phrase for phrase in phrases if isinstance(phrase, Run) and _is_phrase(phrase)]
            costly = len(runs) == len(phrases) and any(_is_costly(rarity, run) for run in runs)
            return met if costly else None
        case Without(wanted=wanted, unwanted=unwanted) if (inner := wider(rarity, wanted)) is not None:
            return Without(wanted=inner, unwanted=unwanted)
        case _:
            return None


def shared_terms(expression: Expression | None) -> tuple[str, ...]:
    """Return terms that every entry has which an expression finds."""
    match expression:
        case Run(terms=terms, is_prefix=is_prefix):
            return terms[:-1] if is_prefix else terms
        case AllOf(parts=parts):
            return tuple(dict.fromkeys(term for part in parts for term in shared_terms(part)))
        case Without(wanted=wanted):
            return shared_terms(wanted)
        case _:
            return ()


def _is_costly(rarity: Rarity, phrase: Run) -> bool:
    reach = rarity.of(_asked(phrase))
    terms = sorted(_asked(phrase), key=lambda term: reach[term])
    return rarity.is_commoner(terms[-1], terms[0], COMMONER)


def _ordered(rarity: Rarity, expression: Expression) -> Expression:
    match expression:
        case AnyOf(parts=parts):
            return AnyOf(parts=tuple(_ordered(rarity, part) for part in parts))
        case Run() if len(expression.terms) < LISTS_MIN:
            return expression
        case _:
            parts, unwanted = _taken_apart(expression)
            found = _conjunction(rarity, parts)
            if not unwanted:
                return found
            left_out = tuple(_ordered(rarity, one) for one in unwanted)
            return Without(wanted=found, unwanted=left_out[0] if len(left_out) == 1 else AnyOf(parts=left_out))


def _taken_apart(expression: Expression) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    """Return what must be found altogether, and what of it must not: whatever is taken from a part is from all."""
    match expression:
        case AllOf(parts=parts):
            apart = [_taken_apart(part) for part in parts]
            wanted, unwanted = (
                dict.fromkeys(one for some in side for one in some) for side in zip(*apart, strict=True)
            )
            return tuple(wanted), tuple(unwanted)
        case Without(wanted=inner, unwanted=taken):
            parts, unwanted_there = _taken_apart(inner)
            return parts, (*unwanted_there, taken)
        case _:
            return (expression,), ()


def _conjunction(rarity: Rarity, parts: tuple[Expression, ...]) -> Expression:
    plain = AllOf(parts=parts) if len(parts) > 1 else parts[0]
    if sum(len(part.terms) if isinstance(part, Run) else 1 for part in parts) < LISTS_MIN:
        return plain
    terms = tuple(dict.fromkeys(term for part in parts for term in _asked(part)))
    reach = rarity.of(terms)
    phrases = [part for part in parts if _is_phrase(part)]
    alone = [part for part in parts if not _is_phrase(part)]
    alone += [_rarest(phrase, reach) for phrase in phrases if isinstance(phrase, Run)]
    in_order = sorted(dict.fromkeys(alone), key=lambda part: _reach_of(part, reach))
    return AllOf(parts=_in_steps([_ordered(rarity, part) for part in in_order], phrases))


def _in_steps(parts: Sequence[Expression], phrases: Sequence[Expression]) -> tuple[Expression, ...]:
    """Return parts of which each is looked for only where all before it meet, and then the phrases."""
    first, *others = parts
    steps: tuple[Expression, ...] = (first,)
    for part in others:
        steps = (*steps, part) if len(steps) == 1 else (_kept_together(steps), part)
    return (*steps, *phrases) if len(steps) == 1 or not phrases else (_kept_together(steps), *phrases)


def _kept_together(parts: tuple[Expression, ...]) -> Expression:
    return Without(wanted=AllOf(parts=parts), unwanted=_NOTHING)


def _is_phrase(part: Expression) -> bool:
    return isinstance(part, Run) and len(part.terms) > 1


def _rarest(phrase: Run, reach: Mapping[str, int]) -> Run:
    """Return the rarest term of a phrase by itself; the last one of a prefix is no whole term."""
    rarest = min(_asked(phrase), key=lambda term: reach[term])
    return msgspec.structs.replace(phrase, terms=(rarest,), is_prefix=False)


def _asked(part: Expression) -> tuple[str, ...]:
    """Return the terms of a part that tell how rare it is."""
    match part:
        case Run(terms=terms, is_prefix=is_prefix):
            return terms[:-1] if is_prefix and len(terms) > 1 else terms
        case AnyOf(parts=parts):
            return tuple(term for one in parts[:CHOICES_LOOKED_AT] for term in _asked(one))
        case AllOf(parts=parts):
            return tuple(term for one in parts for term in _asked(one))
        case Without(wanted=wanted):
            return _asked(wanted)


def _reach_of(part: Expression, reach: Mapping[str, int]) -> int:
    """Return how far back the newest entries of a part reach: a choice is as common as the commonest of it."""
    if isinstance(part, AnyOf):
        return max((_reach_of(one, reach) for one in part.parts[:CHOICES_LOOKED_AT]), default=0)
    return min((reach[term] for term in _asked(part)), default=0)
