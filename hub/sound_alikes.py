"""Names that sound like a name, as far as the index holds them.

What sounds like a name of three characters are thousands of names. Which of them occur is asked of the index pair by
pair, those that sound the same first, and within a bound: a pair that stands nowhere rules out every name with it.
"""

from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Final

from sqlalchemy import Connection

from hub.text_index import index_of
from hub.time_budgets import TimeBudget
from protocol.expressions import Column, Run
from protocol.readings import Homophones, Reading

PAIRS_ASKED_MAX: Final = 1_500
"""Pairs of characters that are asked of the index for one name: some 20 ms."""

NAMES_MAX: Final = 32
"""Names that one name is also read as."""

_COLUMNS: Final = (Column.TITLE, Column.PARTIES, Column.REST)


def sounding(connection: Connection, homophones: Homophones, budget: TimeBudget) -> tuple[Reading, ...]:
    """Return the names of the index that sound like a name, those that sound the same first."""
    holds = _Pairs(connection, budget)
    names = (name for name in _candidates(homophones, holds) if len(name) == len(homophones.name))
    readings = (homophones.reading(name) for name in names)
    return tuple(islice((one for one in readings if one is not None), NAMES_MAX))


class _Pairs:
    """Which pairs of characters stand anywhere in the index; each is asked once."""

    def __init__(self, connection: Connection, budget: TimeBudget) -> None:
        self._connection = connection
        self._index = index_of(connection)
        self._budget = budget
        self._known: dict[str, bool] = {}

    def __call__(self, pair: str) -> bool:
        if pair not in self._known:
            if len(self._known) >= PAIRS_ASKED_MAX or self._budget.is_spent:
                self._budget.was_cut = self._budget.was_cut or self._budget.is_spent
                return False
            self._known[pair] = self._index.is_found(self._connection, Run(terms=(pair,)))
        return self._known[pair]

    def stands(self, name: str) -> bool:
        """Tell whether a name of pairs that occur stands anywhere itself."""
        pairs = tuple(map("".join, zip(name, name[1:], strict=False)))
        return len(pairs) == 1 or self._index.is_found(self._connection, Run(terms=pairs, columns=_COLUMNS))


def _candidates(homophones: Homophones, holds: _Pairs) -> Iterator[str]:
    """The names whose pairs all occur: of characters that sound the same, then with those that sound nearly so."""
    same = [one.character + one.same for one in homophones.characters]
    near = [one.character + one.same + one.near for one in homophones.characters]
    seen = {homophones.name}
    for choices in (same, near):
        for name in _joined(choices, holds):
            if name not in seen and holds.stands(name):
                seen.add(name)
                yield name


def _joined(choices: list[str], holds: Callable[[str], bool]) -> Iterator[str]:
    beginnings = list(choices[0])
    for following in choices[1:]:
        beginnings = [name + after for name, after in product(beginnings, following) if holds(name[-1] + after)]
    yield from beginnings
