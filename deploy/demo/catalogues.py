"""The catalogues of the county's sites: made up, the same for the same seed, and as dirty as real ones.

`catalogues_of` gives a site's files one after the other, each with its rows as they are needed, and every row with the
fate that a careful reader gives it. Dirt is planted by going round `dirt.DIRT` and `datings.DATINGS`, so even a small
county shows every form; what needs a neighbour (ditto marks, merged cells, duplicates, subtotals) is planted here.
"""

from collections.abc import Iterator, Sequence
from random import Random

import msgspec

from deploy.demo.cells import Catalogue, Cell, Fate, FileForm, Row, Sheet
from deploy.demo.county import Place
from deploy.demo.dirt import DIRT, Entry
from deploy.demo.entries import Block, blocks, volumes_of
from deploy.demo.layouts import Layout, columns_of
from deploy.demo.livelihood import Kind
from deploy.demo.numbering import Dialect, numbering_of
from deploy.demo.plans import FilePlan, Owner, SheetPlan, file_plans
from deploy.demo.story import planted_papers

DEFAULT_SEED = 330523
"""The county's own code: the demonstration is the same on every machine."""

_DIRT_EVERY = 4
_TURN_EACH_SITE = 13
"""How far each site starts after the one before it: sites of equal size would plant the same dirt otherwise."""
_DITTO_EVERY = 11
_MERGE_EVERY = 23
_MERGED_ROWS = 3
_DUPLICATE_EVERY = 47
_EMPTY_EVERY = 53
_HEADER_AGAIN_EVERY = 61
_ITEMS_A_VOLUME = 12
"""Rows of a list of items for each row of the list of its volumes."""
_ROWS_WITH_VOLUMES_MIN = 2 * _ITEMS_A_VOLUME
_HABITS = ("compact", "iso", "dots", "words", "slashes")
_OLD_HEADINGS = ("序號", "檔號", "文號", "責任者", "題名", "日期", "密級", "頁數", "備註")
_DIRT_NAMES = tuple(DIRT)


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
    list_name = plan.layout.value.partition("（")[0]
    return f"{owner.place.name}{list_name}{f'（{subject}）' if subject else ''}.{suffix}"


def _sheets(owner: Owner, plan: FilePlan, file_index: int, ordinal: int, seed: int) -> Iterator[Sheet]:
    kinds: tuple[Kind | None, ...] = plan.kinds or (None,)
    if plan.with_volumes and plan.rows >= _ROWS_WITH_VOLUMES_MIN:
        yield from _volumes_and_items(owner, plan, file_index, ordinal, seed)
        return
    if plan.old_county:
        owner = msgspec.structs.replace(
            owner, numbering=msgspec.structs.replace(owner.numbering, dialect=Dialect.CATALOGUES_1994, fonds_no="M01")
        )
    for number, kind in enumerate(kinds):
        rows = plan.rows // len(kinds) + (plan.rows % len(kinds) if number == 0 else 0)
        chance = Random(f"{seed}/{owner.place.code}/{file_index}/{number}")
        columns = columns_of(plan.layout, chance, tuple(heading for heading, _ in kind.columns) if kind else ())
        if plan.old_county:
            columns = msgspec.structs.replace(columns, headings=_OLD_HEADINGS)
        sheet_plan = SheetPlan(
            owner=owner,
            file=plan,
            columns=columns,
            rows=rows,
            file_index=file_index * len(kinds) + number,
            ordinal=ordinal,
            kind=kind,
            planted=planted_papers(owner.place)[:rows] if file_index == 0 else (),
        )
        ordinal += rows
        yield Sheet(
            name=kind.name if kind else plan.layout.value[:20],
            titles=_titles(owner.place, plan, kind),
            header=sheet_plan.header,
            rows=_rows(sheet_plan, chance, chance),
        )


def _volumes_and_items(owner: Owner, plan: FilePlan, file_index: int, ordinal: int, seed: int) -> Iterator[Sheet]:
    """Yield a list of volumes and the list of what lies in them; not every volume stands in both."""
    count = plan.rows // _ITEMS_A_VOLUME
    item_seed, volume_chance = f"{seed}/{owner.place.code}/{file_index}/items", Random(f"{seed}/{owner.place.code}")
    items = SheetPlan(
        owner=owner,
        file=plan,
        columns=columns_of(plan.layout, volume_chance),
        rows=plan.rows - count,
        file_index=file_index,
        ordinal=ordinal + count,
        planted=planted_papers(owner.place) if file_index == 0 else (),
    )
    known = volumes_of(items, Random(item_seed))
    # Nobody has listed yet what lies in the last ones.
    last = (msgspec.structs.replace(known[-1], volume_no=known[-1].volume_no + more) for more in range(1, count))
    volumes = msgspec.structs.replace(
        items,
        file=msgspec.structs.replace(plan, layout=Layout.VOLUMES),
        columns=columns_of(Layout.VOLUMES, volume_chance),
        rows=count,
        ordinal=ordinal,
        planted=(),
        volumes=(*known, *last)[:count],
    )
    for sheet_plan, chance in ((volumes, volume_chance), (items, Random(item_seed))):
        yield Sheet(
            name=sheet_plan.file.layout.value,
            titles=_titles(owner.place, sheet_plan.file, None),
            header=sheet_plan.header,
            # What is made up must not depend on its dirt: the volumes were counted without it.
            rows=_rows(sheet_plan, chance, volume_chance),
        )


def _titles(place: Place, plan: FilePlan, kind: Kind | None) -> tuple[str, ...]:
    if plan.old_county or plan.layout is Layout.EXPORT:
        return ()
    heading = f"{place.unit_name}{kind.name if kind else ''}{plan.layout.value.partition('（')[0]}"
    return (
        (heading, f"编制单位：{place.archive_name}    编制日期：2021年9月")
        if plan.form is FileForm.XLSX
        else (heading,)
    )


def _rows(plan: SheetPlan, chance: Random, dirt_chance: Random) -> Iterator[Row]:
    """Yield the rows of a sheet, block by block, with a subtotal where there is something to add up."""
    ordinal = plan.ordinal
    for block in blocks(plan, chance):
        if block.planted:
            for entry in block.entries:
                yield Row(cells=plan.columns.cells(entry), dirt=("planted",))
        else:
            yield from _block_rows(plan, block, ordinal, dirt_chance)
        ordinal += len(block.entries)
        if "pages" in plan.columns.fields and not plan.file.old_county:
            yield _subtotal(plan, block.entries)


def _block_rows(plan: SheetPlan, block: Block, ordinal: int, chance: Random) -> Iterator[Row]:
    """Yield the rows of one block, dirtied; only a row that nothing was done to can be repeated by the next."""
    clean_above: Entry | None = None
    merged_left = 0
    for index, (entry, form) in enumerate(zip(block.entries, block.datings, strict=True)):
        number = ordinal + index
        dated = f"date_{form}"
        if merged_left:
            merged_left -= 1
            yield Row(cells=plan.columns.cells({**entry, "party": None}), dirt=("merged_cells", dated))
            continue
        yield from _between(plan, number)
        if number % _MERGE_EVERY == 10 and _mergeable(plan, block.entries, index):
            merged_left = _MERGED_ROWS - 1
            down = (plan.columns.fields.index("party"), _MERGED_ROWS)
            yield Row(cells=plan.columns.cells(entry), merged_down=down, dirt=("merged_cells", dated))
            clean_above = None
            continue
        row = _dirtied(plan, entry, number, clean_above, chance)
        clean_above = None if row.dirt else entry
        yield msgspec.structs.replace(row, dirt=(*row.dirt, dated))


def _between(plan: SheetPlan, number: int) -> Iterator[Row]:
    """Yield the rows that are no entries: an empty one, the header again at the top of a printed page."""
    if number % _EMPTY_EVERY == 30:
        yield Row(cells=(None,) * len(plan.columns.fields), fate=Fate.SKIPPED, dirt=("empty_row",))
    if number % _HEADER_AGAIN_EVERY == 17:
        for cells in plan.header:
            yield Row(cells=cells, fate=Fate.SKIPPED, dirt=("header_again",))


def _mergeable(plan: SheetPlan, entries: Sequence[Entry], index: int) -> bool:
    same = {entry.get("party") for entry in entries[index : index + _MERGED_ROWS]}
    return (
        plan.file.form is FileForm.XLSX and index + _MERGED_ROWS <= len(entries) and len(same) == 1 and same != {None}
    )


def _dirtied(plan: SheetPlan, entry: Entry, number: int, above: Entry | None, chance: Random) -> Row:
    """Return the row of an entry with at most one form of dirt besides that of its date."""
    cells = plan.columns.cells
    if plan.file.old_county:
        return Row(cells=cells(entry))
    if above is not None and number % _DUPLICATE_EVERY == 9 and plan.kind is None:
        return Row(cells=cells({**entry, "code": above["code"]}), fate=Fate.REJECTED, dirt=("code_duplicate",))
    if above is not None and number % _DITTO_EVERY == 7 and plan.kind is None:
        mark = ("同上", "〃", '"')[number % 3]
        return Row(cells=cells({**entry, "title": "同上", "party": mark}), dirt=("ditto",))
    if number % _DIRT_EVERY == 0:
        turn = number // _DIRT_EVERY + _TURN_EACH_SITE * plan.owner.position
        for step in range(len(_DIRT_NAMES)):
            name = _DIRT_NAMES[(turn + step) % len(_DIRT_NAMES)]
            # Instead of dirt that does not fit here comes the next harmless one, or bad rows would pile up.
            if step and DIRT[name].fate is not Fate.TAKEN:
                continue
            changed = DIRT[name].change(entry, chance)
            if changed is not None:
                return Row(cells=cells({**entry, **changed}), fate=DIRT[name].fate, dirt=(name,))
    return Row(cells=cells(entry))


def _subtotal(plan: SheetPlan, entries: Sequence[Entry]) -> Row:
    """Return the row that adds up the pages of a block, its word in the first column or under the titles."""
    pages = sum(count for entry in entries if isinstance(count := entry.get("pages"), int))
    word = ("小计", "合计", "小　计", "本页小计")[len(entries) % 4]
    where = "title" if len(entries) % 2 else plan.columns.fields[0]
    values: dict[str, Cell] = {"pages": pages, where: word}
    return Row(cells=tuple(values.get(field) for field in plan.columns.fields), fate=Fate.SKIPPED, dirt=("subtotal",))
