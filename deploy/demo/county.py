"""The sites of the demonstration: Anji county, its window, 15 townships and 215 villages and communities.

The codes and names in `county.csv` are the public statistical division codes (统计用区划代码) of 2023. That edition
lists 218 units below the townships. Three are left out, which makes the 215 that the county counts as its own:

- 330523111500 南湖林场生活区, the living quarters of a forest farm: no village and no community;
- 330523001002 苕秀社区 and 330523111003 长合社区, which first appear in that edition.

With the county archive and the mediation window there are 232 sites. Everything that the demonstration says *about*
these places is made up.
"""

import functools
from importlib.resources import files
from random import Random

import msgspec

from protocol.errors import BadSetting
from protocol.sites import Site, SiteRank, parse_site
from protocol.wording import Count, Text

SITES_MAX = 232
"""Sites in the table."""

COUNTY_CODE = "330523000000"
WINDOW_CODE = "330523000000-W01"
STORY_TOWN_CODE = "330523004000"
"""孝源街道: keeps the papers of 皈山乡, which was abolished."""
STORY_VILLAGE_CODE = "330523004206"
"""皈山场村."""

_FIRST = (COUNTY_CODE, WINDOW_CODE, STORY_TOWN_CODE, STORY_VILLAGE_CODE)
"""These come first, so that a small demonstration still shows every kind of site and the story."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table: a site and what people call it."""

    site: Site
    official_name: str
    town_name: str = ""
    """The township that a village belongs to; empty for the county and its window."""

    @property
    def code(self) -> str:
        """The site code as people write it."""
        return self.site.code

    @property
    def name(self) -> str:
        """The place without the word for its committee: 余村村委会 is 余村村."""
        return self.official_name.removesuffix("居委会").removesuffix("委会")

    @property
    def archive_name(self) -> str:
        """What the sign on the archive's door says."""
        if self.site.rank is SiteRank.COUNTY:
            return f"{self.official_name}档案馆"
        return self.official_name if self.site.rank is SiteRank.UNIT else f"{self.name}档案室"

    @property
    def unit_name(self) -> str:
        """The body whose records the site keeps, as it signs its papers."""
        match self.site.rank:
            case SiteRank.VILLAGE:
                return f"{self.name}{'居民委员会' if self.name.endswith('社区') else '村民委员会'}"
            case SiteRank.TOWNSHIP:
                return f"{self.name}{'办事处' if self.name.endswith('街道') else '人民政府'}"
            case _:
                return "安吉县人民政府" if self.site.rank is SiteRank.COUNTY else self.official_name


@functools.cache
def all_places() -> tuple[Place, ...]:
    """Return the 232 sites in the order of their codes: county, window, then each township with its villages."""
    lines = (files("deploy.demo") / "county.csv").read_text(encoding="utf-8").splitlines()[1:]
    named = dict(line.split(",", maxsplit=1) for line in lines)
    places = []
    for code, name in named.items():
        site = parse_site(code)
        town = named[f"{site.county}{site.town}000"] if site.town != "000" else ""
        places.append(Place(site=site, official_name=name, town_name=town))
    return tuple(places)


def chosen_places(count: int) -> tuple[Place, ...]:
    """Return the first `count` sites of a demonstration, the four of the story first.

    Raises:
        BadSetting: the county does not have that many sites, or none is asked for.

    """
    if not 1 <= count <= SITES_MAX:
        raise BadSetting(
            Text(
                zh=f"站点数 {count} 不在 1 到 {SITES_MAX} 之间。",
                en=f"{Count(count):site|sites}: allowed are 1 to {SITES_MAX}.",
            ),
            Text(zh=f"全县共 {SITES_MAX} 个站点。", en=f"The county has {SITES_MAX} sites."),
        )
    places = all_places()
    first = [place for code in _FIRST for place in places if place.code == code]
    return tuple([*first, *(place for place in places if place.code not in _FIRST)][:count])


def home_of(place: Place, chance: Random) -> Place:
    """Return the village that a record of this site is about: itself, or any village that belongs to it."""
    if place.site.rank is SiteRank.VILLAGE:
        return place
    territory = place.site.parent if place.site.suffix else place.site
    villages = [
        other
        for other in all_places()
        if other.site.rank is SiteRank.VILLAGE and territory is not None and territory.contains(other.site)
    ]
    return chance.choice(villages)
