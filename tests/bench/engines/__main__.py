"""Run the engines one after the other and print their table."""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from tests.bench.engines.titles import (
    KINDS,
    Question,
    Title,
    Truth,
    questions,
    read_titles,
    truths,
    write_questions,
    write_titles,
)
from tests.bench.figures import percentile
from tests.bench.rows import HEADINGS, rows
from tests.postgres_server import programs

PROJECT = Path(__file__).resolve().parents[3]
SITES = 200
SAMPLE_ROWS = 5_000
ENGINE_S = 3_600.0
"""Seconds that one engine may take for everything."""

_DATE, _YEAR = HEADINGS.index("题名"), HEADINGS.index("年度")
SYSTEM_PYTHON = Path("/usr/bin/python3")

ENGINES = {
    "danglian": ("ours", "Danglian on SQLite"),
    "danglian-pg": ("ours_postgres", "Danglian on PostgreSQL"),
    "tantivy": ("tantivy_peer", "tantivy, pairs"),
    "pg_trgm": ("postgres_peer", "PostgreSQL pg_trgm, ILIKE"),
    "trigram": ("sqlite_peers", "SQLite FTS5 trigram"),
    "jieba": ("sqlite_peers", "SQLite FTS5, jieba words"),
    "xapian": ("xapian_peer", "Xapian n-grams"),
}
"""Each engine's module and its name in the table."""


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine answered each question, and the milliseconds of each time."""

    totals: tuple[int, ...]
    years: tuple[tuple[int, ...], ...]
    milliseconds: tuple[tuple[float, ...], ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one engine's process said."""

    build_s: float
    build_cpu_s: float
    size_bytes: int
    peak_bytes: int
    ways: Mapping[str, Answers]
    """By the way in which it was asked; most know but one, with an empty name (``rounds.BARE``)."""


def titles(count: int) -> Iterator[Title]:
    """The titles of a run; one of ``SITES`` villages has each."""
    for number, cells in enumerate(rows(count), 1):
        site = f"330523{101 + number % SITES // 20:03d}{201 + number % 20:03d}"
        yield Title(number, int(cells[_YEAR]), site, str(cells[_DATE]))


def missing(name: str) -> str:
    """Return why an engine cannot run here, empty if it can."""
    if name in {"pg_trgm", "danglian-pg"} and programs() is None:
        return "PostgreSQL is not installed"
    if name in {"tantivy", "jieba"} and importlib.util.find_spec(name) is None:
        return f"the package {name} is not installed"
    if (
        name == "xapian"
        and subprocess.run([SYSTEM_PYTHON, "-c", "import xapian"], capture_output=True, check=False).returncode
    ):
        return "python3-xapian is not installed"
    return ""


def run(name: str, folder: Path, rounds: int) -> Outcome:
    """Run one engine in a process of its own."""
    python = SYSTEM_PYTHON if name == "xapian" else Path(sys.executable)
    command: list[str | Path] = [python, "-m", f"tests.bench.engines.{ENGINES[name][0]}", folder, name, str(rounds)]
    done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, check=True, timeout=ENGINE_S)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Outcome)


def recall(outcome: Answers, true: Sequence[Truth], asked: Sequence[Question], kind: str = "") -> float:
    """The part of the true hits that an engine counts; what it counts too many does not make up for it."""
    pairs = [
        (min(found, truth.total), truth.total)
        for found, truth, question in zip(outcome.totals, true, asked, strict=True)
        if kind in {"", question.kind}
    ]
    wanted = sum(total for _, total in pairs)
    return sum(found for found, _ in pairs) / wanted if wanted else 1.0


def pages(outcome: Answers, true: Sequence[Truth]) -> int:
    """First pages that are not the newest hits."""
    return sum(
        sorted(found, reverse=True) != list(truth.newest) for found, truth in zip(outcome.years, true, strict=True)
    )


def times(outcome: Answers, asked: Sequence[Question], kind: str = "") -> str:
    """p50 / p99 of a class in milliseconds."""
    took = [
        one
        for spent, question in zip(outcome.milliseconds, asked, strict=True)
        if kind in {"", question.kind}
        for one in spent
    ]
    return f"{percentile(took, 50):.2f} / {percentile(took, 99):.1f}"


def table(outcomes: Mapping[str, Outcome], asked: Sequence[Question], true: Sequence[Truth], count: int) -> str:
    """The engines side by side."""
    heads = ["engine", "rows/s", "MB", "peak MB", *KINDS, "all", "recall", "pages not newest"]
    lines = [heads, ["---"] * len(heads)]
    asked_so = [(name, outcome, way, said) for name, outcome in outcomes.items() for way, said in outcome.ways.items()]
    for name, outcome, way, said in asked_so:
        lines.append(
            [
                f"{ENGINES[name][1]}{': ' if way else ''}{way}",
                f"{count / outcome.build_s:,.0f}",
                f"{outcome.size_bytes / 1e6:,.0f}",
                f"{outcome.peak_bytes / 1e6:,.0f}",
                *(times(said, asked, kind) for kind in KINDS),
                times(said, asked),
                f"{recall(said, true, asked):.3f}",
                f"{pages(said, true)} of {len(true)}",
            ]
        )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.engines", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="titles")
    parser.add_argument("--rounds", type=int, default=5, help="times that each question is put")
    parser.add_argument("--only", action="append", choices=ENGINES, help="run this engine; may be repeated")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    parser.add_argument("--folder", type=Path, help="work in this folder and leave it there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="danglian-engines-") as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        write_titles(folder / "titles.tsv", titles(arguments.rows))
        asked = questions(titles(min(arguments.rows, SAMPLE_ROWS)))
        write_questions(folder / "questions.json", asked)
        true = truths(read_titles(folder / "titles.tsv"), asked)
        outcomes: dict[str, Outcome] = {}
        for name in arguments.only or ENGINES:
            if reason := missing(name):
                sys.stderr.write(f"{ENGINES[name][1]}: not run: {reason}\n")
                continue
            sys.stderr.write(f"{ENGINES[name][1]} …\n")
            outcomes[name] = run(name, folder, arguments.rounds)
    sys.stdout.write(f"{arguments.rows:,} titles, {len(asked)} questions; milliseconds p50 / p99\n\n")
    sys.stdout.write(table(outcomes, asked, true, arguments.rows) + "\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(msgspec.to_builtins(outcomes)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
