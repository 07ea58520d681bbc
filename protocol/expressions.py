"""What a full-text index is asked for, in no engine's words: runs of terms, and how they are joined.

A query (``protocol.queries``) becomes a plan of such expressions; each engine writes them in its own language. The
columns are those of every index of the county: SQLite keeps them as columns, PostgreSQL as the four weights of a
vector and a second vector.
"""

from enum import StrEnum

import msgspec


class Column(StrEnum):
    """A part of the index."""

    TITLE = "title"
    PARTIES = "parties"
    """Persons and organs that are responsible."""
    CODES = "codes"
    """Reference codes, earlier ones too, and document numbers, in their parts."""
    REST = "rest"
    """Dates as written, scope and content, notes."""
    MARKS = "marks"
    """What no text can contain: whole codes, years, and the values that filters ask for (``protocol.marks``)."""


TEXT_COLUMNS = (Column.TITLE, Column.PARTIES, Column.CODES, Column.REST)
"""The columns in which words are looked for unless a query names one."""


class Run(msgspec.Struct, frozen=True, kw_only=True, tag="run"):
    """Terms that stand one behind the other in one column."""

    terms: tuple[str, ...]
    """At least one, as ``protocol.analysis`` or ``protocol.marks`` makes them."""
    columns: tuple[Column, ...] = TEXT_COLUMNS
    is_prefix: bool = False
    """The last term need only begin so."""


class AllOf(msgspec.Struct, frozen=True, kw_only=True, tag="all"):
    """Found where every part is found; never empty."""

    parts: tuple["Expression", ...]


class AnyOf(msgspec.Struct, frozen=True, kw_only=True, tag="any"):
    """Found where at least one part is found; never empty."""

    parts: tuple["Expression", ...]


class Without(msgspec.Struct, frozen=True, kw_only=True, tag="without"):
    """Found where one is found and the other is not."""

    wanted: "Expression"
    unwanted: "Expression"


Expression = Run | AllOf | AnyOf | Without
