"""What was counted for the first page of a search, for the pages behind it."""

import msgspec

from hub.searching.search import Query, Tally
from hub.web import tallies
from hub.web.tallies import TALLY_S, Tallies

FIRST = Query(words="山林", limit=20, with_facets=True)
SECOND = msgspec.structs.replace(FIRST, cursor="behind the first")
COUNTED = Tally(total=61, is_whole=True, is_upper_bound=False, is_sounding=False, facets=None)


class Clock:
    """A clock that a test sets."""

    now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


def test_pages_behind_the_first_have_its_tally_and_the_first_is_counted_anew() -> None:
    kept = Tallies(Clock())
    kept.keep("lin.min", FIRST, COUNTED)

    assert [kept.of("lin.min", query) for query in (SECOND, FIRST)] == [COUNTED, None]


def test_nobody_has_the_tally_of_somebody_else_or_of_another_search() -> None:
    kept = Tallies(Clock())
    kept.keep("lin.min", FIRST, COUNTED)
    narrower = msgspec.structs.replace(SECOND, fonds_no="X001")

    assert [kept.of("wang.fang", SECOND), kept.of("lin.min", narrower)] == [None, None]


def test_a_tally_is_forgotten_after_its_time_and_when_there_are_too_many() -> None:
    clock = Clock()
    kept = Tallies(clock)
    kept.keep("lin.min", FIRST, COUNTED)
    clock.now_ms += int(TALLY_S * 1000)
    old = kept.of("lin.min", SECOND)
    kept.keep("lin.min", FIRST, COUNTED)
    for number in range(tallies.TALLIES_MAX):
        kept.keep(f"person.{number}", FIRST, COUNTED)

    assert [old, kept.of("lin.min", SECOND), kept.of("person.0", SECOND)] == [None, None, COUNTED]
