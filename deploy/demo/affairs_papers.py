"""The papers of what happens in the demonstration's county: sheets dropped into folders, and scanned pages.

All of it is made up. The pages bear lines instead of writing, and say on top that they belong to a demonstration.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import msgspec
from PIL import Image, ImageDraw

_HEADER = ("档号", "题名", "责任者", "文号", "日期", "保管期限", "页数", "密级", "开放标识", "公开属性")
_PAGE_SIZE = (1240, 1754)
"""Pixels of a page of A4 at 150 dots an inch."""
_DPI = 150
_PAPER, _INK = (247, 242, 228), (90, 84, 72)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line of such a sheet, and how many of its pages were scanned."""

    code: str
    title: str
    party: str
    doc_no: str
    day: str
    pages: int
    scanned: int
    disclosure: str = "依申请公开"


AGREEMENT_TITLE = "皈山场村里坑、外宅两村民小组山林界址纠纷人民调解协议书"
"""Both the township and the village filed it: whoever keeps order decides whether that is one paper or two."""
AGREEMENT_CODE = "J981-WS·2016·Y-TJ-0001"
"""Under which the township filed it."""


def agreement(code: str, *, scanned: int) -> Item:
    """Return the agreement as one of its two holders lists it."""
    party, doc_no, day = "皈山场村人民调解委员会", "皈调〔2016〕3号", "2016-08-09"
    return Item(code=code, title=AGREEMENT_TITLE, party=party, doc_no=doc_no, day=day, pages=2, scanned=scanned)


def handed_over(fonds: str, year: int, party: str, count: int, *, faulty: bool) -> tuple[Item, ...]:
    """Return what a site hands over: in one of them a page is missing if it is to be faulty, in another a word."""
    return tuple(
        Item(
            code=f"{fonds}-WS·{year}·Y-BGS-{number:04}",
            title=f"关于第{number}林班山林承包合同变更的批复",
            party=party,
            doc_no=f"山林〔{year}〕{number}号",
            day=f"{year}-{number % 12 + 1:02}-{number % 28 + 1:02}",
            pages=2,
            scanned=1 if faulty and number == 2 else 2,
            disclosure="" if faulty and number == count else "依申请公开",
        )
        for number in range(1, count + 1)
    )


def write_sheet(folder: Path, name: str, items: Sequence[Item]) -> None:
    """Put a sheet into a folder of catalogues as a person does who saves it from a spreadsheet: all at once."""
    half_way = folder.parent / f"{name}.part"
    with half_way.open("w", encoding="utf-8-sig", newline="") as file:
        written = csv.writer(file)
        written.writerow(_HEADER)
        for one in items:
            pages = str(one.pages)
            written.writerow(
                (one.code, one.title, one.party, one.doc_no, one.day, "永久", pages, "", "开放", one.disclosure)
            )
    half_way.replace(folder / name)


def write_scans(folder: Path, items: Sequence[Item]) -> None:
    """Put the pages of some items where the site looks for them: a folder for each, named by its code."""
    for one in items:
        place = folder / one.code
        place.mkdir(parents=True, exist_ok=True)
        for page in range(1, one.scanned + 1):
            _page(one.code, page, one.pages).save(place / f"{page:04}.jpg", dpi=(_DPI, _DPI), quality=70)


def _page(code: str, page: int, pages: int) -> Image.Image:
    made = Image.new("RGB", _PAGE_SIZE, _PAPER)
    drawn = ImageDraw.Draw(made)
    told = f"DANGLIAN DEMONSTRATION - MADE UP - {code.encode('ascii', 'replace').decode()} - {page}/{pages}"
    drawn.text((120, 90), told, fill=_INK)
    for line in range(40):
        # Lines of different lengths, the same on every machine, so that no two pages are the same picture.
        width = 620 + (line * 97 + page * 41 + sum(code.encode())) % 380
        drawn.rectangle((120, 170 + line * 36, 120 + width, 178 + line * 36), fill=_INK)
    return made
