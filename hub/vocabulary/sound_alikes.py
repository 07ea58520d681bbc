"""Names that sound like a name, as far as the index holds them.

What sounds like a name of three characters are thousands of names. Which of them occur is asked of the index by their
pairs, many in one statement, within a bound: a pair that stands nowhere rules out every name with it. Names that differ
in one character come first, because the characters that stay leave few questions; the pairs of two characters that both
change are a thousand by themselves, and would use up the bound before a single name was whole.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, islice, pairwise, product
from typing import Final

from sqlalchemy import Connection

from hub.searching.time_budgets import Cut, TimeBudget
from hub.storage.text_index import index_of
from protocol.expressions import Column, Run
from protocol.readings import Homophones, Reading, Sound

PAIRS_ASKED_MAX: Final = 600
"""Pairs of characters that are asked of the index for one name: some milliseconds."""

SOUNDS_BUDGET_S: Final = 0.5
"""Seconds that the names of one word may take: the hits that have the word itself are still to be read."""

NAMES_BEGUN_MAX: Final = 2 * PAIRS_ASKED_MAX
"""Beginnings of names that are followed up: more than can be asked about."""

NAMES_ASKED_MAX: Final = 200
"""Names, of pairs that all stand somewhere, that are asked of the index as a whole."""

NAMES_MAX: Final = 32
"""Names that one name is also read as."""

_COLUMNS: Final = (Column.TITLE, Column.PARTIES, Column.REST)


def sounding(connection: Connection, homophones: Homophones, budget: TimeBudget) -> tuple[Reading, ...]:
    """Return the names of the index that sound like a name, those that sound the same first."""
    own = TimeBudget(min(budget.left_s, SOUNDS_BUDGET_S))
    names = (name for name in _candidates(homophones, _Index(connection, own)) if len(name) == len(homophones.name))
    readings = (homophones.reading(name) for name in names)
    found = list(islice((one for one in readings if one is not None), NAMES_MAX))
    budget.was_cut = budget.was_cut or own.was_cut
    return tuple(sorted(found, key=lambda one: homophones.sound(one.text) is Sound.NEAR))


class _Index:
    """What stands anywhere in the index; each pair and each name is asked once."""

    def __init__(self, connection: Connection, budget: TimeBudget) -> None:
        self._connection = connection
        self._budget = budget
        self._pairs: dict[str, bool] = {}
        self._names: dict[str, bool] = {}

    def pairs(self, pairs: Iterable[str]) -> set[str]:
        """Return those pairs of characters that stand somewhere; of too many the first."""
        wanted = list(dict.fromkeys(pairs))
        new = [pair for pair in wanted if pair not in self._pairs][: PAIRS_ASKED_MAX - len(self._pairs)]
        self._pairs |= self._asked(new, [Run(terms=(pair,)) for pair in new])
        return {pair for pair in wanted if self._pairs.get(pair)}

    def names(self, names: Iterable[str]) -> list[str]:
        """Return those names that stand somewhere, of names whose pairs all do; of too many the first."""
        wanted = list(names)
        new = [name for name in wanted if len(name) > 2 and name not in self._names]
        new = new[: NAMES_ASKED_MAX - len(self._names)]
        runs = [Run(terms=tuple(one + other for one, other in pairwise(name)), columns=_COLUMNS) for name in new]
        self._names |= self._asked(new, runs)
        return [name for name in wanted if self._names.get(name, len(name) == 2)]

    def _asked(self, texts: Sequence[str], runs: Sequence[Run]) -> dict[str, bool]:
        if not runs or self._budget.was_cut:
            return dict.fromkeys(texts, False)
        index = index_of(self._connection)
        try:
            with index.bounded(self._connection, self._budget.left_s):
                found = index.standing(self._connection, runs)
        except Cut:
            self._budget.was_cut = True
            return dict.fromkeys(texts, False)
        return dict(zip(texts, found, strict=True))


def _candidates(homophones: Homophones, index: _Index) -> Iterator[str]:
    """The names that stand somewhere: those of one other character, which need the fewest questions, then of more."""
    characters = homophones.characters
    choices = [[one.same for one in characters], [one.same + one.near for one in characters]]
    seen = {homophones.name}
    for size in range(1, len(characters) + 1):
        for alike in choices:
            for places in combinations(range(len(characters)), size):
                changed = _changed(homophones.name, {at: alike[at] for at in places}, index)
                new = [name for name in changed if name not in seen]
                seen.update(new)
                yield from index.names(new)


def _changed(name: str, choices: Mapping[int, str], index: _Index) -> Iterator[str]:
    """The names with other characters at some places; choices beside a character that stays are asked for first."""
    beside = {(at, one): _beside(name, at, one, choices) for at in choices for one in choices[at]}
    stand = index.pairs(pair for pairs in beside.values() for pair in pairs)
    left = {at: [one for one in choices[at] if stand.issuperset(beside[at, one])] for at in choices}
    beginnings = [""]
    for at, stays in enumerate(name):
        both = list(islice(product(beginnings, left.get(at, [stays])), NAMES_BEGUN_MAX))
        if at in left and at - 1 in left:
            stand = index.pairs(begun[-1] + following for begun, following in both)
            both = [(begun, following) for begun, following in both if begun[-1] + following in stand]
        beginnings = [begun + following for begun, following in both]
    yield from beginnings


def _beside(name: str, at: int, one: str, choices: Mapping[int, str]) -> list[str]:
    """The pairs that a choice makes with the characters that stay."""
    before, after = at - 1, at + 1
    pairs = [name[before] + one] if before >= 0 and before not in choices else []
    return [*pairs, one + name[after]] if after < len(name) and after not in choices else pairs
