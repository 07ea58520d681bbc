"""Names that sound like a name, as far as the index holds them.

What sounds like a name of three characters are thousands of names. Which of them occur is asked of the index pair by
pair, within a bound: a pair that stands nowhere rules out every name with it. Names that differ in one character come
first, because the characters that stay leave few questions; the pairs of two characters that both change are a thousand
by themselves, and would use up the bound before a single name was whole.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, islice, pairwise, product
from typing import Final

from sqlalchemy import Connection

from hub.text_index import index_of
from hub.time_budgets import TimeBudget
from protocol.expressions import Column, Run
from protocol.readings import Homophones, Reading, Sound

PAIRS_ASKED_MAX: Final = 600
"""Pairs of characters that are asked of the index for one name: some tens of milliseconds."""

NAMES_MAX: Final = 32
"""Names that one name is also read as."""

_COLUMNS: Final = (Column.TITLE, Column.PARTIES, Column.REST)


def sounding(connection: Connection, homophones: Homophones, budget: TimeBudget) -> tuple[Reading, ...]:
    """Return the names of the index that sound like a name, those that sound the same first."""
    holds = _Pairs(connection, budget)
    names = (name for name in _candidates(homophones, holds) if len(name) == len(homophones.name))
    readings = (homophones.reading(name) for name in names)
    found = islice((one for one in readings if one is not None), NAMES_MAX)
    return tuple(sorted(found, key=lambda one: homophones.sound(one.text) is Sound.NEAR))


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
        pairs = tuple(one + other for one, other in pairwise(name))
        return len(pairs) == 1 or self._index.is_found(self._connection, Run(terms=pairs, columns=_COLUMNS))


def _candidates(homophones: Homophones, holds: _Pairs) -> Iterator[str]:
    """The names whose pairs all occur: those of one other character, which need the fewest questions, then of more."""
    characters = homophones.characters
    choices = [[one.same for one in characters], [one.same + one.near for one in characters]]
    seen = {homophones.name}
    for size in range(1, len(characters) + 1):
        for alike in choices:
            for places in combinations(range(len(characters)), size):
                for name in _changed(
                    homophones.name, dict(zip(places, (alike[at] for at in places), strict=True)), holds
                ):
                    if name not in seen and holds.stands(name):
                        seen.add(name)
                        yield name


def _changed(name: str, choices: Mapping[int, str], holds: Callable[[str], bool]) -> Iterator[str]:
    """The names with other characters at some places; choices beside a character that stays are asked for first."""
    left = {at: [one for one in choices[at] if _fits(name, at, one, choices, holds)] for at in choices}
    beginnings = [""]
    for at, stays in enumerate(name):
        beginnings = [
            begun + following
            for begun, following in product(beginnings, left.get(at, [stays]))
            if not begun or at not in left or at - 1 not in left or holds(begun[-1] + following)
        ]
    yield from beginnings


def _fits(name: str, at: int, one: str, choices: Mapping[int, str], holds: Callable[[str], bool]) -> bool:
    before, after = at - 1, at + 1
    return (before < 0 or before in choices or holds(name[before] + one)) and (
        after >= len(name) or after in choices or holds(one + name[after])
    )
