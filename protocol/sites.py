"""Site codes: which institution an event, a record or a call belongs to.

A *site* is an institution that keeps records. Its code is the 12-digit statistical division code of its territory
(统计用区划代码: county 6 digits, township 3, village 3). Institutions without a territory of their own (the mediation
window, an enterprise, a hosted unit) take their county's, town's or village's code and a suffix: ``330523000000-W01``.
A *node* is one installation with a key; a replaced PC is a new node of the same site. Codes are never recycled.
"""

import re
from enum import StrEnum

import msgspec

from protocol.errors import BadValue
from protocol.wording import Text

_FORM = re.compile(r"([0-9]{6})([0-9]{3})([0-9]{3})(?:-([A-Z][0-9]{2,4}))?")
_NO_SUFFIX = "_"


class SiteRank(StrEnum):
    """The level of administration that a site serves."""

    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"
    UNIT = "unit"


class Site(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One institution's place in the tree of the county."""

    county: str
    town: str
    village: str
    suffix: str = ""

    @property
    def code(self) -> str:
        """The code as people write it, for example ``330523108204`` or ``330523000000-W01``."""
        plain = f"{self.county}{self.town}{self.village}"
        return f"{plain}-{self.suffix}" if self.suffix else plain

    @property
    def rank(self) -> SiteRank:
        """The level of administration, read from the code's zeros."""
        if self.suffix:
            return SiteRank.UNIT
        if self.village != "000":
            return SiteRank.VILLAGE
        return SiteRank.TOWNSHIP if self.town != "000" else SiteRank.COUNTY

    @property
    def tokens(self) -> str:
        """The site as four subject tokens, so that broker wildcards and permissions follow the county's tree."""
        return f"{self.county}.{self.town}.{self.village}.{self.suffix or _NO_SUFFIX}"

    @property
    def parent(self) -> "Site | None":
        """The site one level up (a unit belongs to its territory), or None for the county."""
        if self.suffix:
            return Site(county=self.county, town=self.town, village=self.village)
        if self.village != "000":
            return Site(county=self.county, town=self.town, village="000")
        return Site(county=self.county, town="000", village="000") if self.town != "000" else None

    def contains(self, other: "Site") -> bool:
        """Tell whether ``other`` is this site or lies below it."""
        if self.suffix:
            return self == other
        return (
            self.county == other.county and self.town in ("000", other.town) and self.village in ("000", other.village)
        )


def parse_site(code: str) -> Site:
    """Read a site code as people write it.

    Raises:
        BadValue: the text is not a 12-digit division code with an optional suffix.

    """
    found = _FORM.fullmatch(code.strip())
    if found is None:
        raise BadValue(
            Text(zh=f"不是有效的站点代码：{code!r}", en=f"not a site code: {code!r}"),
            Text(
                zh="应为 12 位统计用区划代码，可加后缀，例如 330523108204 或 330523000000-W01。",
                en="Give the 12-digit division code, with an optional suffix: 330523108204 or 330523000000-W01.",
            ),
        )
    county, town, village, suffix = found.groups(default="")
    return Site(county=county, town=town, village=village, suffix=suffix)


def site_from_tokens(tokens: list[str]) -> Site:
    """Read a site from the four tokens that ``Site.tokens`` wrote.

    Raises:
        BadValue: the tokens are not those of a site.

    """
    if len(tokens) != 4:
        raise BadValue(Text(zh="主题中的站点不完整。", en=f"a subject names a site in {len(tokens)} tokens, not 4"))
    county, town, village, suffix = tokens
    tail = "" if suffix == _NO_SUFFIX else f"-{suffix}"
    return parse_site(f"{county}{town}{village}{tail}")
