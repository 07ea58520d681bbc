"""The other set: what somebody who did not write the search would ask it, over a catalogue of its own.

The first set grew together with the search. This one was written as an examiner writes: from the domain's notes and
from what people type, first the questions and only then a look at what is found. The catalogue is small, its plain
records are drawn from a seed, and its tables of words are the ones that the package ships, as an examiner finds them.
"""

import random
from pathlib import Path
from typing import Final

from hub.vocabulary.county_sheets import read_sheet
from hub.vocabulary.gazetteer_table import gazetteer_of
from hub.vocabulary.readings import Readings
from hub.vocabulary.synonyms import synonyms_of
from tests.search_contract.catalogue import Line, in_sheets, written_lines
from tests.search_contract.questions import Question, all_questions

FOLDER: Final = Path(__file__).with_name("examiner")

SITES: Final = ("county", "shiping")
"""Keys of ``catalogue.SITES``: two are enough to be asked apart."""

SEED: Final = 330_523
FILLERS_A_SITE: Final = 150

_TABLES: Final = Path(__file__).parents[2] / "hub" / "defaults"
_WHO: Final = ("供销社", "粮管所", "农技站", "广播站", "信用社", "卫生院", "文化站", "兽医站")
_WHAT: Final = ("年度计划", "人员编制", "经费预算", "物资盘点", "安全检查", "岗位职责", "设备添置", "车辆维修")
_YEARS: Final = (*range(1961, 1966), *range(1995, 2000))


def sheets() -> dict[str, list[Line]]:
    """Return the records by site, the same in each run."""
    written = in_sheets(written_lines(FOLDER / "records"), SITES)
    return {site: [*rows, *_fillers(site)] for site, rows in written.items()}


def questions() -> list[Question]:
    """Return the examiner's questions."""
    return all_questions(FOLDER / "questions")


def shipped_names() -> Readings:
    """Return what words may also be read as by the tables that the package ships."""
    return Readings(
        gazetteer_of(read_sheet(_TABLES / "gazetteer.csv")), synonyms_of(read_sheet(_TABLES / "synonyms.csv"))
    )


def _fillers(site: str) -> list[Line]:
    draw = random.Random(f"{SEED} {site}")
    return [
        Line(
            name=f"plain-{site}-{number}",
            site=site,
            cells={
                "code": f"Q{SITES.index(site):03d}-WS·{(year := draw.choice(_YEARS))}·D30-{number:04d}",
                "title": f"{draw.choice(_WHO)}{draw.choice(_WHAT)}第{draw.randint(20, 99)}期",
                "party": draw.choice(_WHO),
                "date": f"{year}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
                "retention": "30年",
            },
        )
        for number in range(1, FILLERS_A_SITE + 1)
    ]
