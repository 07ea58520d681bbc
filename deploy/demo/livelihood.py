"""The thirty kinds of livelihood records 民生档案, each with its own columns and a way to write a title.

A kind is data: who keeps it, in which years it arose, how long it is kept, what its index lists. In titles and columns
`{p}` and `{q}` are made-up persons, `{c}` a child, `{v}` the village, `{b}` its brigade, `{t}` the township of the
time, `{hill}` a local name 土名, `{bounds}` the four bounds 四至, `{area}` an area in mu, `{n}` a number, `{y}` a year,
`{unit}` an enterprise, `{school}` a school. The list is `livelihood.csv`; replace it by the county's own.
"""

import csv
import functools
from collections.abc import Mapping
from importlib.resources import files
from random import Random

import msgspec

from deploy.demo.persons import invented_name
from protocol.vocabularies import LIVELIHOOD_KINDS


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of livelihood records; `id` and `name` are those of the protocol's list."""

    id: str
    name: str
    category: str
    """Class code: 专业 with a second level."""
    years: range
    period: str
    issuer: str
    title: str
    columns: tuple[tuple[str, str], ...]
    """Heading, and what stands below it."""
    in_villages: bool
    """Villages keep their own copies; all kinds arise in the township and end in the county archive."""


@functools.cache
def kinds() -> tuple[Kind, ...]:
    """Return the kinds of `livelihood.csv`, in the order of the protocol's list."""
    text = (files("deploy.demo") / "livelihood.csv").read_text(encoding="utf-8")
    return tuple(_kind(row) for row in csv.DictReader(text.splitlines()))


def _kind(row: Mapping[str, str]) -> Kind:
    """Read one row of the table; its columns are `heading=content`, parted by semicolons."""
    pairs = (pair.partition("=") for pair in row["columns"].split(";"))
    return Kind(
        id=row["kind"],
        name=LIVELIHOOD_KINDS[row["kind"]].zh,
        category=f"ZY·{row['class']}",
        years=range(int(row["from"]), int(row["to"]) + 1),
        period=row["retention"],
        in_villages=row["villages"] == "yes",
        issuer=row["issuer"],
        title=row["title"],
        columns=tuple((heading, content) for heading, _, content in pairs),
    )


_HILLS = ("大坞里", "小坞口", "石坎头", "毛竹湾", "外黄岭", "上横山", "杨家坪", "狮子岩", "冷水塘", "横路下", "西坞")
_SCHOOLS = ("县立初级中学", "中心小学", "农业中学", "茶校")
_UNITS = ("竹器厂", "茶叶精制厂", "供销合作社", "水泥厂", "农机修造厂", "丝绸厂")
_MARKS = ("大路", "溪沟", "石坎", "分水岭", "田塍", "水塘", "界石", "老坟")


def details(chance: Random, *, village: str, town: str, brigade: str, year: int) -> Mapping[str, str]:
    """Make up what the places in a kind's title and columns stand for."""
    east, south, west, north = chance.sample(_MARKS, 4)
    return {
        "p": invented_name(chance),
        "q": invented_name(chance),
        "c": invented_name(chance),
        "v": village,
        "t": town,
        "b": brigade,
        "y": str(year),
        "n": str(chance.randint(1, 2400)),
        "hill": chance.choice(_HILLS),
        "bounds": f"东至{east}，南至{south}，西至{west}，北至{north}",
        "area": f"{chance.randint(3, 220) / 10}",
        "unit": chance.choice(_UNITS),
        "school": chance.choice(_SCHOOLS),
    }
