"""What a benchmark finds, and the table it is shown in.

A figure stands beside the raw floor (the same work done with the bare libraries) or a peer (another way that people do
this work), both measured in the same run: on a shared machine only the ratios mean anything.
"""

import statistics
from collections.abc import Sequence

import msgspec

_HEADINGS = ("figure", "ours", "unit", "raw floor", "ours / floor", "peer", "ours / peer", "target")


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the table; what was not measured is None."""

    bench: str
    what: str
    unit: str
    ours: float | None = None
    floor: float | None = None
    peer: float | None = None
    peer_name: str = ""
    target: str = ""


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much work a run does."""

    rows: int = 50_000
    """Rows of a sheet."""
    rounds: int = 3
    """Repetitions of a long measurement; the median is shown."""
    changes: int = 200
    """Single changes."""
    sites: int = 232
    """Sites that a live question is put to."""
    records: int = 1_000
    """Records of each of those sites."""
    questions: int = 60
    """Live questions."""
    idle_s: float = 60.0
    """Seconds that an idle process is watched."""


QUICK = Scale(rows=5_000, rounds=1, changes=30, sites=24, records=200, questions=20, idle_s=10.0)
"""A run that shows in a minute that every benchmark works; its figures mean little."""


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which ``percent`` per cent of the values lie, between neighbours by distance."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def median(values: Sequence[float]) -> float:
    """The value in the middle."""
    return statistics.median(values)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _ratio(ours: float | None, other: float | None) -> str:
    return f"{ours / other:.2f}" if ours is not None and other else ""


def _cells(figure: Figure) -> tuple[str, ...]:
    peer = f"{_number(figure.peer)} ({figure.peer_name})" if figure.peer is not None else ""
    return (
        f"{figure.bench}: {figure.what}",
        _number(figure.ours),
        figure.unit,
        _number(figure.floor),
        _ratio(figure.ours, figure.floor),
        peer,
        _ratio(figure.ours, figure.peer),
        figure.target,
    )


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table, which also reads well on a terminal."""
    lines = [_HEADINGS, *(_cells(figure) for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    drawn = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    drawn.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(drawn)
