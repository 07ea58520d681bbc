"""From one stage of a plan to the next: the hits of a page in their ranks, each found once.

Where very many entries are found, the newest ten thousand are ranked, then the ten thousand before them: nobody reads
on, and a rank that hardly anything is of would have to be looked for in millions.
"""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection

from hub.searching.cursors import Cursor
from hub.searching.sought import Sought, Span
from hub.searching.time_budgets import TimeBudget
from hub.searching.walks import docids, floors_below


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """One hit of a walk."""

    docid: int
    place: Cursor
    """Where it was found, and the next one begins."""

    @property
    def stage(self) -> int:
        """Number of the stage that found it first."""
        return self.place.stage


def of_counted(best: Sequence[tuple[int, int]], begin: Cursor) -> list[Ranked]:
    """Return the first hits, of which rank and docid were told when they were counted."""
    return [Ranked(docid=docid, place=msgspec.structs.replace(begin, stage=rank, below=docid)) for rank, docid in best]


def ranked(
    connection: Connection,
    stages: Sequence[Callable[[], Sought]],
    all_found: Sought,
    begin: Cursor,
    limit: int,
    budget: TimeBudget,
    most: int | None = None,
) -> list[Ranked]:
    """Return the next hits, newest first within each stage.

    Args:
        connection: the catalogue.
        stages: what each stage finds that no stage before it does; made when the walk comes to it.
        all_found: what all of them find.
        begin: where the page before ended.
        limit: hits wanted.
        budget: the time for it.
        most: how many there are at all; None where nobody knows.

    """
    found: list[Ranked] = []
    place = begin
    while True:
        for number in range(place.stage, len(stages)):
            below = place.below if number == place.stage else place.ceiling
            wish = limit - len(found)
            span = Span(below=below, above=place.floor, near=place.near)
            part = docids(connection, stages[number](), span, wish, budget)
            found += [
                Ranked(docid=docid, place=msgspec.structs.replace(place, stage=number, below=docid)) for docid in part
            ]
            if len(found) >= limit or len(found) == most or budget.was_cut:
                return found
        if not place.floor:
            return found
        floor, near = floors_below(connection, all_found, place.floor, budget)
        place = Cursor(stage=0, below=place.floor, ceiling=place.floor, floor=floor, near=near)
