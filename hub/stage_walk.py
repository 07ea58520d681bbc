"""From one stage of a plan to the next: the hits of a page in their ranks, each found once."""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection

from hub.cursors import Cursor
from hub.time_budgets import TimeBudget
from hub.walks import ABOVE_ALL, Sought, docids


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """One hit of a walk."""

    docid: int
    stage: int
    """Number of the stage that found it first."""


BEGINNING = Cursor(stage=0, below=ABOVE_ALL)
"""Where the first page begins."""


def ranked(
    connection: Connection, stages: Sequence[Callable[[], Sought]], begin: Cursor, limit: int, budget: TimeBudget
) -> list[Ranked]:
    """Return the next hits, newest first within each stage.

    Args:
        connection: the catalogue.
        stages: what each stage finds that no stage before it does; made when the walk comes to it.
        begin: where the page before ended.
        limit: hits wanted.
        budget: the time for it.

    """
    found: list[Ranked] = []
    for number in range(begin.stage, len(stages)):
        below = begin.below if number == begin.stage else ABOVE_ALL
        part = docids(connection, stages[number](), below, limit - len(found), budget)
        found += [Ranked(docid=docid, stage=number) for docid in part]
        if len(found) >= limit or budget.was_cut:
            break
    return found
