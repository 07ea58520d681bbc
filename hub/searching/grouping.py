"""Hits that belong together, within one page: an item with its volume, and entries that may describe one document.

Nothing is hidden and nothing moves to another page: the members of a group stand one behind the other, at the place of
the first of them, items before the volume that they lie in.
"""

from collections.abc import Collection, Sequence

import msgspec

from hub.decisions.duplicates import Entry, Key
from protocol.vocabularies import Level


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """One hit in its place on the page."""

    index: int
    """Its place in the order of the ranks."""
    group: int
    """Number of its group, counted from 0."""


def grouped(entries: Sequence[Entry], alike: Collection[tuple[Key, Key]]) -> list[Placed]:
    """Return the hits of a page in the order in which they are shown.

    Args:
        entries: the hits in the order of their ranks.
        alike: pairs among them that may describe the same document.

    """
    places = {one.key: index for index, one in enumerate(entries)}
    leader = list(range(len(entries)))
    in_volumes = ((one.key, (one.site, one.record.parent_id)) for one in entries if one.record.parent_id is not None)
    for one, other in (*in_volumes, *alike):
        if one in places and other in places:
            first, second = sorted((_root(leader, places[one]), _root(leader, places[other])))
            leader[second] = first
    members: dict[int, list[int]] = {}
    for index in range(len(entries)):
        members.setdefault(_root(leader, index), []).append(index)
    return [
        Placed(index=index, group=number)
        for number, group in enumerate(members.values())
        for index in sorted(group, key=lambda index: (entries[index].record.level is Level.VOLUME, index))
    ]


def _root(leader: Sequence[int], index: int) -> int:
    while leader[index] != index:
        index = leader[index]
    return index
