"""What happens in the county before anybody looks, so that no page of the console is seen empty for the first time.

Persons who are made up do it with the real programs: at the console, and by commands. What does not come off is said
and keeps nothing else from happening.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from deploy.demo import affairs_papers as papers
from deploy.demo.clerk import Clerk, signed_in
from deploy.demo.commands import Terminal, until
from deploy.demo.county import COUNTY_CODE, STORY_TOWN_CODE, STORY_VILLAGE_CODE, Place
from deploy.demo.foundation import Foundation
from deploy.demo.persons import identity_number, invented_name
from deploy.demo.sign_in import SignIn
from deploy.demo.stage import Stage
from deploy.demo.story import STORY_QUERY
from node.home import SCANS, home_at
from protocol.errors import DanglianError
from protocol.sites import SiteRank
from protocol.wording import Text

PATIENCE_S = 60.0
"""Seconds that one thing waits for another: a sheet to be read, a package to be checked, a page to come."""

ALL_S = 180.0
"""Seconds after which what has not happened yet does not happen."""

SHEET = "2022年补充目录.csv"
_TOWN_FONDS, _VILLAGE_FONDS = "J982", "C206"
_ITEMS = 4
_WAIVED = "virus_scan=演示环境未装"
_ENTRY = r'name="entry" value="([^"]+)"'
_SERIAL = r'/print" data-once>.*?name="serial" value="([^"]+)"'


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What has happened, or why it has not."""

    words: Text
    fault: Text | None = None


def happen_in(foundation: Foundation) -> bool:
    """Tell whether enough takes part: the sites of the story and two more, with the catalogues that are made up."""
    is_story = {STORY_TOWN_CODE, STORY_VILLAGE_CODE} <= set(foundation.codes)
    return is_story and foundation.outpost is not None


async def happened(foundation: Foundation, stage: Stage, sign_in: SignIn, seed: int) -> list[Told]:
    """Have it all happen; returns what there is to see then."""
    async with signed_in(sign_in, "demo") as clerk:
        return await _Affairs(foundation, stage, clerk, seed).all()


def told(done: list[Told]) -> list[Text]:
    """Return in words what there is to see at the console, and what did not come off."""
    if not done:
        return []
    lines = [Text(zh="\n控制台上已经可以看到：", en="\nWhat is to be seen at the console already:")]
    for one in done:
        lines.append(Text(zh=f"  · {one.words.zh}", en=f"  · {one.words.en}"))
        if one.fault is not None:
            lines.append(Text(zh=f"     （没有办成：{one.fault.zh}）", en=f"     (did not come off: {one.fault.en})"))
    return lines


class _Affairs:
    """What happens, each as one step after another."""

    def __init__(self, foundation: Foundation, stage: Stage, clerk: Clerk, seed: int) -> None:
        self._foundation = foundation
        self._stage = stage
        self._clerk = clerk
        self._terminal = Terminal()
        self._seed = seed
        self._places = {one.place.code: one.place for one in foundation.participants}

    async def all(self) -> list[Told]:
        """Have all of it happen, side by side where one does not wait for the other."""
        sheets = [self._sheet(STORY_TOWN_CODE), self._sheet(STORY_VILLAGE_CODE)]
        await asyncio.gather(*sheets)
        first = await asyncio.gather(
            self._tried(_ALIKE, self._alike),
            self._tried(_SENT, self._sent),
            self._tried(_SIGNED, self._signed),
            self._tried(_LOOKUP, self._lookup),
            self._tried(_PROPOSED, self._proposed),
            self._tried(self._held_words(), self._held),
        )
        done, silent = list(first), self._foundation.outpost
        # Last, for it is asked as well before: then it has no power any more, and nobody has switched it off.
        if silent is not None:
            done.append(await self._tried(_silent_words(silent), self._cut_off))
        return done

    async def _tried(self, words: Text, step: Callable[[], Awaitable[None]]) -> Told:
        try:
            async with asyncio.timeout(ALL_S):
                await step()
        except DanglianError as error:
            return Told(words=words, fault=error.reason)
        except TimeoutError:
            return Told(words=words, fault=Text(zh="等得太久", en="it took too long"))
        return Told(words=words)

    async def _sheet(self, site: str) -> None:
        """Put what else a site keeps into its folder, with the scans of it."""
        home = home_at(self._foundation.nodes / site)
        if site == STORY_TOWN_CODE:
            agreed = papers.agreement(papers.AGREEMENT_CODE, scanned=2)
            given = papers.handed_over(_TOWN_FONDS, 2011, "孝源街道办事处", _ITEMS, faulty=True)
        else:
            agreed = papers.agreement("C207-WS·2016·Y-TJ-0007", scanned=0)
            given = papers.handed_over(_VILLAGE_FONDS, 2012, "皈山场村村民委员会", _ITEMS, faulty=False)
        await asyncio.to_thread(papers.write_scans, home.root / SCANS, (agreed, *given))
        await asyncio.to_thread(papers.write_sheet, home.catalogues, SHEET, (agreed, *given))

    async def _alike(self) -> None:
        """See that both ends of the agreement are in the county's catalogue."""

        async def look() -> bool | None:
            hits = (await self._hub("search", papers.AGREEMENT_TITLE))["hits"]
            return True if len({one["site"] for one in hits}) > 1 else None

        await until(look, PATIENCE_S)

    # Transfers

    async def _sent(self) -> None:
        """Send what the township hands over, although something is missing, as far as the archive's checks."""
        number = await self._begun(STORY_TOWN_CODE, _TOWN_FONDS, "2011 年山林文书")
        await self._node(STORY_TOWN_CODE, "transfer", "send", number, "--despite-faults")
        await self._checked(number)

    async def _signed(self) -> None:
        """Hand over what the village has, until both have signed."""
        number = await self._begun(STORY_VILLAGE_CODE, _VILLAGE_FONDS, "2012 年山林文书")
        await self._node(STORY_VILLAGE_CODE, "transfer", "send", number, "--despite-faults")
        await self._checked(number)
        accepting = ("--unit", "安吉县档案馆", "--handler", self._name("handler"), "--waive", _WAIVED)
        await self._hub("transfer", "accept", number, *accepting)
        signer = self._name("giver")
        await until(lambda: self._node(STORY_VILLAGE_CODE, "transfer", "sign", number, "--signer", signer), PATIENCE_S)
        other = self._name("receiver")
        await until(lambda: self._hub("transfer", "sign", number, "--signer", other), PATIENCE_S)

    async def _begun(self, site: str, fonds: str, title: str) -> str:
        words = ("transfer", "new", "--fonds", fonds, "--title", title, "--handler", self._name(f"{fonds} handler"))

        async def look() -> str | None:
            begun = await self._node(site, *words)
            return str(begun["transfer_id"])

        return await until(look, PATIENCE_S)

    async def _checked(self, number: str) -> None:
        async def look() -> bool | None:
            view = (await self._hub("transfer", "show", number))["view"]
            is_checked = view["transfer"].get("state") == "checking" and view["rounds"][-1]["standing"]
            return True if is_checked else None

        await until(look, PATIENCE_S)

    # The window

    async def _lookup(self) -> None:
        """Have a mediator ask for the agreement, order a copy of it and get it, printed on numbered paper."""
        await self._alike()
        address = await self._submitted(_mediator(self._chance("mediator")), "里坑 外宅 山林界址 调解协议书", "皈山场")
        entries = await self._clerk.finds(address, _ENTRY, PATIENCE_S)
        entry = next((one for one in entries if one.startswith(STORY_TOWN_CODE)), entries[0])
        await self._clerk.send(f"{address}/review", {"entry": entries, "relation": "case"}, shown_at=address)
        order = {"entry": entry, "copy": self._id("copy"), "product": "certified_copy"}
        blank = dict.fromkeys(("pages", "facts", "replaces"), "")
        site, _, record = entry.partition(" ")
        form = f"{address}/copy?entry={site}%20{record}"
        await self._clerk.send(f"{address}/copy", order | blank, shown_at=form)
        await self._approved(site)
        (serial, *_) = await self._clerk.finds(address, _SERIAL, PATIENCE_S)
        paper = {"first": "A000001", "last": "A000050"}
        await self._clerk.send(f"{address}/paper", paper, shown_at=address)
        printed = {"serial": serial, "sheet": "A000001", "printer": "窗口打印机"}
        await self._clerk.send(f"{address}/print", printed, shown_at=address)

    async def _submitted(self, who: dict[str, str | list[str]], text: str, place: str) -> str:
        path = f"/window/new/{self._id(text)}"
        await self._clerk.send(path, {**who, "go": "next"})
        question = {"q-count": "1", "q-text-1": text, "q-place-1": place, "go": "submit"}
        return (await self._clerk.send(f"{path}/question", question)).partition("?")[0]

    async def _approved(self, site: str) -> None:
        """Have the keeper of the paper allow the copy."""

        async def waiting() -> str | None:
            found = await self._node(site, "requests")
            return str(found[0]["asked"]["copy_id"]) if found else None

        await self._node(site, "requests", "approve", await until(waiting, PATIENCE_S), "--despite-remarks")

    # The rest

    async def _proposed(self) -> None:
        """Propose to the township that one character of a contract be written as it is today."""
        hits = (await self._hub("search", STORY_QUERY))["hits"]
        one = next(hit for hit in hits if hit["site"] == STORY_TOWN_CODE)
        path = f"/catalogue/{one['site']}/{one['record_id']}"
        wished = {"title": str(one["title"]).replace("分水嶺", "分水岭"), "reason": "原件照片上写作“分水岭”，请核对"}
        await self._clerk.send(f"{path}/propose", wished, shown_at=path)

    async def _held(self) -> None:
        """Let a catalogue vanish from a village's folder, and see that nothing goes with it."""
        site = self._emptied.code
        folder = home_at(self._foundation.nodes / site).catalogues
        files = [one for one in folder.iterdir() if one.suffix in {".xlsx", ".csv", ".txt"} and one.name[0] != "~"]
        # The largest: a few rows that vanish are an ordinary change.
        await asyncio.to_thread(max(files, key=lambda one: (one.stat().st_size, one.name)).unlink)

        async def look() -> bool | None:
            return True if await self._node(site, "brake") else None

        await until(look, ALL_S)

    async def _cut_off(self) -> None:
        """Cut a village's power, and have somebody ask for what it keeps."""
        silent = self._foundation.outpost
        await self._stage.cut_power()
        if silent is not None:
            await self._submitted(_villager(self._chance("villager")), "宅基地使用证", silent.name)

    @property
    def _emptied(self) -> Place:
        """The site from whose folder a catalogue vanishes: the last village but for the silent one and the story's."""
        apart = {STORY_VILLAGE_CODE, self._foundation.outpost.code if self._foundation.outpost else ""}
        open_to_it = [one for code, one in self._places.items() if code not in apart and code != COUNTY_CODE]
        villages = [one for one in open_to_it if one.site.rank is SiteRank.VILLAGE]
        return (villages or open_to_it)[-1]

    def _held_words(self) -> Text:
        name = self._emptied.archive_name
        return Text(
            zh=f"站点 → {name}：一个目录文件不见了，条目先保留，等人放行或驳回",
            en=f"Sites → {name}: a catalogue vanished; its entries stay until somebody releases or rejects that",
        )

    def _chance(self, of: str) -> Random:
        # One for each: what happens side by side must not depend on which comes first.
        return Random(f"{self._seed}/{of}")

    def _name(self, of: str) -> str:
        return invented_name(self._chance(of))

    def _id(self, of: str) -> str:
        return str(UUID(int=self._chance(of).getrandbits(128), version=4))

    async def _node(self, site: str, *words: str) -> Any:  # noqa: ANN401 - what a command prints
        return await self._terminal.told("node", self._foundation.nodes / site, *words)

    async def _hub(self, *words: str) -> Any:  # noqa: ANN401 - what a command prints
        return await self._terminal.told("hub", self._foundation.hub.root, *words)


def _mediator(chance: Random) -> dict[str, str | list[str]]:
    return {
        "requester": "mediation",
        "name": invented_name(chance),
        "document": "resident",
        "number": identity_number(chance),
        "organ": "孝源街道人民调解委员会",
        "case_ref": "（2026）孝调字第8号",
        "paper": ["work_card", "unit_letter"],
        "purpose": "mediation",
        "use": ["view", "copy", "certified"],
        "seen": "yes",
    }


def _villager(chance: Random) -> dict[str, str | list[str]]:
    return {
        "requester": "person",
        "name": invented_name(chance),
        "document": "resident",
        "number": identity_number(chance),
        "purpose": "housing",
        "use": ["view"],
        "seen": "yes",
    }


def _silent_words(silent: Place) -> Text:
    return Text(
        zh=f"站点 → {silent.archive_name}：断电失联，先列为超时，75 秒后离线，约 2 分钟后告警；一份申请在等它答复\n"
        f"     （来电：输入 start {silent.code}）",
        en=f"Sites → {silent.archive_name}: its power failed: late, offline after 75 s, an alarm after 2 minutes;\n"
        f"     a request waits for its answer (power is back: type start {silent.code})",
    )


_ALIKE = Text(
    zh="待决定 → 疑似重复：镇、村各存一份的调解协议书，是一件还是两件，由人判定",
    en="Decisions → Alike records: an agreement that both township and village filed: one paper or two?",
)
_SENT = Text(
    zh="移交：孝源街道提交的一批正在接收，检测出缺页和漏填，可逐件退回或接收",
    en="Transfers: one of 孝源街道 is being received; a page and a word are missing: return or accept item by item",
)
_SIGNED = Text(
    zh="移交：皈山场村的一批已由双方签署，保管权已转到县档案馆",
    en="Transfers: one of 皈山场村 is signed by both; the county archive has custody now",
)
_LOOKUP = Text(
    zh="查档窗口：调解员的申请已查到、审批、出具盖章复制件（可打印、核验、撤销）",
    en="Window: a mediator's request with its answers, the holder's approval and a certified copy on numbered paper",
)
_PROPOSED = Text(
    zh="待决定 → 修改建议：请孝源街道核对 1986 年合同的一个字，等它答复",
    en="Decisions → Proposals: one character of the contract of 1986, waiting for the township's word",
)
