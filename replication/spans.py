"""Spans of a row of bytes: what is there of it, and what is missing."""

from collections.abc import Iterable

Span = tuple[int, int]
"""Begin and end."""


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the same bytes in order, as few spans as can say it."""
    whole: list[Span] = []
    for first, last in sorted(spans):
        if whole and first <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(whole[-1][1], last)
        elif first < last:
            whole.append((first, last))
    return tuple(whole)


def without(spans: Iterable[Span], taken: Iterable[Span]) -> tuple[Span, ...]:
    """Return what is left of some spans when others are taken out of them."""
    left = merged(spans)
    for first, last in merged(taken):
        left = tuple(
            (begins, ends)
            for span in left
            for begins, ends in ((span[0], min(span[1], first)), (max(span[0], last), span[1]))
            if begins < ends
        )
    return left


def length(spans: Iterable[Span]) -> int:
    """Return how many bytes some spans that do not overlap have."""
    return sum(last - first for first, last in spans)
