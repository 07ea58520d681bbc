"""How common terms are in the index on PostgreSQL, as the server's own statistics have it.

The server counts the terms of a sample of each part whenever it analyses it, and keeps the thousand most common. What
is not among them stands in less than one row of three hundred: a search may read all of it.
"""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from sqlalchemy import Connection

from hub.storage.postgres_terms import terms_of
from protocol.expressions import AllOf, AnyOf, Expression, Run, Without

KEPT_S: Final = 300.0
"""Seconds for which a connection believes what it has read: a server analyses anew once a tenth of the rows changed."""

RARE: Final = 0.001
"""Share of the rows that a term is taken to stand in which is none of the most common."""

TELLING: Final = 0.2
"""Share of the rows up to which it helps to ask for a term besides others."""

TERMS_MAX: Final = 4
"""Terms of a phrase up to which it is asked for as it is."""

TERMS_KEPT: Final = 4
"""Terms of a longer phrase that are asked for."""

NUMBERED_MIN: Final = 3
"""Terms of a phrase from which on its last character need not be asked for."""

_KNOWN: Final = "common_terms"

# The largest part: which terms are common is much the same in all of them.
_SHARES: Final = """
SELECT CAST(CAST(most_common_elems AS text) AS text[]), most_common_elem_freqs FROM pg_stats
WHERE schemaname = current_schema() AND attname = 'terms' AND tablename = (
 SELECT relname FROM pg_partition_tree('search') JOIN pg_class ON oid = relid
 WHERE isleaf AND reltuples > 0 ORDER BY reltuples DESC LIMIT 1)
"""


class CommonTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The most common terms, and in which share of the rows they stand."""

    shares: Mapping[str, float]
    """Empty where the server has not counted yet."""
    read_at_s: float

    def share(self, expression: Expression) -> float:
        """Return about which share of the rows an expression finds, if its parts have nothing to do with each other."""
        match expression:
            case Run(terms=terms, is_prefix=is_prefix):
                whole = terms[:-1] if is_prefix else terms
                return min((self.shares.get(term, RARE) for term in whole), default=RARE)
            case AllOf(parts=parts):
                return functools.reduce(lambda share, part: share * self.share(part), parts, 1.0)
            case AnyOf(parts=parts):
                return 1.0 - functools.reduce(lambda none, part: none * (1.0 - self.share(part)), parts, 1.0)
            case Without(wanted=wanted, unwanted=unwanted):
                return self.share(wanted) * (1.0 - self.share(unwanted))

    def thinned(self, expression: Expression) -> Expression:
        """Return what finds at least what an expression finds, by the rarest terms of long phrases.

        Nor the last character of a number (号): for a beginning, the index puts together whatever begins so. A GIN
        index begins with the rarest term, but for each row that has it it looks for all the others: eighteen of a piece
        of a title took a hundred times as long as four.
        """
        match expression:
            case Run():
                return self._run(expression)
            case AllOf(parts=parts):
                return AllOf(parts=tuple(map(self.thinned, parts)))
            case AnyOf(parts=parts):
                return AnyOf(parts=tuple(map(self.thinned, parts)))
            case Without(wanted=wanted, unwanted=unwanted):
                return Without(wanted=self.thinned(wanted), unwanted=unwanted)

    def _tells(self, term: str) -> bool:
        # What the index does not hold as it stands here would find nothing by itself.
        return self.shares.get(term, RARE) <= TELLING and terms_of(term) == [term]

    def _run(self, run: Run) -> Expression:
        if run.is_prefix and len(run.terms) >= NUMBERED_MIN and not run.terms[-1].isascii():
            run = msgspec.structs.replace(run, terms=run.terms[:-1], is_prefix=False)
        if len(run.terms) <= TERMS_MAX or not self.shares:
            return run
        whole = run.terms[:-1] if run.is_prefix else run.terms
        kept: list[int] = []
        for place in sorted(range(len(whole)), key=lambda place: self.shares.get(whole[place], RARE)):
            # Neighbours share a character and so tell the same; what stands apart tells more.
            if len(kept) < TERMS_KEPT and self._tells(whole[place]) and all(abs(place - one) > 1 for one in kept):
                kept.append(place)
        if not kept:
            return run
        asked = [msgspec.structs.replace(run, terms=(whole[place],), is_prefix=False) for place in sorted(kept)]
        if run.is_prefix:
            asked.append(msgspec.structs.replace(run, terms=run.terms[-1:]))
        return AllOf(parts=tuple(asked))


def common_terms(connection: Connection, clock: Callable[[], float] = time.monotonic) -> CommonTerms:
    """Return the most common terms as the server knows them; a connection asks for them now and then."""
    known: CommonTerms | None = connection.info.get(_KNOWN)
    if known is None or clock() - known.read_at_s > KEPT_S:
        row = connection.exec_driver_sql(_SHARES).one_or_none()
        terms, shares = (row[0] or (), row[1] or ()) if row is not None else ((), ())
        # Behind the shares stand the lowest and the highest of them.
        known = CommonTerms(shares=dict(zip(terms, shares, strict=False)), read_at_s=clock())
        connection.info[_KNOWN] = known
    return known
