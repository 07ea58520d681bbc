"""The entries of one sheet before anything goes wrong with them: numbered, dated, in blocks of one year and period."""

import datetime
from collections.abc import Iterator, Mapping
from random import Random

import msgspec

from deploy.demo.administration import (
    Paper,
    brigade,
    filing_years,
    old_county_paper,
    ordinary_paper,
    special_paper,
    town_name,
    village_name,
)
from deploy.demo.cells import Cell
from deploy.demo.county import home_of
from deploy.demo.datings import DATINGS, dating, fits
from deploy.demo.dirt import Entry, retention_words
from deploy.demo.layouts import Layout
from deploy.demo.livelihood import Kind, details
from deploy.demo.numbering import ORGANS, Series
from deploy.demo.plans import SheetPlan
from deploy.demo.story import Planted

_BLOCK_ROWS = (6, 18)
_OLD_COUNTY_YEARS = range(1931, 1949)
_CATEGORIES = {Layout.ACCOUNTS: "KU·3", Layout.MEDIA: "ZP", Layout.OBJECTS: "SW"}
_VOLUME_LISTS = frozenset((Layout.VOLUMES, Layout.ACCOUNTS))
_PERIODS = ("Y", "D30", "D30", "D10")
_CATALOGUE_OF_PERIOD = {"Y": 1, "D30": 2, "D10": 3}
_ACCESS = ("开放", "控制", "未审核", "延期开放", None)
_OLD_DATINGS = ("roc", "roc_short", "researched", "none")
_DATING_NAMES = tuple(DATINGS)
_TURN_EACH_SITE = 5
_CATALOGUES_A_FILE = 10
_OLD_FORM = str.maketrans("国无", "國無")


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that stand together, and how each one's date is written."""

    entries: tuple[Entry, ...]
    datings: tuple[str, ...]
    planted: bool = False


class Numbers:
    """Counts a sheet's series, and the entries in each; it grows with years and organs, never with rows."""

    def __init__(self) -> None:
        self._series: dict[Series, list[int]] = {}

    def next(self, series: Series) -> tuple[int, int]:
        """Return the volume that the series is, and its next number."""
        volume = self._series.setdefault(series, [len(self._series) + 1, 0])
        volume[1] += 1
        return volume[0], volume[1]

    def volumes(self) -> tuple[Series, ...]:
        """Return the series so far as volumes, in the order of their numbers."""
        return tuple(msgspec.structs.replace(series, volume_no=number) for series, (number, _) in self._series.items())


def blocks(plan: SheetPlan, chance: Random, numbers: Numbers | None = None) -> Iterator[Block]:
    """Yield a sheet's entries: what is planted first, then block after block with the years going up.

    ``numbers`` counts what is numbered, for whoever wants to know the volumes afterwards.
    """
    numbers = Numbers() if numbers is None else numbers
    if plan.volumes:
        yield _listed_volumes(plan, numbers, chance)
        return
    done = len(plan.planted)
    if plan.planted:
        yield Block(
            entries=tuple(_planted(plan, paper, number, numbers) for number, paper in enumerate(plan.planted, 1)),
            datings=("planted",) * done,
            planted=True,
        )
    years = _years(plan)
    while done < plan.rows:
        size = min(chance.randint(*_BLOCK_ROWS), plan.rows - done)
        series = _series(plan, years[done * len(years) // plan.rows], chance)
        forms = tuple(_dating_name(plan, plan.ordinal + done + index, series.year) for index in range(size))
        yield Block(
            entries=tuple(
                _entry(plan, series, numbers, (done + index, form), chance) for index, form in enumerate(forms, 1)
            ),
            datings=forms,
        )
        done += size


def volumes_of(plan: SheetPlan, chance: Random) -> tuple[Series, ...]:
    """Return the volumes in which the items of a sheet lie."""
    numbers = Numbers()
    for _ in blocks(plan, chance, numbers):
        continue
    return numbers.volumes()


def _listed_volumes(plan: SheetPlan, numbers: Numbers, chance: Random) -> Block:
    """The volumes of a list as its only block."""
    forms = tuple(_dating_name(plan, plan.ordinal + index, one.year) for index, one in enumerate(plan.volumes))
    entries = (
        _entry(plan, one, numbers, (number, form), chance)
        for number, (one, form) in enumerate(zip(plan.volumes, forms, strict=True), 1)
    )
    return Block(entries=tuple(entries), datings=forms)


def _years(plan: SheetPlan) -> range:
    if plan.file.old_county:
        return _OLD_COUNTY_YEARS
    return plan.kind.years if plan.kind else filing_years(plan.owner.place.site.rank)


def _series(plan: SheetPlan, year: int, chance: Random) -> Series:
    """Choose what the next block is: its category is the sheet's, its period and organ are drawn."""
    period = plan.kind.period if plan.kind else chance.choice(_PERIODS)
    ordinary = plan.kind is None and plan.file.layout not in _CATEGORIES and plan.file.layout not in _VOLUME_LISTS
    return Series(
        category=plan.kind.category if plan.kind else _CATEGORIES.get(plan.file.layout, "WS"),
        year=year,
        period=period,
        organ=chance.choice(ORGANS) if ordinary else "",
        catalogue_no=plan.file_index * _CATALOGUES_A_FILE + _CATALOGUE_OF_PERIOD.get(period, 4),
    )


def _dating_name(plan: SheetPlan, ordinal: int, year: int) -> str:
    """Return how a date is written: every other row as the site is used to, the rest going round all forms."""
    if plan.file.old_county:
        return _OLD_DATINGS[ordinal % len(_OLD_DATINGS)]
    turn = ordinal // 2 + _TURN_EACH_SITE * plan.owner.position
    form = _DATING_NAMES[turn % len(_DATING_NAMES)] if ordinal % 2 else plan.owner.habit
    return form if fits(form, year) else plan.owner.habit


def _entry(plan: SheetPlan, series: Series, numbers: Numbers, place: tuple[int, str], chance: Random) -> Entry:
    """Make up one entry; `place` is its number in the sheet and the form of its date."""
    number, form = place
    day = datetime.date(series.year, chance.randint(1, 12), chance.randint(1, 28))
    extra: Mapping[str, Cell] = {}
    if plan.kind:
        paper, extra = _livelihood_paper(plan, plan.kind, series.year, chance)
    elif plan.file.old_county:
        paper = old_county_paper(chance)
    elif plan.file.layout in _CATEGORIES:
        paper = special_paper(plan.file.layout, series.year, chance)
    else:
        paper = ordinary_paper(plan.owner.place, series.year, chance)
    wanted = plan.columns.values_wanted()
    whole = {**_numbered(plan, series, numbers, number, chance), **_described(paper, chance), **extra}
    date = dating(form, day)
    whole["date"] = date.translate(_OLD_FORM) if plan.file.old_county and isinstance(date, str) else date
    whole["retention"] = retention_words(series.period, chance)
    return {field: whole[field] for field in whole if field in wanted}


def _numbered(plan: SheetPlan, series: Series, numbers: Numbers, number: int, chance: Random) -> dict[str, Cell]:
    volume, item = numbers.next(series)
    numbering = plan.owner.numbering
    in_volume = msgspec.structs.replace(series, volume_no=volume)
    if plan.file.layout in _VOLUME_LISTS:
        # Volumes are numbered through the whole list, whatever their year; one with items has its number from them.
        volume = series.volume_no if plan.volumes else number
        code = numbering.volume(series, volume)
    elif plan.file.layout is Layout.VOLUME_ITEMS or plan.kind:
        code = numbering.item_in_volume(in_volume, item)
    else:
        code = numbering.item(in_volume, item)
    return {
        "number": number,
        "code": code,
        "fonds": numbering.fonds_no,
        "catalogue": str(series.catalogue_no),
        "volume": f"{volume:03}",
        "item": f"{item:04}",
        "year": series.year,
        "organ": series.organ,
        "box": number // 20 + 1,
        "item_count": chance.randint(3, 40),
        "page_no": f"{item * 4 - 3}-{item * 4}",
    }


def _described(paper: Paper, chance: Random) -> dict[str, Cell]:
    return {
        "title": paper.title,
        "party": paper.issuer,
        "doc_no": paper.doc_no or None,
        "secrecy": None,
        "access": chance.choice(_ACCESS),
        "pages": chance.randint(1, 40),
        "account": "凭证",
        "carrier": chance.choice(("照片", "录像带", "光盘")),
        "quantity": 1,
        "note": None,
    }


def _livelihood_paper(plan: SheetPlan, kind: Kind, year: int, chance: Random) -> tuple[Paper, Mapping[str, Cell]]:
    """Make up one record of a kind, and what the columns of that kind say about it."""
    home = home_of(plan.owner.place, chance)
    known = details(
        chance,
        village=village_name(home, year),
        town=town_name(home, year),
        brigade=brigade(home, year, chance),
        year=year,
    )
    paper = Paper(title=kind.title.format_map(known), issuer=kind.issuer.format_map(known), doc_no="")
    said = {heading: content.format_map(known) for heading, content in kind.columns}
    return paper, {**said, "kind": kind.name}


def _planted(plan: SheetPlan, paper: Planted, number: int, numbers: Numbers) -> Entry:
    """Return a planted paper as an entry of this sheet, numbered before the others of its series."""
    series = Series(
        category="WS",
        year=paper.day.year,
        period=paper.period,
        organ=paper.organ,
        catalogue_no=_CATALOGUE_OF_PERIOD[paper.period],
    )
    same = Random(paper.title)
    whole: dict[str, Cell] = {
        **_numbered(plan, series, numbers, number, same),
        **_described(Paper(title=paper.title, issuer=paper.party, doc_no=paper.doc_no), same),
        "pages": paper.pages,
        "note": paper.note or None,
        "date": paper.date or dating(plan.owner.habit, paper.day),
        "retention": "永久" if paper.period == "Y" else f"{paper.period[1:]}年",
        "access": paper.access,
    }
    return {field: whole[field] for field in whole if field in plan.columns.values_wanted()}
