r"""The fictitious catalogue: written lines (``records/``) and the plain records that fill it up, sheet by sheet.

A line is ``name ¦ title ¦ key=value ¦ key=value``; ``@ key=value`` gives the lines below it what they do not say. The
name is what the questions call the record. What a sheet cannot say stands in ``\uXXXX``.
"""

import csv
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

RECORDS: Final = Path(__file__).with_name("records")

SEPARATOR: Final = " ¦ "

SITES: Final = {
    "county": "330523000000",
    "window": "330523000000-W01",
    "factory": "330523000000-E0007",
    "fengle": "330523105000",
    "liangnan": "330523108000",
    "shiping": "330523108204",
    "xiaxi": "330523108205",
    "meiyuan": "330523110000",
    "longwan": "330523110201",
    "tianhu": "330523111000",
    "shangxi": "330523205000",
    "baishan": "330523206000",
}
"""The sites of the test county by the names that the lines use."""

COLUMNS: Final = {
    "code": "档号",
    "title": "题名",
    "party": "责任者",
    "no": "文号",
    "date": "日期",
    "retention": "保管期限",
    "secrecy": "密级",
    "access": "开放标识",
    "level": "著录层级",
    "kind": "民生类别",
    "old": "原档号",
    "scope": "范围和提要",
    "note": "附注",
}
"""Keys of a line and the headers under which a sheet has them."""

FILLERS_A_SITE: Final = 230
"""Plain records of each site: what a search must not drown in."""

_ESCAPE: Final = re.compile(r"\\n|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One record as it is written."""

    name: str
    site: str
    """A key of SITES."""
    cells: dict[str, str]
    """By the keys of COLUMNS."""
    is_withdrawn: bool = False
    """It is in the first sheet of its site and no longer in the second."""


def unescaped(text: str) -> str:
    """Return ``text`` with the characters that its escapes stand for."""
    return _ESCAPE.sub(lambda match: chr(int(match[1] or match[2] or "a", 16)), text)


def written_lines(folder: Path = RECORDS) -> list[Line]:
    """Return the records of ``records/``, in their order."""
    return [line for path in sorted(folder.glob("*.txt")) for line in _lines_of(path.read_text("utf-8").splitlines())]


def _lines_of(text: Sequence[str]) -> Iterator[Line]:
    given: dict[str, str] = {}
    for row in text:
        if not row.strip() or row.startswith("#"):
            continue
        if row.startswith("@"):
            said = _values(row[1:].split(SEPARATOR))
            given = said if "site" in said else given | said
            continue
        name, title, *values = (part.strip() for part in row.split(SEPARATOR))
        yield from _written(name, title, given | _values(values))


def _values(parts: Sequence[str]) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in parts)
    return {key: unescaped(value) for key, _, value in pairs}


def _written(name: str, title: str, said: Mapping[str, str]) -> Iterator[Line]:
    cells = dict(said)
    site, copies, each = (cells.pop(key, "") for key in ("site", "copies", "each"))
    is_withdrawn = cells.pop("gone", "") == "yes"
    members = [part.partition(":")[::2] for part in each.split(",")] if each else [("", "")]
    for key, word in members:
        own = {column: value.replace("{key}", key) for column, value in cells.items() if value}
        own["title"] = unescaped(title).replace("{}", word)
        whole = f"{name}-{key}" if key else name
        for place in copies.split(",") if copies else [site]:
            yield Line(name=f"{whole}@{place}" if copies else whole, site=place, cells=own, is_withdrawn=is_withdrawn)


# The words of the plain records are none by which a written record is looked for, and their years are none of those
# that the questions about dates belong to.
_VILLAGES: Final = ("东坞村", "南坑村", "前塘村", "后岭村", "大洋村", "新桥村", "金湾村", "银岩村", "双坪村", "上坎村")
_SURNAMES: Final = "唐彭董袁杜魏卢姜崔廖贾孟熊"
_GIVEN: Final = "磊娜静艳勇洋鹏琴斌波辉娟涛倩凯"
_TOPICS: Final = (
    *(("林地承包", "林地承包"), ("毛竹承包", "林地承包"), ("土地确权", "土地承包"), ("危房改造", "宅基地")),
    *((topic, "") for topic in ("饮水工程", "退耕还林", "茶园改造", "村道硬化", "电网改造", "森林防火", "计划生育")),
    *((topic, "") for topic in ("公益林补偿", "农机补贴", "防汛抗旱", "财务审计", "校舍维修", "选举工作", "环境整治")),
)
_ACTS: Final = ("办理", "调整", "申请", "核实", "公示", "续签", "验收", "变更")
_KINDS: Final = ("通知", "批复", "请示", "报告", "决定", "意见", "会议纪要", "公告")
_YEARS: Final = (*range(1962, 1978), *range(1991, 2014))


def fillers(site: str) -> list[Line]:
    """Return the plain records of a site, the same in each run."""
    draw, fonds = random.Random(site), f"Q{list(SITES).index(site):03d}"
    lines = []
    for number in range(1, FILLERS_A_SITE + 1):
        village, (topic, kind), year = draw.choice(_VILLAGES), draw.choice(_TOPICS), draw.choice(_YEARS)
        person = draw.choice(_SURNAMES) + "".join(draw.choices(_GIVEN, k=draw.choice((1, 2, 2))))
        lines.append(
            Line(
                name=f"plain-{site}-{number}",
                site=site,
                cells={
                    "code": f"{fonds}-WS·{year}·D30-{number:04d}",
                    "title": f"关于{village}村民{person}{topic}{draw.choice(_ACTS)}事项的{draw.choice(_KINDS)}",
                    "party": f"{village}村民委员会",
                    "no": f"{village[:2]}政〔{year}〕{draw.randint(1, 199)}号",
                    "date": f"{year}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
                    "kind": kind,
                    "access": draw.choice(("开放", "开放", "控制", "")),
                },
            )
        )
    return lines


def whole_catalogue() -> dict[str, list[Line]]:
    """Return all records by site, each with a code of its own: a record without one is given one that says no year."""
    sheets = in_sheets(written_lines(), list(SITES))
    return {site: [*rows, *fillers(site)] for site, rows in sheets.items()}


def in_sheets(lines: Sequence[Line], sites: Sequence[str]) -> dict[str, list[Line]]:
    """Return records by site, each with a code and a retention period."""
    sheets: dict[str, list[Line]] = {site: [] for site in sites}
    for line in lines:
        rows = sheets[line.site]
        code = line.cells.get("code") or f"X{list(SITES).index(line.site):03d}-RS-{len(rows) + 1:05d}"
        rows.append(msgspec.structs.replace(line, cells={"retention": "永久"} | line.cells | {"code": code}))
    return sheets


def write_sheet(path: Path, lines: Sequence[Line]) -> None:
    """Write the records as a sheet that a site drops into its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as target:
        rows = csv.writer(target)
        rows.writerow(COLUMNS.values())
        rows.writerows([line.cells.get(key, "") for key in COLUMNS] for line in lines)
