"""Which lists a site keeps, in which files, and how its rows are shared among them.

A village room has two or three files, in one of six mixtures; the county archive has all thirty kinds of livelihood
records and what is left of 孝丰县.
"""

from collections.abc import Iterator

import msgspec

from deploy.demo.cells import FileForm
from deploy.demo.county import Place
from deploy.demo.layouts import Columns, Layout
from deploy.demo.livelihood import Kind, kinds
from deploy.demo.numbering import Numbering, Series
from deploy.demo.story import Planted
from protocol.sites import SiteRank
from protocol.vocabularies import LIVELIHOOD_KINDS

ROWS_PER_KIND_MIN = 3
"""Rows below which another kind does not get a sheet of its own."""


class FilePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a site."""

    layout: Layout
    form: FileForm
    rows: int
    two_header_rows: bool = False
    kinds: tuple[Kind, ...] = ()
    old_county: bool = False
    """Records of 孝丰县, in the characters of their time."""
    with_volumes: bool = False
    """The volumes of these items are listed on a sheet before them."""


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """A site as the author of catalogues: its place, its number in the table, its numbering and its habit of dating."""

    place: Place
    position: int
    numbering: Numbering
    habit: str


class SheetPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One sheet to be made."""

    owner: Owner
    file: FilePlan
    columns: Columns
    rows: int
    file_index: int
    ordinal: int
    """Number of the sheet's first row among all rows of the county: where the going round the dirt starts."""
    kind: Kind | None = None
    planted: tuple[Planted, ...] = ()
    volumes: tuple[Series, ...] = ()
    """The volumes of a list that belongs to a list of items, in the order of their numbers."""

    @property
    def header(self) -> tuple[tuple[str, ...], ...]:
        """The header's rows."""
        return self.columns.two_rows if self.file.two_header_rows else self.columns.one_row


_Share = tuple[Layout, FileForm, float]

_XLSX, _CSV, _TXT = FileForm.XLSX, FileForm.CSV_GB18030, FileForm.TXT_GB18030
_BOM, _BIG5, _UTF16 = FileForm.CSV_UTF8_BOM, FileForm.CSV_BIG5, FileForm.TXT_UTF16
_VILLAGE: tuple[tuple[_Share, ...], ...] = (
    ((Layout.ITEMS, _XLSX, 0.6), (Layout.LIVELIHOOD, _XLSX, 0.4)),
    ((Layout.ITEMS, _CSV, 0.6), (Layout.VOLUMES, _XLSX, 0.4)),
    ((Layout.ITEMS_WIDE, _XLSX, 0.6), (Layout.LIVELIHOOD, _CSV, 0.2), (Layout.VOLUME_ITEMS, _TXT, 0.2)),
    ((Layout.EXPORT, _UTF16, 0.6), (Layout.LIVELIHOOD, _XLSX, 0.4)),
    ((Layout.ITEMS, _XLSX, 0.5), (Layout.MEDIA, _CSV, 0.25), (Layout.OBJECTS, _BOM, 0.25)),
    ((Layout.VOLUME_ITEMS, _XLSX, 0.6), (Layout.LIVELIHOOD, _CSV, 0.4)),
)
_OTHERS: dict[SiteRank, tuple[_Share, ...]] = {
    SiteRank.TOWNSHIP: ((Layout.ITEMS_WIDE, _XLSX, 0.4), (Layout.LIVELIHOOD, _XLSX, 0.4), (Layout.ACCOUNTS, _CSV, 0.2)),
    SiteRank.COUNTY: (
        (Layout.ITEMS, _XLSX, 0.4),
        (Layout.LIVELIHOOD, _XLSX, 0.5),
        (Layout.ITEMS, _BIG5, 0.1),
    ),
    SiteRank.UNIT: ((Layout.ITEMS, _XLSX, 0.7), (Layout.LIVELIHOOD, _CSV, 0.3)),
}
_KIND_SHEETS = {SiteRank.VILLAGE: 4, SiteRank.TOWNSHIP: 12, SiteRank.COUNTY: len(LIVELIHOOD_KINDS), SiteRank.UNIT: 1}


def file_plans(place: Place, position: int, rows: int) -> Iterator[FilePlan]:
    """Share `rows` rows among the files of the site at this place of the county's table; the first takes the rest."""
    rank = place.site.rank
    shares = _VILLAGE[position % len(_VILLAGE)] if rank is SiteRank.VILLAGE else _OTHERS[rank]
    sizes = [int(rows * share) for _, _, share in shares[1:]]
    for (layout, form, _), size in zip(shares, [rows - sum(sizes), *sizes], strict=True):
        if size:
            yield FilePlan(
                layout=layout,
                form=form,
                rows=size,
                two_header_rows=form is _XLSX and layout is Layout.ITEMS and position % 2 == 0,
                kinds=_chosen_kinds(rank, position, size, form) if layout is Layout.LIVELIHOOD else (),
                old_county=form is FileForm.CSV_BIG5,
                with_volumes=form is _XLSX and layout is Layout.VOLUME_ITEMS,
            )


def _chosen_kinds(rank: SiteRank, position: int, rows: int, form: FileForm) -> tuple[Kind, ...]:
    """Choose the kinds of a site's livelihood sheets; neighbours keep different ones, and a text file has one sheet."""
    if rank is SiteRank.UNIT:
        return tuple(kind for kind in kinds() if kind.id == "mediation")
    kept = [kind for kind in kinds() if kind.in_villages] if rank is SiteRank.VILLAGE else list(kinds())
    wanted = _KIND_SHEETS[rank] if form is FileForm.XLSX else 1
    count = max(1, min(wanted, rows // ROWS_PER_KIND_MIN))
    return tuple(kept[(position * wanted + number) % len(kept)] for number in range(count))
