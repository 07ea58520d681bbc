"""What is wanted of the entries that an expression finds, before each store says it in its own words."""

import msgspec

from protocol.expressions import Expression


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Some entries of a range of docids, from one of its ends on."""

    expression: Expression
    docids: range
    limit: int
    clauses: tuple[str, ...] = ()
    """Conditions on ``entry`` besides, with marks for ``values``."""
    values: tuple[object, ...] = ()
    is_dated: bool = False
    """Only entries of some date, where an index finds them by their marks."""
    with_faces: bool = False
    upwards: bool = False
    """The oldest and not the newest."""
    ranks: tuple[Expression, ...] | None = None
    """Of each entry the number of the first of these that finds it is wanted as well, else how many they are; None if
    not."""
