"""The course of a demonstration: prepare, start, watch it settle, prove it, say what came of it, stay up.

    foundation → hub → workers write catalogues and enrol nodes → nodes start → every event applied
               → digests of both ends compared → summary → what to try next

Whatever ends it, it ends its own processes and nothing else.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from httpx import HTTPError
from rich.console import Console
from rich.table import Table

from deploy.demo import affairs, bars
from deploy.demo.advice import advice
from deploy.demo.affairs import Told
from deploy.demo.foundation import Foundation, Options, assignments, lay, participants
from deploy.demo.guide import guide
from deploy.demo.look import Look
from deploy.demo.manifest import total
from deploy.demo.pipes import input_lines
from deploy.demo.proof import Prover, proving
from deploy.demo.report import EQUAL, Observed, Report, Times, make_report, summary_lines
from deploy.demo.sign_in import SignIn, ready_sign_in
from deploy.demo.stage import Stage, set_up
from protocol.errors import DanglianError, LinkDown
from protocol.wording import Count, Text

LOOK_S = 0.5
"""Seconds between two looks at how far the county has come."""

PROVE_AGAIN_S = 2.0
"""Seconds before the digests are compared again where they were not equal at every site."""

EXIT_OK = 0
EXIT_NOT_SETTLED = 1


class Demonstration:
    """One demonstration; `run` is its course."""

    def __init__(self, options: Options, console: Console, language: str) -> None:
        self._options = options
        self._console = console
        self._language = language
        self.exit_code = EXIT_NOT_SETTLED

    async def run(self) -> None:
        """Run it to its end, or until cancelled; `exit_code` says how it went.

        Raises:
            BadSetting: the options do not fit together, or the home holds something already.
            LinkDown: one of the processes did not start, or ended.

        """
        taking_part = participants(self._options)
        with _home(self._options.home, lambda: self.exit_code != EXIT_OK) as root:
            foundation = lay(root, taking_part)
            self._say(Text(zh=f"演示目录：{root}", en=f"Everything lies in {root}"))
            self._say(
                Text(
                    zh=f"正在启动 {len(foundation.codes)} 个站点，通常一两分钟；就绪后给出网址、登录名和密码。",
                    en=f"{Count(len(foundation.codes)):site is|sites are} starting, a minute or two as a rule; then an"
                    " address and a"
                    " sign-in follow.",
                )
            )
            given = await assignments(foundation)
            sign_in = await ready_sign_in(foundation)
            async with set_up(foundation, self._options.processes, self._ending) as stage:
                await stage.prepare(given, self._options.rows_per_site, self._options.seed)
                async with proving(foundation) as prover:
                    report = await self._settled(foundation, stage, prover)
                self._conclude(report)
                if not self._options.exit_when_settled:
                    await self._stay_up(foundation, stage, sign_in)

    def _ending(self) -> None:
        self._say(Text(zh="正在结束各进程……", en="Ending its processes …"))

    async def _settled(self, foundation: Foundation, stage: Stage, prover: Prover) -> Report:
        """Watch until everything is applied and proven, or patience ends; return what came of it."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        seen, settled_s, verified_s = Look(), None, None
        digests: dict[str, str] = {}
        with bars.shown(self._console, self._language, len(foundation.codes)) as progress:
            while not stage.is_prepared:
                await self._pause(stage)
                progress.prepared(len(stage.manifests), len(stage.enrolled))
            launched_s = loop.time()
            await stage.launch()
            expected = total(stage.manifests.values())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._options.patience_s):
                    # A node that ended does not come through: the others are not kept waiting for it.
                    while seen.come_through(stage.manifests) + len(stage.faults) < len(foundation.codes):
                        await self._pause(stage)
                        seen = await prover.look()
                        progress.looked(seen, stage.manifests, expected.entries if expected else None)
                    settled_s = loop.time() - launched_s
                    while unproven := [code for code in foundation.codes if digests.get(code) != EQUAL]:
                        await asyncio.sleep(PROVE_AGAIN_S if digests else 0)
                        digests |= await prover.digests(unproven)
                    verified_s = loop.time() - launched_s
        sample = await prover.live_sample() if self._options.live and settled_s is not None else None
        times = Times(prepared_s=launched_s - began_s, settled_s=settled_s, verified_s=verified_s)
        observed = Observed(
            manifests=stage.manifests,
            look=seen,
            digests=digests,
            faults={site: reason.in_language(self._language) for site, reason in stage.faults.items()},
            times=times,
            live=sample,
        )
        names = {member.place.code: member.place.archive_name for member in foundation.participants}
        return make_report(self._options, foundation.root, names, observed)

    async def _pause(self, stage: Stage) -> None:
        await asyncio.sleep(LOOK_S)
        stage.check()
        if not stage.hub_runs:
            raise LinkDown(Text(zh="县级枢纽的进程已退出。", en="the hub's process has ended"))

    def _conclude(self, report: Report) -> None:
        """Show the summary, write the report, and decide on the exit code."""
        table = Table(title=Text(zh="演示结果", en="What came of it").in_language(self._language), show_header=False)
        for words, figure in summary_lines(report, self._language):
            table.add_row(words.in_language(self._language), figure)
        self._console.print(table)
        for site in report.sites_detail:
            if site.digests != EQUAL or site.fault:
                self._console.print(f"  {site.site} {site.name}: {site.digests} {site.fault}", markup=False)
        if self._options.report is not None:
            text = msgspec.json.format(msgspec.json.encode(report), indent=2)
            self._options.report.write_bytes(text + b"\n")
        self.exit_code = EXIT_OK if report.settled else EXIT_NOT_SETTLED

    async def _stay_up(self, foundation: Foundation, stage: Stage, sign_in: SignIn) -> None:
        """Say what to see and to try, and obey what is typed, until told to quit; without a keyboard, until stopped."""
        done = await self._enliven(foundation, stage, sign_in)
        self._say(Text(zh="县已就绪。可以试试：", en="The county is up. Things to try:"))
        for words, command in advice(foundation):
            self._console.print(f"  {words.in_language(self._language)}", markup=False, style="dim")
            self._console.print(f"    {command}", markup=False, soft_wrap=True)
        self._invite(foundation, sign_in, done)
        async for typed in input_lines():
            if not await self._obey(typed.decode("utf-8", errors="replace").split(), stage):
                return
        await asyncio.Event().wait()

    async def _enliven(self, foundation: Foundation, stage: Stage, sign_in: SignIn) -> list[Told]:
        """Have something happen in the county; returns what there is to see then."""
        if not (self._options.eventful and affairs.happen_in(foundation)):
            return []
        self._say(Text(zh="县里正在办几件事，一两分钟……", en="Some things happen in the county, for a minute or two …"))
        try:
            return await affairs.happened(foundation, stage, sign_in, self._options.seed)
        except (DanglianError, HTTPError) as error:
            reason = error.reason if isinstance(error, DanglianError) else Text(zh=str(error), en=str(error))
            return [Told(words=Text(zh="县里的几件事", en="what was to happen"), fault=reason)]

    def _invite(self, foundation: Foundation, sign_in: SignIn, done: list[Told]) -> None:
        """Say what to try at the window and what to see, and last where the console is and how one gets in."""
        for told in (*guide(foundation), *affairs.told(done)):
            self._say(told)
        zh, en = "、".join(sign_in.logins), " or ".join(sign_in.logins)
        self._say(
            Text(
                zh=f"\n控制台：{sign_in.url}\n登录名 {zh}，密码 {sign_in.password}",
                en=f"\nThe console: {sign_in.url}\nSign in as {en} with the password {sign_in.password}",
            )
        )

    async def _obey(self, words: list[str], stage: Stage) -> bool:
        """Carry out what was typed; False means that it was the last."""
        match words:
            case []:
                return True
            case ["quit" | "exit" | "q"]:
                return False
            case ["stop", "hub"]:
                await stage.stop_hub()
            case ["start", "hub"]:
                await stage.start_hub()
            case ["stop", site] if await stage.stop_node(site):
                pass
            case ["start", site] if await stage.start_node(site):
                pass
            case _:
                self._say(
                    Text(
                        zh="可用：stop 站点代码、start 站点代码、stop hub、start hub、quit",
                        en="There are: stop SITE, start SITE, stop hub, start hub, quit",
                    )
                )
                return True
        self._say(Text(zh="好。", en="Done."))
        return True

    def _say(self, text: Text) -> None:
        self._console.print(text.in_language(self._language), markup=False, soft_wrap=True)


@contextmanager
def _home(given: Path | None, is_of_interest: Callable[[], bool]) -> Iterator[Path]:
    """Use the given folder and keep it, or a temporary one, gone at the end unless something went wrong in it."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.absolute()
        return
    made = Path(tempfile.mkdtemp(prefix="danglian-demo-"))
    keep = False
    try:
        yield made
        keep = is_of_interest()
    except Exception:
        keep = True
        raise
    finally:
        if not keep:
            shutil.rmtree(made, ignore_errors=True)
