"""The catalogues of the county's sites: made up, the same for the same seed, and as dirty as real ones.

`catalogues_of` gives a site's files one after the other, each with its rows as they are needed, and every row with the
fate that a careful reader gives it. Dirt is planted by going round `dirt.DIRT` and `datings.DATINGS`, so even a small
county shows every form; what needs a neighbour (ditto marks, merged cells, duplicates, subtotals) is planted here.
"""

import datetime
from collections.abc import Iterator
from random import Random

import msgspec

from deploy.demo.administration import (
    brigade,
    filing_years,
    old_county_paper,
    ordinary_paper,
    special_paper,
    town_name,
    village_name,
)
from deploy.demo.cells import Catalogue, Cell, Fate, FileForm, Row, Sheet
from deploy.demo.county import Place
from deploy.demo.datings import DATINGS, dating, fits
from deploy.demo.dirt import DIRT, Entry, retention_words
from deploy.demo.layouts import Columns, Layout, columns_of
from deploy.demo.livelihood import Kind, details
from deploy.demo.numbering import Dialect, Numbering, Series, numbering_of
from deploy.demo.plans import FilePlan, file_plans
from deploy.demo.story import Planted, planted_papers
from protocol.sites import SiteRank

DEFAULT_SEED = 330523
"""The county's own code: the demonstration is the same on every machine."""

_DIRT_EVERY = 4
_DITTO_EVERY = 11
_MERGE_EVERY = 23
_MERGED_ROWS = 3
_DUPLICATE_EVERY = 47
_EMPTY_EVERY = 53
_HEADER_AGAIN_EVERY = 61
_BLOCK_ROWS = (6, 18)
_OLD_COUNTY_YEARS = range(1931, 1949)
_HABITS = ("compact", "iso", "dots", "words", "slashes")
_CATEGORIES = {Layout.ACCOUNTS: "KU·3", Layout.MEDIA: "ZP", Layout.OBJECTS: "SW"}
_VOLUME_LISTS = frozenset((Layout.VOLUMES, Layout.ACCOUNTS))
_TRADITIONAL_HEADINGS = str.maketrans("号题责任者备数级发关时间档", "號題責任者備數級發關時間檔")


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """A site as the author of catalogues: its place, its place in the table, its numbering and its habit of dating."""

    place: Place
    position: int
    numbering: Numbering
    habit: str


class _SheetPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One sheet to be made."""

    owner: Owner
    file: FilePlan
    columns: Columns
    rows: int
    file_index: int
    ordinal: int
    """Number of the first row among all rows of the county: where the going round starts."""
    kind: Kind | None = None
    planted: tuple[Planted, ...] = ()


def catalogues_of(place: Place, position: int, *, rows: int, seed: int = DEFAULT_SEED) -> Iterator[Catalogue]:
    """Make up the files of one site: `rows` entries together, not counting what a reader skips.

    `position` is the site's number in the table. Rows are made when they are read; nothing is kept.
    """
    chance = Random(f"{seed}/{place.code}")
    owner = Owner(
        place=place,
        position=position,
        numbering=numbering_of(place.site.rank, position, chance),
        habit=chance.choice(_HABITS),
    )
    ordinal = position * rows
    for file_index, plan in enumerate(file_plans(place, position, rows)):
        sheets = tuple(_sheets(owner, plan, file_index, ordinal, seed))
        yield Catalogue(file_name=_file_name(owner, plan), form=plan.form, sheets=sheets)
        ordinal += plan.rows


def _file_name(owner: Owner, plan: FilePlan) -> str:
    suffix = plan.form.value.partition("-")[0]
    subject = plan.kinds[0].name if len(plan.kinds) == 1 else "孝丰县旧政权" if plan.old_county else ""
    return f"{owner.place.name}{plan.layout.value}{f'（{subject}）' if subject else ''}.{suffix}"


def _sheets(owner: Owner, plan: FilePlan, file_index: int, ordinal: int, seed: int) -> Iterator[Sheet]:
    kinds: tuple[Kind | None, ...] = plan.kinds or (None,)
    for number, kind in enumerate(kinds):
        rows = plan.rows // len(kinds) + (plan.rows % len(kinds) if number == 0 else 0)
        chance = Random(f"{seed}/{owner.place.code}/{file_index}/{number}")
        columns = columns_of(plan.layout, chance, tuple(heading for heading, _ in kind.columns) if kind else ())
        if plan.old_county:
            columns = msgspec.structs.replace(
                columns, headings=tuple(heading.translate(_TRADITIONAL_HEADINGS) for heading in columns.headings)
            )
        sheet_plan = _SheetPlan(
            owner=owner,
            file=plan,
            columns=columns,
            rows=rows,
            file_index=file_index,
            ordinal=ordinal,
            kind=kind,
            planted=planted_papers(owner.place)[:rows] if file_index == 0 else (),
        )
        ordinal += rows
        yield Sheet(
            name=kind.name if kind else plan.layout.value[:20],
            titles=_titles(owner.place, plan, kind),
            header=columns.two_rows if plan.two_header_rows else columns.one_row,
            rows=_rows(sheet_plan, chance),
        )


def _titles(place: Place, plan: FilePlan, kind: Kind | None) -> tuple[str, ...]:
    if plan.old_county or plan.layout is Layout.EXPORT:
        return ()
    heading = f"{place.unit_name}{kind.name if kind else ''}{plan.layout.value.partition('（')[0]}"
    return (heading, f"编制单位：{place.archive_name}    编制日期：2021年9月") if plan.form is FileForm.XLSX else (heading,)


def _rows(plan: _SheetPlan, chance: Random) -> Iterator[Row]:
    """Yield the rows of a sheet, block by block; subtotals, empty rows and repeated headers in between."""
    ordinal = plan.ordinal
    shows_pages = "pages" in plan.columns.fields
    for entries in _blocks(plan, chance):
        yield from _block_rows(plan, entries, ordinal, chance)
        ordinal += len(entries)
        if shows_pages:
            yield _subtotal(plan, entries)


def _block_rows(plan: _SheetPlan, entries: list[Entry], ordinal: int, chance: Random) -> Iterator[Row]:
    """Yield the rows of one block, dirtied; a neighbour to lean on is one that nothing was done to."""
    clean_above: Entry | None = None
    merged_left = 0
    for index, entry in enumerate(entries):
        number = ordinal + index
        if merged_left:
            merged_left -= 1
            yield Row(cells=plan.columns.cells({**entry, "party": None}), dirt=("merged_cells",))
            continue
        if number % _EMPTY_EVERY == 30:
            yield Row(cells=(None,) * len(plan.columns.fields), fate=Fate.SKIPPED, dirt=("empty_row",))
        if number % _HEADER_AGAIN_EVERY == 17:
            yield Row(cells=plan.columns.headings, fate=Fate.SKIPPED, dirt=("header_again",))
        if number % _MERGE_EVERY == 10 and _mergeable(plan, entries, index):
            merged_left = _MERGED_ROWS - 1
            down = (plan.columns.fields.index("party"), _MERGED_ROWS)
            yield Row(cells=plan.columns.cells(entry), merged_down=down, dirt=("merged_cells",))
            clean_above = None
            continue
        row = _dirtied(plan, entry, number, clean_above, chance)
        yield row
        clean_above = None if row.dirt else entry


def _mergeable(plan: _SheetPlan, entries: list[Entry], index: int) -> bool:
    same = {entry.get("party") for entry in entries[index : index + _MERGED_ROWS]}
    return (
        plan.file.form is FileForm.XLSX
        and "party" in plan.columns.fields
        and index + _MERGED_ROWS <= len(entries)
        and len(same) == 1
        and None not in same
    )


def _dirtied(plan: _SheetPlan, entry: Entry, number: int, above: Entry | None, chance: Random) -> Row:
    """Return the row of an entry with at most one form of dirt besides that of its date."""
    cells = plan.columns.cells
    if plan.file.old_county or entry.get("planted"):
        return Row(cells=cells(entry), dirt=("planted",) if entry.get("planted") else ())
    if above is not None and number % _DUPLICATE_EVERY == 9:
        return Row(cells=cells({**entry, "code": above["code"]}), fate=Fate.REJECTED, dirt=("code_duplicate",))
    if above is not None and number % _DITTO_EVERY == 7 and plan.kind is None:
        mark = ("同上", "〃", '"')[number % 3]
        return Row(cells=cells({**entry, "title": "同上", "party": mark}), dirt=("ditto",))
    if number % _DIRT_EVERY == 0:
        names = tuple(DIRT)
        for step in range(len(names)):
            name = names[(number // _DIRT_EVERY + step) % len(names)]
            changed = DIRT[name].change(entry, chance)
            if changed is not None:
                return Row(cells=cells({**entry, **changed}), fate=DIRT[name].fate, dirt=(name,))
    return Row(cells=cells(entry))


def _subtotal(plan: _SheetPlan, entries: list[Entry]) -> Row:
    pages = sum(count for entry in entries if isinstance(count := entry.get("pages"), int))
    word = ("小计", "合计", "小　计", "本页小计")[len(entries) % 4]
    fields = plan.columns.fields
    cells = [pages if field == "pages" else None for field in fields]
    where = "title" if len(entries) % 2 else fields[0]
    cells_with_word: list[Cell] = [*cells]
    cells_with_word[fields.index(where)] = word
    return Row(cells=tuple(cells_with_word), fate=Fate.SKIPPED, dirt=("subtotal",))


def _blocks(plan: _SheetPlan, chance: Random) -> Iterator[list[Entry]]:
    """Yield the entries in blocks of one year, period and organ, the years going up; numbers go on within a series."""
    used: dict[Series, int] = {}
    years = _years(plan)
    done = 0
    if plan.planted:
        yield [_planted_entry(plan, paper, index) for index, paper in enumerate(plan.planted)]
        done = len(plan.planted)
    while done < plan.rows:
        size = min(chance.randint(*_BLOCK_ROWS), plan.rows - done)
        year = years[min(len(years) - 1, done * len(years) // max(plan.rows, 1))]
        series = _series(plan, year, chance)
        series = msgspec.structs.replace(series, volume_no=list(used).index(series) + 1 if series in used else len(used) + 1)
        ...
