"""What the window's pages use of the hub beside its store: the county's key, the clock's terms, and who asks sites."""

from collections.abc import Callable

import msgspec

from hub.home import HubHome
from hub.window.copy_orders import CopyRoutes
from hub.window.lookups import LookupDesk
from hub.window.mediation import DisputeKinds
from hub.window.rules import Rules
from hub.window.settings import WindowSettings
from hub.window.statements import Maker
from hub.window.unsent import sealing_key
from hub.window.working_days import WorkCalendar


class WindowParts(msgspec.Struct, frozen=True, kw_only=True):
    """What is there; a part that is missing is said so on the page that would use it."""

    county_key: bytes = b""
    """Under which identity numbers are hashed."""
    terms: WindowSettings = WindowSettings()
    calendar: WorkCalendar = WorkCalendar()
    rules: Callable[[], tuple[int, Rules]] = lambda: (0, Rules(rows=()))
    """The rules in force and their version; reads a file, so it is called in a thread."""
    lookups: LookupDesk | None = None
    home: HubHome | None = None
    """Where the files of certificates lie."""
    maker: Maker | None = None
    """Who signs statements of completeness and of no record."""
    routes: CopyRoutes = CopyRoutes(county="")
    disputes: Callable[[], tuple[int, DisputeKinds]] = lambda: (0, DisputeKinds(kinds=()))
    """The county's kinds of disputes in force; called in a thread, like the rules."""

    @property
    def sealing_key(self) -> bytes:
        """Under which unsent forms are sealed."""
        return sealing_key(self.county_key)
