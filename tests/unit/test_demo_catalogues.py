"""The made-up catalogues: the same for the same seed, dirty in every known way, and about nobody."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from deploy.demo.administration import town_name, village_name
from deploy.demo.catalogues import catalogues_of
from deploy.demo.cells import Catalogue, Fate, FileForm, Row
from deploy.demo.county import STORY_TOWN_CODE, STORY_VILLAGE_CODE, Place, all_places, chosen_places
from deploy.demo.datings import DATINGS
from deploy.demo.dirt import DIRT
from deploy.demo.layouts import FIELDS, Layout
from deploy.demo.livelihood import kinds
from deploy.demo.numbering import LOOK_ALIKE_DASHES, LOOK_ALIKE_DOTS
from deploy.demo.persons import PRIVATE_USE_CHARACTERS, TRADITIONAL, check_digit
from deploy.demo.story import NOTICE_DOC_NO, NOTICE_TITLE
from protocol.vocabularies import LIVELIHOOD_KINDS

ROWS = 200
NEIGHBOURLY = {"ditto", "merged_cells", "code_duplicate", "subtotal", "empty_row", "header_again", "planted"}


def county(sites: int = 24, rows: int = ROWS, seed: int = 1) -> Iterator[tuple[Place, Catalogue]]:
    for position, place in enumerate(chosen_places(sites)):
        for catalogue in catalogues_of(place, position, rows=rows, seed=seed):
            yield place, catalogue


def all_rows(catalogues: Iterator[tuple[Place, Catalogue]]) -> list[Row]:
    return [row for _, catalogue in catalogues for sheet in catalogue.sheets for row in sheet.rows]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """The rows of a county of 24 sites."""
    return all_rows(county())


@pytest.fixture(scope="module")
def words(rows: list[Row]) -> str:
    """All that is written in them."""
    return "\n".join(str(cell) for row in rows for cell in row.cells if cell is not None)


def test_the_same_seed_makes_the_same_county(rows: list[Row]) -> None:
    assert all_rows(county()) == rows
    assert all_rows(county(seed=2)) != rows


@pytest.mark.parametrize("rows_per_site", [1, 7, 60, 200])
def test_every_site_has_exactly_the_rows_asked_for(rows_per_site: int) -> None:
    for position, place in enumerate(chosen_places(8)):
        made = catalogues_of(place, position, rows=rows_per_site, seed=1)
        entries = [row for file in made for sheet in file.sheets for row in sheet.rows if row.fate is not Fate.SKIPPED]
        assert len(entries) == rows_per_site


def test_every_form_of_dirt_and_of_dates_is_planted(rows: list[Row]) -> None:
    planted = {name for row in rows for name in row.dirt}
    assert planted == {*DIRT, *NEIGHBOURLY, *(f"date_{form}" for form in DATINGS)}


def test_most_rows_are_good_and_some_are_not(rows: list[Row]) -> None:
    fates = Counter(row.fate for row in rows)
    share = {fate: fates[fate] / (fates.total() - fates[Fate.SKIPPED]) for fate in Fate}
    assert share[Fate.TAKEN] > 0.9
    assert 0.005 < share[Fate.WITHHELD] < 0.02
    assert 0.02 < share[Fate.REJECTED] < 0.06


@pytest.mark.parametrize(
    "pattern",
    [
        r"[A-Z]\d{3}-WS·\d{4}-D30-BGS-\d{4}",
        r"[A-Z]\d{3}-WS·\d{4}·(Y|D30|D10)·(林业|村务|办公室|财务|民政)-\d{4}",
        r"^001-\d+-\d+-\d+$",
        r"ZY·HY[·-]?",
        r"^\d{8}$",
        r"^\d{4}-\d\d-\d\d$",
        r"^\d{4}/\d+/\d+$",
        r"^\d{4}\.\d+\.\d+$",
        r"^\d{4}年\d+月\d+日$",
        r"^\d{4}年\d\d月\d\d$",
        r"^\d{4}-\d\d$",
        r"^\d{4}年$",
        r"^\d{6}00$",
        r"^民國[一二三四五六七八九十廿卅]+年$",
        r"^民国卅六年$",
        r"^19\d\d年春$",
        r"^[五六七八九]十年代$",
        r"^\d{8}-\d{8}$",
        r"^ \d{4} 年 \d+ 月",
        r"^\[19\d{6}\]$",
        r"^无日期$",
        r"-02-30$",
        r"〔\d{4}〕\d+号",
        r"\[\d{4}\]\d+号",
        r"（\d{4}）\d+号",
        r"【\d{4}】\d+号",
        r"〕第0\d+号",
        r"^\d+-\d+$",
        r"^本(局|村|公司|街道)$",
        r"安吉县林业局.安吉县财政局",
        r"^同上$",
        r"^〃$",
        r'^"$',
        r"^长期$",
        r"^处置后5年$",
        r"^机密★10年$",
        r"^D100$",
        r"小[　]?计",
        r"皈山乡",
        r"孝丰县",
        r"大队",
        r"公社",
        r"土名.*东至.*南至.*西至.*北至",
        r"结婚登记",
        r"宅基地",
        r"土地房产所有证",
        r"33052319\d{9}[\dX]",
        r"330523\d{9}(?!\d)",
        r"^3\.305\d+e\+17$",
    ],
)
def test_what_real_lists_hold_occurs(pattern: str, words: str) -> None:
    assert re.search(pattern, words, flags=re.MULTILINE)


def test_look_alike_separators_rare_and_private_characters_occur(words: str) -> None:
    wanted = {*LOOK_ALIKE_DASHES, *LOOK_ALIKE_DOTS, "\u200b", "　", "\n"}
    assert wanted <= set(words)
    assert set(words) & set(PRIVATE_USE_CHARACTERS)
    assert any(ord(character) > 0xFFFF for character in words)
    assert set(words) & {chr(code) for code in TRADITIONAL.values()}


def test_every_kind_of_livelihood_records_occurs_in_the_protocols_order() -> None:
    assert [kind.id for kind in kinds()] == list(LIVELIHOOD_KINDS)
    sheets = {sheet.name for _, catalogue in county(1) for sheet in catalogue.sheets}
    assert {kind.name for kind in kinds()} <= sheets


def test_every_list_and_every_encoding_occurs() -> None:
    made = [catalogue for _, catalogue in county()]
    assert {catalogue.form for catalogue in made} == set(FileForm)
    wanted = {layout.value.partition("（")[0] for layout in Layout}
    assert {list_name for list_name in wanted for catalogue in made if list_name in catalogue.file_name} == wanted
    assert set(FIELDS) == set(Layout)


def test_the_same_codes_come_from_many_villages() -> None:
    """A reference code is no key: villages were never given fonds numbers."""
    owners: dict[str, set[str]] = {}
    for place, catalogue in county(60):
        for sheet in catalogue.sheets:
            for row in sheet.rows:
                for cell in row.cells:
                    if isinstance(cell, str) and re.fullmatch(r"001-\d+-\d+-\d+", cell):
                        owners.setdefault(cell, set()).add(place.code)
    assert max(len(sites) for sites in owners.values()) > 3


def test_codes_are_unique_in_a_file_but_for_the_planted_duplicates() -> None:
    unique, planted = 0, 0
    for _, catalogue in county():
        seen: set[object] = set()
        for sheet in catalogue.sheets:
            headings = sheet.header[0]
            column = next(
                number
                for number, text in enumerate(headings)
                if text in {"DH", "檔號"} or text.endswith(("档号", "档案号"))
            )
            for row in sheet.rows:
                if row.fate in {Fate.TAKEN, Fate.WITHHELD}:
                    assert row.cells[column] not in seen
                    seen.add(row.cells[column])
                    unique += 1
                elif "code_duplicate" in row.dirt:
                    assert row.cells[column] in seen
                    planted += 1
    assert unique > planted > 0


def test_nobody_real_is_named() -> None:
    """Every identity number has the county's area, a birth in 1900, and the right check digit."""
    text = "\n".join(str(cell) for row in all_rows(county()) for cell in row.cells)
    found = re.findall(r"(?<!\d)330523\d{11}[\dX](?!\d)", text)
    assert found
    assert {number[6:10] for number in found} == {"1900"}
    assert {number[17] == check_digit(number[:17]) for number in found} == {True}
    assert {number[6:8] for number in re.findall(r"(?<!\d)330523\d{9}(?!\d)", text)} == {"00"}


def test_the_notice_is_filed_everywhere_under_its_number() -> None:
    places = {
        place.code
        for place, catalogue in county(60)
        for sheet in catalogue.sheets
        for row in sheet.rows
        if {NOTICE_TITLE, NOTICE_DOC_NO} <= set(row.cells)
    }
    assert len(places) == 60


def test_the_two_papers_of_the_story_lie_at_two_sites() -> None:
    holders: dict[str, Sequence[str]] = {}
    for place, catalogue in county(232, rows=20):
        titles = [
            str(cell) for sheet in catalogue.sheets for row in sheet.rows for cell in row.cells if "麻竹生" in str(cell)
        ]
        if titles:
            holders[place.code] = titles
    assert set(holders) == {STORY_TOWN_CODE, STORY_VILLAGE_CODE}
    assert "1986" not in holders[STORY_TOWN_CODE][0]
    assert "大塢里" in holders[STORY_TOWN_CODE][0]
    assert "大坞里" in holders[STORY_VILLAGE_CODE][0]


@pytest.mark.parametrize(
    ("year", "village", "town"),
    [
        (1952, "皈山场村", "孝丰县皈山乡"),
        (1965, "皈山场大队", "皈山公社"),
        (1986, "皈山场村", "皈山乡"),
        (2015, "皈山场村", "孝源街道"),
    ],
)
def test_places_have_the_names_of_their_time(year: int, village: str, town: str) -> None:
    place = next(place for place in all_places() if place.code == STORY_VILLAGE_CODE)
    assert (village_name(place, year), town_name(place, year)) == (village, town)
