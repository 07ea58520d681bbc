"""The other set of questions: what an examiner asks who knows the domain and not the search."""

import asyncio
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.search_contract import examiner
from tests.search_contract.county import county
from tests.search_contract.engines import at_hub, at_nodes
from tests.search_contract.measuring import Report, measured, table
from tests.search_contract.results import CLASS_RECALL_MIN, MISPLACED_MAX, RECALL_MIN
from tests.search_contract.stores import hub_stores

QUESTIONS_MIN = 300

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Report]:
    """Every engine's answers to every question, asked once."""
    return asyncio.run(asked(tmp_path_factory.mktemp("examiner")))


async def asked(folder: Path) -> dict[str, Report]:
    """Put all questions to the hub on each store, and to the nodes."""
    found: dict[str, Report] = {}
    questions, names = examiner.questions(), examiner.shipped_names()
    for name, database in hub_stores(folder):
        inside = folder / name
        inside.mkdir()
        async with county(inside, database, examiner.sheets()) as filled:
            found[f"hub, {name}"] = await measured(name, at_hub(filled, names), questions)
            if "nodes" not in found:
                found["nodes"] = await measured("nodes", at_nodes(filled, names), questions)
    return found


def _said(report: Report) -> list[str]:
    return [
        f"{one.question.id} {one.question.query!r} missed {one.verdict.missed} misplaced {one.verdict.violations}"
        for one in report.failures
    ]


def test_recall_at_twenty_keeps_the_promise(reports: Mapping[str, Report]) -> None:
    print("\n".join(table(reports)))
    below = {name: _said(report) for name, report in reports.items() if report.overall.recall < RECALL_MIN}

    assert below == {}


def test_no_class_is_given_up_for_the_others(reports: Mapping[str, Report]) -> None:
    below = {
        (name, result.kind): (result.recall, _said(report))
        for name, report in reports.items()
        for result in report.classes.values()
        if result.recall < CLASS_RECALL_MIN
    }

    assert below == {}


def test_unwanted_records_stay_away(reports: Mapping[str, Report]) -> None:
    above = {
        name: _said(report)
        for name, report in reports.items()
        if report.overall.violations > MISPLACED_MAX * report.overall.questions
    }

    assert above == {}


def test_questions_are_told_apart_and_name_records_that_there_are() -> None:
    names = [line.name for lines in examiner.sheets().values() for line in lines]
    questions = examiner.questions()
    unknown = [
        (one.id, wanted)
        for one in questions
        for wanted in (*(name for tier in one.expected for name in tier), *one.unwanted, *one.tolerated)
        if not any(fnmatchcase(name, wanted) for name in names)
    ]

    assert unknown == []
    assert len(questions) == len({one.id for one in questions})
    assert len(questions) >= QUESTIONS_MIN
