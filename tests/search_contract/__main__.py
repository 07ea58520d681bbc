"""``make contract``: put the published questions to every search there is here, print recall by class, write it down.

Recall at twenty: the part of the expected records that stand on the first page. A figure followed by ``(2✗)`` says that
in two questions a record stood where it must not. PostgreSQL and the dictionary's words are left out where they are
not installed.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from tests.search_contract import segmentation
from tests.search_contract.county import County, county
from tests.search_contract.engines import Ask, at_hub, at_nodes
from tests.search_contract.measuring import Report, measured, table
from tests.search_contract.questions import Question, all_questions
from tests.search_contract.results import RECALL_MIN, write_table
from tests.search_contract.stores import hub_stores
from tests.search_contract.substrings import pieces


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.search_contract", description=__doc__)
    parser.add_argument("--only", action="append", metavar="CLASS", help="questions of this class; may be repeated")
    parser.add_argument("--failures", action="store_true", help="also say which questions failed, and how")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to this file")
    parser.add_argument("--write", action="store_true", help="put the table into tests/search_contract/README.md")
    return parser.parse_args(given)


async def _measure(folder: Path, only: Sequence[str]) -> dict[str, Report]:
    reports: dict[str, Report] = {}
    nodes: Ask | None = None
    for name, database in hub_stores(folder):
        inside = folder / name
        inside.mkdir()
        async with county(inside, database) as filled:
            questions = _questions(filled, only)
            reports[f"hub, {name}"] = await _put(f"hub, {name}", at_hub(filled), questions)
            if nodes is None:
                nodes = at_nodes(filled)
                reports["nodes"] = await _put("nodes", nodes, questions)
                if segmentation.is_installed():
                    plain = [one for one in questions if one.kind in segmentation.PLAIN_KINDS]
                    reports[segmentation.NAME] = await _put(
                        segmentation.NAME, segmentation.segmented(filled.lines), plain
                    )
    return reports


def _questions(filled: County, only: Sequence[str]) -> list[Question]:
    questions = [*all_questions(), *pieces(filled.lines)]
    return [one for one in questions if not only or one.kind in only]


async def _put(name: str, ask: Ask, questions: Sequence[Question]) -> Report:
    sys.stderr.write(f"{name}: {len(questions)} questions … ")
    began = time.monotonic()
    report = await measured(name, ask, questions)
    sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")
    return report


def _tell_failures(report: Report) -> None:
    for failure in report.failures:
        question, verdict = failure.question, failure.verdict
        said = [f"missed {' '.join(verdict.missed)}"] if verdict.missed else []
        said += [f"misplaced {' '.join(verdict.violations)}"] if verdict.violations else []
        said += [failure.refusal] if failure.refusal else []
        print(f"{report.engine} · {question.kind} · {question.id} · {question.query!r}: {'; '.join(said)}")


def main() -> int:
    """Measure, print, and say by the exit code whether the contract is kept."""
    arguments = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="danglian-contract-") as folder:
        reports = asyncio.run(_measure(Path(folder), arguments.only or []))
    lines = table(reports)
    print("\n".join(lines))
    ours = [report for name, report in reports.items() if name != segmentation.NAME]
    if arguments.failures:
        for report in ours:
            _tell_failures(report)
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(reports)))
    if arguments.write and not arguments.only:
        write_table(lines)
    return 0 if all(report.overall.recall >= RECALL_MIN for report in ours) else 1


if __name__ == "__main__":
    sys.exit(main())
