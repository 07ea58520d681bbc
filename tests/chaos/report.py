"""The report: what was done to the county, and what came of it, as JSON and as a page to read."""

import datetime
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.chaos.outcomes import Outcome

_HEADINGS = (
    "scenario",
    "faults injected",
    "sent",
    "in the sheets",
    "lost",
    "doubled",
    "repaired",
    "equal after",
    "took",
)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    began_at: str
    machine: str
    seed: int
    rows: int
    good: bool
    scenarios: Sequence[Outcome]


def report(seed: int, rows: int, began: datetime.datetime, outcomes: Sequence[Outcome]) -> Report:
    """Return the report of a run; skipped scenarios neither pass nor fail."""
    return Report(
        began_at=began.isoformat(timespec="seconds"),
        machine=f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}",
        seed=seed,
        rows=rows,
        good=all(one.is_good for one in outcomes if not one.skipped),
        scenarios=outcomes,
    )


def written(found: Report, path: Path) -> tuple[Path, Path]:
    """Write the report beside each other as ``.json`` and ``.md``; returns both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    as_json, as_page = path.with_suffix(".json"), path.with_suffix(".md")
    as_json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    as_page.write_text(page(found), encoding="utf-8")
    return as_json, as_page


def page(found: Report) -> str:
    """Return the report as Markdown."""
    again = f"`python -m tests.chaos --seed {found.seed} --rows {found.rows}`"
    word = "nothing lost, nothing doubled" if found.good else "FAILED"
    lines = [
        "# Chaos",
        "",
        f"{found.began_at} · {found.machine} · {again} · {word}",
        "",
        _line(_HEADINGS),
        _line(["---"] * len(_HEADINGS)),
        *(_line(_cells(one)) for one in found.scenarios),
        "",
    ]
    for one in found.scenarios:
        lines += [f"## {one.scenario}", ""]
        lines += [f"Failed: {one.failure.splitlines()[0]}", ""] if one.failure else []
        lines += [f"- {note}" for note in one.notes] + ([""] if one.notes else [])
        lines += [f"{number}. {step}" for number, step in enumerate(one.schedule, 1)] + [""]
    return "\n".join(lines)


def _cells(one: Outcome) -> Sequence[str]:
    if one.skipped:
        return (one.scenario, f"skipped: {one.skipped}", *[""] * (len(_HEADINGS) - 2))
    faults = ", ".join(f"{count} × {kind}" for kind, count in sorted(one.faults.items()))
    equal = "never" if one.equal_s is None else f"{one.equal_s:.0f} s"
    numbers = (one.sent, one.planted, one.lost, one.doubled, one.repaired)
    return (
        one.scenario,
        faults,
        *("–" if one is None else f"{one:,}" for one in numbers),
        equal,
        f"{one.took_s:.0f} s",
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
