"""The running county: one hub process and some workers, and what each of them has said."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from deploy.demo.children import Child, start, workers
from deploy.demo.foundation import Foundation
from deploy.demo.hub_process import READY
from deploy.demo.manifest import SiteManifest
from deploy.demo.orders import Assignment, Ended, Enrolled, Fact, Halt, Launch, Prepare, Running, Written
from protocol.errors import LinkDown
from protocol.wording import Text

HUB_READY_S = 60.0
"""Seconds that the hub may take until nodes can enrol."""

OUTPOST_LOGS = "outpost"
"""Folder among the logs for that of the site whose power will fail."""

_LOG_TAIL_CHARS = 2_000


class Stage:
    """Everything that runs; made by `set_up`."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._workers: tuple[Child, ...] = ()
        self._worker_of: dict[str, Child] = {}
        self._hub: Child | None = None
        self._outpost: Child | None = None
        self._opening: Callable[[], Awaitable[Child]] | None = None
        self.manifests: dict[str, SiteManifest] = {}
        self.enrolled: set[str] = set()
        self.running: set[str] = set()
        self.faults: dict[str, Text] = {}
        """Why nodes ended that nobody had told to."""

    def hear(self, fact: Fact) -> None:
        """Note what a worker says."""
        match fact:
            case Written(manifest=manifest):
                self.manifests[manifest.site] = manifest
            case Enrolled(site=site):
                self.enrolled.add(site)
            case Running(site=site):
                self.running.add(site)
                self.faults.pop(site, None)
            case Ended(site=site, reason_zh=zh, reason_en=en):
                self.running.discard(site)
                if zh:
                    self.faults[site] = Text(zh=zh, en=en)

    @property
    def is_prepared(self) -> bool:
        """Whether every site has its catalogues, and is enrolled or could not be."""
        sites = set(self._foundation.codes)
        return sites <= self.manifests.keys() and sites <= self.enrolled | self.faults.keys()

    @property
    def hub_runs(self) -> bool:
        """Whether the hub's process runs."""
        return self._hub is not None and self._hub.is_running

    async def start_hub(self) -> None:
        """Start the hub's process and return when nodes can enrol.

        Raises:
            LinkDown: it ended, or was not ready in time.

        """
        if self.hub_runs:
            return
        log_file = self._foundation.logs / "hub.log"
        self._hub = await start("deploy.demo.hub_process", (str(self._foundation.hub.root),), log_file)
        if await self._hub.says(READY, HUB_READY_S):
            return
        await self.stop_hub()
        tail = log_file.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL_CHARS:]
        raise LinkDown(
            Text(zh=f"县级枢纽未能启动：\n{tail}", en=f"the hub did not start:\n{tail}"),
            Text(zh=f"完整日志：{log_file}", en=f"The whole log: {log_file}"),
        )

    async def stop_hub(self) -> None:
        """Stop the hub's process, and with it the broker."""
        if self._hub is not None:
            await self._hub.stop()

    async def engage(self, crew: tuple[Child, ...], opening: Callable[[], Awaitable[Child]]) -> None:
        """Take workers on, and one for the site whose power will fail, if there is one; ``opening`` starts it."""
        self._workers, self._opening = crew, opening
        if self._foundation.outpost is not None:
            self._outpost = await opening()

    async def prepare(self, assignments: list[Assignment], rows: int, seed: int) -> None:
        """Share the sites among the workers, every other to another; they write and enrol at once."""
        many = [one for one in assignments if not one.is_outpost]
        shares = [(worker, many[number :: len(self._workers)]) for number, worker in enumerate(self._workers)]
        if self._outpost is not None:
            shares.append((self._outpost, [one for one in assignments if one.is_outpost]))
        for worker, share in shares:
            self._worker_of.update((assignment.site, worker) for assignment in share)
            foundation = self._foundation
            await worker.send(
                Prepare(nodes=str(foundation.nodes), door=foundation.door, rows=rows, seed=seed, sites=tuple(share))
            )

    async def launch(self) -> None:
        """Start every node."""
        for worker in set(self._worker_of.values()):
            await worker.send(Launch())

    async def cut_power(self) -> None:
        """End the node of the outpost without a word."""
        if self._outpost is not None and self._foundation.outpost is not None:
            await self._outpost.kill()
            self.running.discard(self._foundation.outpost.code)

    async def start_node(self, site: str) -> bool:
        """Start one node; False if there is no such site."""
        outpost = self._foundation.outpost
        if outpost is not None and site == outpost.code and self._opening is not None:
            if self._outpost is None or not self._outpost.is_running:
                self._outpost = self._worker_of[site] = await self._opening()
            await self._outpost.send(Launch(sites=(site,), nodes=str(self._foundation.nodes)))
            return True
        return await self._tell(site, Launch(sites=(site,)))

    async def stop_node(self, site: str) -> bool:
        """Stop one node; False if there is no such site."""
        return await self._tell(site, Halt(site=site))

    def check(self) -> None:
        """See that nobody has left.

        Raises:
            LinkDown: a worker has ended.

        """
        for number, worker in enumerate(self._workers, 1):
            if not worker.is_running:
                log_file = self._foundation.logs / f"nodes-{number}.log"
                raise LinkDown(
                    Text(zh=f"节点进程 {number} 已退出。", en=f"node process {number} has ended"),
                    Text(zh=f"原因见日志：{log_file}", en=f"Its log says why: {log_file}"),
                )

    async def _tell(self, site: str, order: Launch | Halt) -> bool:
        worker = self._worker_of.get(site)
        if worker is None:
            return False
        await worker.send(order)
        return True


@asynccontextmanager
async def set_up(foundation: Foundation, processes: int, on_end: Callable[[], None]) -> AsyncIterator[Stage]:
    """Start the hub and the workers; they end in the reverse order, which ``on_end`` hears before it begins."""
    stage = Stage(foundation)
    async with AsyncExitStack() as started:
        started.push_async_callback(stage.stop_hub)
        try:
            await stage.start_hub()

            async def opening() -> Child:
                logs = foundation.logs / OUTPOST_LOGS
                (child,) = await started.enter_async_context(workers(1, logs, stage.hear))
                return child

            crew = await started.enter_async_context(workers(processes, foundation.logs, stage.hear))
            await stage.engage(crew, opening)
            yield stage
        finally:
            on_end()
