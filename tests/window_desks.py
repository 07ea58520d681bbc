"""A console at the window of a county in one process: the real pages over ``tests.window_county``'s real stores."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from hub.alarm.office_hours import Calendar
from hub.home import home_at
from hub.web.console import backstage_for
from hub.web.reach import Reach
from hub.web.serving import served
from hub.web.window_parts import WindowParts
from hub.web_settings import WebSettings
from hub.window.copy_orders import CopyRoutes
from hub.window.dispute_table import dispute_table
from hub.window.rule_table import rule_table
from hub.window.statements import Maker
from hub.window.working_days import official
from replication.keys import Identity, new_seed
from replication.precedence import Precedence
from tests.certifying import ROUTES, Window, window
from tests.consoles import COUNTY, Clock, Desk, quick_sealer
from tests.servers import free_port
from tests.window_county import County, county, row

KEY = b"county key of a test"
NUMBER = "330523190001010015"
"""A fictitious identity number with the right check character."""

HEAD = "330523000000"
OLD, NEW, FAR, OFFICE = "330523108204", "330523108205", "330523106201", "330523108000"
"""Two villages that hold the papers of one hill, one that has nothing to do with it, and the township's office."""


class CountyClock(Clock):
    """A county's clock, that the console reads as well."""

    def __init__(self, one: County) -> None:
        super().__init__()
        self.county = one

    def __call__(self) -> int:
        return self.county.clock()

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.county.now_ms += int(seconds * 1000)


class WindowDesk(Desk):
    """A console with its county."""

    county: County
    stack: AsyncExitStack


@asynccontextmanager
async def certificate_desk(folder: Path) -> AsyncIterator[tuple[Desk, Window]]:
    """Run a console at a window whose one holder has papers to certify."""
    async with window(folder) as one:
        clock = Clock()
        clock.ahead_ms = one.now_ms - clock()
        parts = WindowParts(
            county_key=KEY,
            calendar=official(Calendar()),
            rules=rule_table(one.home).in_force,
            home=one.home,
            routes=ROUTES,
        )
        backstage = backstage_for(
            one.hub.database,
            WebSettings(port=free_port()),
            COUNTY,
            clock_ms=clock,
            is_linked=lambda: True,
            sealer=quick_sealer(),
            reach=Reach(window=parts),
        )
        async with served(backstage, one.home, Precedence()) as port:
            yield Desk(backstage, clock, f"http://127.0.0.1:{port}", one.home.database), one


@asynccontextmanager
async def window_desk(folder: Path) -> AsyncIterator[WindowDesk]:
    """Run a console over a county whose sites a test adds."""
    async with county(folder) as (one, stack):
        home, clock = home_at(folder), CountyClock(one)
        window = WindowParts(
            county_key=KEY,
            calendar=official(Calendar()),
            rules=rule_table(home).in_force,
            lookups=one.desk,
            home=home,
            maker=Maker(county=HEAD, county_name=COUNTY, identity=Identity(new_seed(b"h" * 32))),
            routes=CopyRoutes(county=HEAD),
            disputes=dispute_table(home).in_force,
        )
        backstage = backstage_for(
            one.database,
            WebSettings(port=free_port()),
            COUNTY,
            clock_ms=clock,
            is_linked=lambda: True,
            sealer=quick_sealer(),
            reach=Reach(window=window),
        )
        async with served(backstage, home, Precedence()) as port:
            made = WindowDesk(backstage, clock, f"http://127.0.0.1:{port}", home.database)
            made.county, made.stack = one, stack
            yield made


async def add_sites(here: WindowDesk) -> None:
    """Add the sites of the five stories: a hill's two contracts, a marriage, and a village without any of them."""
    one, stack = here.county, here.stack
    await one.add(stack, OLD, "大溪村档案室", [row(1, "大溪村与麻竹生户山林承包合同", "19860312")])
    await one.add(stack, NEW, "横路村档案室", [row(2, "大溪村山林承包经营权流转合同（原承包户麻竹生）", "20140506")])
    await one.add(stack, FAR, "石岭村档案室", [row(3, "石岭村选举材料", "19900101")])
    await one.add(stack, OFFICE, "天荒坪镇档案室", [row(4, "甲某与乙某结婚登记", "19920518", "控制")])
