"""One worker process: writes the catalogues of some sites, enrols their nodes, and runs their daemons in one loop.

The daemons are those of `danglian-node run`. A node that fails is reported and leaves the others alone. The worker ends
when its standard input does.
"""

import asyncio
import contextlib
import secrets
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

from deploy.demo.county import STORY_TOWN_CODE, Place, all_places
from deploy.demo.files import write_site
from deploy.demo.manifest import SiteManifest
from deploy.demo.orders import (
    Assignment,
    Ended,
    Enrolled,
    Fact,
    Halt,
    Launch,
    Order,
    Prepare,
    Running,
    Written,
    line,
    orders,
)
from deploy.demo.pipes import input_lines
from deploy.demo.story import OUTPOST_RHYTHM, STORY_POLICY
from node.daemon import serve
from node.enrolment import Installation, enrol, parse_door
from node.hints import HintSource
from node.home import NodeHome, home_at
from protocol.enrolment import parse_code
from protocol.errors import DanglianError
from replication.files import write_whole
from replication.lifetime import run_until_stopped
from replication.logs import configure_logs

ENROLMENTS_AT_ONCE = 6
"""Conversations that one worker holds with the enrolment door, which takes 24 from one address."""

Tell = Callable[[Fact], None]

log = structlog.get_logger(__name__)


class Worker:
    """Carries out orders; facts go to `tell`."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        # One for all nodes of the process: an ordinary user may have some hundred watchers only.
        self.hints = HintSource()
        self._nodes = Path()
        self._places = {place.code: place for place in all_places()}
        self._sites: tuple[str, ...] = ()
        self._daemons: dict[str, asyncio.Task[None]] = {}

    async def obey(self, order: Order) -> None:
        """Carry out one order; whatever goes wrong with a site is told, never raised."""
        match order:
            case Prepare():
                await self._prepare(order)
            case Launch(sites=sites, nodes=nodes):
                self._nodes = Path(nodes) if nodes else self._nodes
                for site in sites or self._sites:
                    self._launch(site)
            case Halt(site=site):
                await self._halt(site)

    async def stop(self) -> None:
        """Stop all daemons."""
        for task in self._daemons.values():
            task.cancel()
        await asyncio.gather(*self._daemons.values(), return_exceptions=True)

    async def _prepare(self, order: Prepare) -> None:
        self._nodes = Path(order.nodes)
        self._sites = tuple(assignment.site for assignment in order.sites)
        places = asyncio.Semaphore(ENROLMENTS_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for assignment in order.sites:
                tasks.create_task(self._enrol(assignment, order.door, places))
            tasks.create_task(self._write(order))

    async def _enrol(self, assignment: Assignment, door: str, places: asyncio.Semaphore) -> None:
        home = home_at(self._nodes / assignment.site)
        try:
            async with places:
                installation = Installation(name="demo", software="danglian-demo")
                await enrol(home, parse_door(door), parse_code(assignment.code), installation, secrets.token_bytes)
            if assignment.site == STORY_TOWN_CODE:
                await asyncio.to_thread(set_story_policy, home)
            if assignment.is_outpost:
                await asyncio.to_thread(add_settings, home, OUTPOST_RHYTHM)
        except DanglianError as error:
            self._tell(Ended(site=assignment.site, reason_zh=error.reason.zh, reason_en=error.reason.en))
        else:
            self._tell(Enrolled(site=assignment.site))

    async def _write(self, order: Prepare) -> None:
        for assignment in order.sites:
            folder = home_at(self._nodes / assignment.site).catalogues
            manifest = await asyncio.to_thread(
                written, folder, self._places[assignment.site], assignment, order.rows, order.seed
            )
            self._tell(Written(manifest=manifest))

    def _launch(self, site: str) -> None:
        running = self._daemons.get(site)
        if running is None or running.done():
            self._daemons[site] = asyncio.create_task(self._run(site), name=f"node {site}")
            self._tell(Running(site=site))

    async def _run(self, site: str) -> None:
        with structlog.contextvars.bound_contextvars(node=site):
            try:
                await serve(home_at(self._nodes / site), hints=self.hints)
            except asyncio.CancelledError:
                self._tell(Ended(site=site))
                raise
            except DanglianError as error:
                self._tell(Ended(site=site, reason_zh=error.reason.zh, reason_en=error.reason.en))
            except Exception as error:
                log.exception("node_failed")
                reason = f"{type(error).__name__}: {error}"
                self._tell(Ended(site=site, reason_zh=reason, reason_en=reason))

    async def _halt(self, site: str) -> None:
        task = self._daemons.get(site)
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))


def set_story_policy(home: NodeHome) -> None:
    """Give the story's township its own rule, once."""
    add_settings(home, STORY_POLICY)


def add_settings(home: NodeHome, more: str) -> None:
    """Write more at the end of a site's settings, once."""
    text = home.settings.read_text(encoding="utf-8")
    if more not in text:
        write_whole(home.settings, (text + more).encode("utf-8"))


def written(folder: Path, place: Place, assignment: Assignment, rows: int, seed: int) -> SiteManifest:
    """Fill a site's folder: with the given file, or with catalogues that are made up."""
    if not assignment.source:
        return write_site(folder, place, assignment.position, rows=rows, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(assignment.source)
    shutil.copyfile(source, folder / source.name)
    return SiteManifest(site=place.code, files=1)


async def work() -> None:
    """Carry out the orders on standard input until it ends; facts go to standard output."""

    def tell(fact: Fact) -> None:
        # A parent that is gone hears nothing; its end of standard input says so.
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.buffer.write(line(fact))
            sys.stdout.buffer.flush()

    worker = Worker(tell)
    hints = asyncio.create_task(worker.hints.run(), name="hints")
    try:
        async for text in input_lines():
            await worker.obey(orders.decode(text))
    finally:
        await worker.stop()
        hints.cancel()


def main() -> int:
    """Run a worker; its log goes to standard error."""
    configure_logs(level="info", pretty=False)
    return run_until_stopped(work())


if __name__ == "__main__":
    sys.exit(main())
