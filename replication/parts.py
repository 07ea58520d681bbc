"""Parts of the stream: several workers read it side by side, each the frames of other sites.

A site is always in one part, so that its frames are applied in their order by one worker. The part follows from the
town's three digits in the subject, and a reader names all of its towns in its filter: nothing at the broker has to
know of parts, frames that are stored already belong to one, and another number of parts is only other readers.

A reader with the numbers in its name starts at the beginning of the stream. What was applied before changes nothing
(promise 4), so that nobody has to carry positions from one division to another.
"""

from typing import Final

import msgspec

from protocol.sites import Site
from replication.streams import HUB_CONSUMER, StreamPlan

PARTS_MAX: Final = 64
"""Parts that a stream is divided into at most: a part of a county then has a town or none."""

TOWNS: Final = 1_000
"""Codes that the three digits of a town make."""


def part_of(site: Site, parts: int) -> int:
    """Return the part that a site belongs to, of so many."""
    return int(site.town) % parts


def subjects_of(part: int, parts: int) -> tuple[str, ...]:
    """Return the subjects of the frames of a part: every code of a town is in exactly one."""
    return tuple(f"dl.evt.*.{town:03}.>" for town in range(part, TOWNS, parts))


def reader_of(part: int, parts: int) -> str:
    """Return the name of the reader of a part; a stream that is not divided has the reader that it always had."""
    return HUB_CONSUMER if parts == 1 else f"{HUB_CONSUMER}-{parts}-{part}"


def plan_of(part: int, parts: int, plan: StreamPlan) -> StreamPlan:
    """Return the plan of a stream as the reader of one part sees it."""
    return plan if parts == 1 else msgspec.structs.replace(plan, heard=subjects_of(part, parts))
