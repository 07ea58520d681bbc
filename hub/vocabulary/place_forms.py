"""The forms of a place's name: its stem and its generic part 通名, and what a rule makes of it.

From 1958 to about 1983 townships were communes 公社 and villages were brigades 大队, mostly under the same stem. A rule
is a guess, so every reading that comes of one says so; where the county's table knows better, that comes first.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

from hub.vocabulary.passages import Passage
from protocol.wording import Text

STEM_CHARS_MIN: Final = 2
"""Characters of a stem that stands for its place without the generic part: one alone stands in every text."""


class PlaceKind(StrEnum):
    """What a place is."""

    COUNTY = "county"
    DISTRICT = "district"
    TOWN = "town"
    TOWNSHIP = "township"
    SUBDISTRICT = "subdistrict"
    COMMUNE = "commune"
    VILLAGE = "village"
    COMMUNITY = "community"
    BRIGADE = "brigade"
    OTHER = "other"


KIND_WORDS: Final = {
    PlaceKind.COUNTY: Text(zh="县", en="county"),
    PlaceKind.DISTRICT: Text(zh="区", en="district"),
    PlaceKind.TOWN: Text(zh="镇", en="town"),
    PlaceKind.TOWNSHIP: Text(zh="乡", en="township"),
    PlaceKind.SUBDISTRICT: Text(zh="街道", en="subdistrict"),
    PlaceKind.COMMUNE: Text(zh="公社", en="commune"),
    PlaceKind.VILLAGE: Text(zh="村", en="village"),
    PlaceKind.COMMUNITY: Text(zh="社区", en="community"),
    PlaceKind.BRIGADE: Text(zh="大队", en="brigade"),
    PlaceKind.OTHER: Text(zh="其他", en="other"),
}

LARGE_KINDS: Final = frozenset(
    (
        *(PlaceKind.COUNTY, PlaceKind.DISTRICT, PlaceKind.TOWN),
        *(PlaceKind.TOWNSHIP, PlaceKind.SUBDISTRICT, PlaceKind.COMMUNE),
    )
)
"""Kinds whose stem is looked for inside longer words; those of villages (阳光, 高山) are words of their own."""

_GENERIC: Final = (
    ("社区居民委员会", PlaceKind.COMMUNITY, "社区"),
    ("社区居委会", PlaceKind.COMMUNITY, "社区"),
    ("居民委员会", PlaceKind.COMMUNITY, "居委会"),
    ("村民委员会", PlaceKind.VILLAGE, "村"),
    ("街道办事处", PlaceKind.SUBDISTRICT, "街道"),
    ("人民公社", PlaceKind.COMMUNE, "公社"),
    ("生产大队", PlaceKind.BRIGADE, "大队"),
    ("居委会", PlaceKind.COMMUNITY, "居委会"),
    ("村委会", PlaceKind.VILLAGE, "村"),
    ("街道", PlaceKind.SUBDISTRICT, "街道"),
    ("公社", PlaceKind.COMMUNE, "公社"),
    ("大队", PlaceKind.BRIGADE, "大队"),
    ("社区", PlaceKind.COMMUNITY, "社区"),
    ("县", PlaceKind.COUNTY, "县"),
    ("镇", PlaceKind.TOWN, "镇"),
    ("乡", PlaceKind.TOWNSHIP, "乡"),
    ("村", PlaceKind.VILLAGE, "村"),
)
_FORMS: Final = {
    PlaceKind.VILLAGE: ("大队", "生产大队", "社区"),
    PlaceKind.BRIGADE: ("村", "生产大队", "社区"),
    PlaceKind.TOWNSHIP: ("公社", "人民公社", "镇"),
    PlaceKind.TOWN: ("公社", "人民公社", "乡"),
    PlaceKind.COMMUNE: ("乡", "镇", "人民公社"),
    PlaceKind.COMMUNITY: ("居委会", "居民委员会", "村", "大队"),
}

_HAN_BEFORE: Final = "(?<=[\u4e00-\u9fff]{2})"
_OLD_GENERIC: Final = re.compile(f"{_HAN_BEFORE}(?:生产大队|大队|人民公社|公社)")
_NEW_GENERIC: Final = re.compile(
    f"{_HAN_BEFORE}(?:村民委员会|村委会)|{_HAN_BEFORE}(?:社区居委会|居民委员会|居委会|社区|村|乡|镇)$"
    # Inside a word only where hardly anything but a name can stand before it: 后坞村毛竹分配.
    "|(?:(?<=^[\u4e00-\u9fff]{2})|(?<=^[\u4e00-\u9fff]{3}))村(?![民委落庄村])"
)
_TEAMS: Final = ("生产队", "村民小组", "小队")
_TEAM: Final = re.compile(f"{_HAN_BEFORE}(?:{'|'.join(_TEAMS)})")
# Words of other trades that end like the name of a place.
_NO_PLACE: Final = re.compile(
    "(?:刑侦|治安|交警|巡警|特警|消防|民警|执法|监察|稽查|勘探|地质|测绘|施工|运输|护林|救援|各个|每个|全县|农村|山村|乡村|"
    "[新本各全该]村|行政村|自然村|城中村|[家故同返下老城水各本全回]乡|[城乡集村各本全]镇)$"
)
_RULES: Final = {
    PlaceKind.VILLAGE: Text(
        zh="按规则：村在公社时期多称大队，有的今为社区",
        en="by rule: villages were brigades in the communes, and some are communities today",
    ),
    PlaceKind.BRIGADE: Text(zh="按规则：大队今多为村", en="by rule: most brigades are villages today"),
    PlaceKind.TOWNSHIP: Text(
        zh="按规则：乡在公社时期多称公社，后来多改镇",
        en="by rule: townships were communes until about 1983, and many became towns",
    ),
    PlaceKind.TOWN: Text(
        zh="按规则：镇原多为乡，公社时期称公社",
        en="by rule: most towns were townships before, and communes until about 1983",
    ),
    PlaceKind.COMMUNE: Text(zh="按规则：公社后多改为乡镇", en="by rule: communes became townships or towns"),
    PlaceKind.COMMUNITY: Text(
        zh="按规则：社区也称居委会，有的原为村",
        en="by rule: communities are residents' committees as well, and some were villages",
    ),
}
_TEAM_RULE: Final = Text(zh="按规则：生产队今多为村民小组", en="by rule: production teams are villagers' groups today")


_SHORTER: Final = Text(zh="同一地名的简写", en="the same name in short")


class PlaceName(msgspec.Struct, frozen=True, kw_only=True):
    """A name in its parts."""

    stem: str
    """Empty where the name has no generic part."""
    kind: PlaceKind
    proper: str
    """The name as texts have it: 鲁家村 for 鲁家村委会."""

    @property
    def short(self) -> str:
        """The stem where it stands for the place; else empty."""
        return self.stem if len(self.stem) >= STEM_CHARS_MIN else ""


def place_name(written: str, kind: PlaceKind | None = None) -> PlaceName:
    """Take a name apart; ``kind`` says what it is where the name does not, or says something else."""
    for generic, meant, short in _GENERIC:
        if written.endswith(generic) and len(written) > len(generic) and kind in (None, meant):
            stem = written.removesuffix(generic)
            return PlaceName(stem=stem, kind=meant, proper=stem + short)
    return PlaceName(stem="", kind=kind or PlaceKind.OTHER, proper=written)


class PlaceForm(msgspec.Struct, frozen=True, kw_only=True):
    """Another form of a name, and the rule that gives it."""

    text: str
    note: Text


def rule_forms(name: PlaceName) -> tuple[PlaceForm, ...]:
    """Return the forms that a rule gives a name: 皈山公社 of 皈山乡, 鲁家大队 of 鲁家村."""
    # Of 李村 the brigade was 李村大队, for one character names nothing.
    stem = name.short or (name.proper if name.stem else "")
    if not stem:
        return ()
    texts = (stem + generic for generic in _FORMS.get(name.kind, ()))
    return tuple(PlaceForm(text=text, note=_RULES[name.kind]) for text in texts if text != name.proper)


def ruled(word: str) -> list[tuple[Passage, tuple[PlaceForm, ...]]]:
    """Return what a rule makes of a word in which no known place stands: 大队 and 公社 anywhere, 乡 and 镇 at its end.

    Where the name of an unknown place begins nobody can tell, so only its generic part is replaced.
    """
    found = []
    for match in (*_OLD_GENERIC.finditer(word), *_NEW_GENERIC.finditer(word)):
        if _NO_PLACE.search(word, 0, match.end()) or _NO_PLACE.search(word, 0, match.start()):
            continue
        name = place_name(f"某{match[0]}")
        notes = {name.proper[1:]: _SHORTER, **dict.fromkeys(_FORMS[name.kind], _RULES[name.kind])}
        if word[match.start() - 1] == "村":
            # The brigade of 余村 was 余村大队.
            notes = {"": _RULES[name.kind]} | {text: note for text, note in notes.items() if text != "村"}
        forms = tuple(PlaceForm(text=text, note=note) for text, note in notes.items() if text != match[0])
        found.append((Passage(start=match.start(), end=match.end(), text=match[0]), forms))
    for match in _TEAM.finditer(word):
        forms = tuple(PlaceForm(text=text, note=_TEAM_RULE) for text in _TEAMS if text != match[0])
        found.append((Passage(start=match.start(), end=match.end(), text=match[0]), forms))
    return found
