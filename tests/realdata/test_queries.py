"""Titles of real catalogues, pasted whole as a clerk pastes them, find their record."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from protocol.errors import BadQuery
from protocol.matching import Matcher
from protocol.plans import plan
from protocol.queries import parse
from protocol.record_facts import subject_of
from tests.queries import is_found, titled

SHEETS = (
    ("02_government_documents/gov_docs_state_council.csv", "title"),
    ("02_government_documents/gov_docs_shanghai_half_A.csv", "title"),
    ("02_government_documents/gov_docs_guangdong.csv", "title"),
    ("03_law_register/law_register.csv", "title"),
    ("05_old_book_catalogue/kanripo_catalogue_half_A.csv", "title"),
)


@pytest.mark.parametrize(("sheet", "column"), SHEETS)
def test_a_real_title_finds_its_record(shared_data: Path, sheet: str, column: str) -> None:
    with (shared_data / sheet).open(encoding="utf-8-sig", newline="") as file:
        titles = list(dict.fromkeys(row[column] for row in csv.DictReader(file) if row[column].strip()))
    outcomes: Counter[str] = Counter()
    lost = []
    for title in titles:
        subject = subject_of(titled(title))
        try:
            query = parse(title)
        except BadQuery:
            lost.append(title)
            continue
        is_there = Matcher(query).satisfies(subject) and is_found(plan(query), subject)
        outcomes["found" if is_there else "lost"] += 1
        if not is_there:
            lost.append(title)

    assert (outcomes["found"], lost) == (len(titles), [])
