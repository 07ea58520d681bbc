"""The words of the first page's pictures, in both languages side by side."""

import msgspec


class PictureWords(msgspec.Struct, frozen=True, kw_only=True):
    """The county as a board, and the holdings."""

    county: str
    none: str
    years: str
    years_told: str
    kinds: str
    decade: str
    entries: str
    undated: str
    other_kinds: str
    no_kind: str
    counted: str
    counting: str
    in_numbers: str


PICTURES_CHINESE = PictureWords(
    county="全县一览",
    none="不属乡镇",
    years="馆藏按年份",
    years_told="共 {count} 条，按形成年份",
    kinds="馆藏按民生类别",
    decade="年代",
    entries="条目",
    undated="未注明日期 {count} 条",
    other_kinds="其他类别 {count} 条",
    no_kind="未归入民生类别 {count} 条",
    counted="统计于 {time}",
    counting="正在统计，稍后再看。",
    in_numbers="看数字",
)

PICTURES_ENGLISH = PictureWords(
    county="The county at a glance",
    none="Outside the townships",
    years="Holdings by year",
    years_told="{count:entry|entries} by year",
    kinds="Holdings by livelihood kind",
    decade="Decade",
    entries="Entries",
    undated="{count:entry|entries} without a date",
    other_kinds="{count} of other kinds",
    no_kind="{count} of no livelihood kind",
    counted="Counted {time}",
    counting="Being counted: look again soon.",
    in_numbers="In numbers",
)
