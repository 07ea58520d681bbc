"""Lays the foundation of a demonstration: which sites take part with which files, a hub's home, a code for each.

The home is made by the code of `danglian-hub init`, the codes by that of `danglian-hub enrol`.
"""

import contextlib
import datetime
import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec

from deploy.demo.county import COUNTY_CODE, SITES_MAX, Place, chosen_places
from deploy.demo.orders import Assignment
from hub import config
from hub.commands.enrol import issue_all
from hub.commands.init import make_home, settings_text
from hub.config import HubConfig
from hub.home import HubHome
from hub.home import home_at as hub_home_at
from hub.membership.codes import CodeOrder
from protocol.errors import BadSetting, Refused
from protocol.wording import Count, Text

LOOPBACK = "127.0.0.1"
CODE_DAYS = 1
LOGS = "logs"
"""Folder in the home of a demonstration where every process logs."""
OUTPOST_SITES_MIN = 6
"""Sites from which on one of them loses its power."""
ALARMS = """
# 演示：断电的站点两分钟后就告警，不等十五分钟。
# For the demonstration: a site without power is an alarm after two minutes, not fifteen.
[alarms]
missed-after-minutes = 2.0
"""
CATALOGUE_SUFFIXES = frozenset((".xlsx", ".xls", ".csv", ".txt"))


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the person at the terminal asked for."""

    sites: int
    processes: int
    rows_per_site: int
    seed: int
    data: Path | None = None
    home: Path | None = None
    exit_when_settled: bool = False
    report: Path | None = None
    live: bool = True
    """Whether a live search is part of the summary."""
    patience_s: float
    eventful: bool = True
    """Whether something happens in the county before its person is asked in."""


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """One site that takes part."""

    place: Place
    position: int
    source: Path | None = None
    """A file to use instead of made-up catalogues."""


class Foundation(msgspec.Struct, frozen=True, kw_only=True):
    """All that stands before the first process starts."""

    root: Path
    hub: HubHome
    settings: HubConfig
    participants: tuple[Participant, ...]

    @property
    def nodes(self) -> Path:
        """The folder of the nodes' homes."""
        return self.root / "nodes"

    @property
    def logs(self) -> Path:
        """The folder of the processes' logs."""
        return self.root / LOGS

    @property
    def door(self) -> str:
        """Where nodes enrol."""
        return f"{LOOPBACK}:{self.settings.enrolment.port}"

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the sites that take part."""
        return tuple(participant.place.code for participant in self.participants)

    @property
    def outpost(self) -> Place | None:
        """The site whose power will fail, in a process of its own; none in small counties, nor in those of others."""
        last = self.participants[-1]
        return last.place if len(self.participants) >= OUTPOST_SITES_MIN and last.source is None else None


def participants(options: Options) -> tuple[Participant, ...]:
    """Return who takes part: the sites asked for, or one site for each file of the given folder.

    Raises:
        BadSetting: too many sites or files, or a folder without catalogues.

    """
    if options.data is None:
        places = chosen_places(options.sites)
        return tuple(Participant(place=place, position=position) for position, place in enumerate(places))
    sources = catalogue_files(options.data)[: options.sites]
    pairs = zip(chosen_places(len(sources)), sources, strict=True)
    return tuple(
        Participant(place=place, position=position, source=source) for position, (place, source) in enumerate(pairs)
    )


def catalogue_files(folder: Path) -> list[Path]:
    """Return the catalogue files of a folder, in the order of their names.

    Raises:
        BadSetting: no such folder, no catalogue in it, or more than there are sites.

    """
    hint = Text(
        zh="目录中放 .xlsx、.xls、.csv 或 .txt 文件：一个文件算一个站点。",
        en="Put .xlsx, .xls, .csv or .txt files there: each file makes one site.",
    )
    if not folder.is_dir():
        raise BadSetting(Text(zh=f"没有这个目录：{folder}", en=f"no such folder: {folder}"), hint)
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in CATALOGUE_SUFFIXES and path.is_file() and not path.name.startswith(("~$", "."))
    )
    if not 0 < len(found) <= SITES_MAX:
        reason = Text(
            zh=f"{folder} 中有 {len(found)} 个目录文件，应为 1 到 {SITES_MAX} 个。",
            en=f"{Count(len(found)):catalogue file|catalogue files} in {folder}: allowed are 1 to {SITES_MAX}.",
        )
        raise BadSetting(reason, hint)
    return found


def lay(root: Path, taking_part: tuple[Participant, ...]) -> Foundation:
    """Make the hub's home, on free ports of this machine only.

    Raises:
        BadSetting: a demonstration was made in this folder before.

    """
    home = hub_home_at(root / "hub")
    broker_port, enrolment_port, web_port = free_ports(3)
    text = settings_text(
        COUNTY_CODE, "安吉县档案馆（演示）", [LOOPBACK], LOOPBACK, broker_port, enrolment_port, web_port
    )
    text += ALARMS
    settings = config.parse(text)
    make_home(home, settings, text, datetime.datetime.now(datetime.UTC))
    return Foundation(root=root, hub=home, settings=settings, participants=taking_part)


async def assignments(foundation: Foundation) -> list[Assignment]:
    """Issue a code for every site that takes part.

    Raises:
        Refused: a site has a node already.

    """
    orders = [
        CodeOrder(site=participant.place.site, name=participant.place.archive_name, valid_days=CODE_DAYS)
        for participant in foundation.participants
    ]
    made = []
    for participant, issued in zip(foundation.participants, await issue_all(foundation.hub, orders), strict=True):
        if isinstance(issued, Refused):
            raise issued
        source = "" if participant.source is None else str(participant.source.absolute())
        made.append(
            Assignment(
                site=participant.place.code,
                position=participant.position,
                code=issued.code,
                source=source,
                is_outpost=participant.place == foundation.outpost,
            )
        )
    return made


def free_ports(count: int) -> Sequence[int]:
    """Return ports of this machine that nobody uses at this moment."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [int(opened.getsockname()[1]) for opened in sockets]
