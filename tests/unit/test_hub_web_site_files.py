"""A site's contact, its declared settings, its files and their quality, over real HTTP and a bus."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from hub.staff.roles import Role
from hub.web.reach import Reach
from protocol.calls import AskFiles, Body, FileLine, FileLines, FindingCount, Outcome, QuestionHead
from protocol.sites import parse_site
from replication.answering import Handler, answer_calls
from replication.asking import Asker
from tests.consoles import Browser, browsing, desk, words_in
from tests.fakes import FakeBroker
from tests.site_stories import FILES, SITE, fill_story

HOSTILE = "<script>alert(1)</script>{{7*7}}"


class Node:
    """A site that answers about its files until it is switched off."""

    def __init__(self, files: FileLines) -> None:
        self.files = files
        self.asked: list[int] = []

    async def answer(self, question: AskFiles) -> tuple[Outcome, Body | None]:
        self.asked.append(question.skip)
        return (Outcome.ANSWERED if self.files.total else Outcome.NOTHING), self.files


@contextlib.asynccontextmanager
async def reading(
    folder: Path, files: FileLines, role: Role = Role.CLERK, *, is_new: bool = True, language: str = "zh"
) -> AsyncIterator[tuple[Browser, "asyncio.Task[None]", Node]]:
    bus, node = FakeBroker().bus(), Node(files)
    handlers: Mapping[type[QuestionHead], Handler] = {AskFiles: node.answer} if is_new else {}
    site = asyncio.create_task(answer_calls(bus, parse_site(SITE), lambda: ("e1", 1), handlers))
    async with asyncio.timeout(30):
        while handlers and not bus.broker.subscriptions:
            await asyncio.sleep(0)
    try:
        async with (
            Asker(bus, "console").opened() as asker,
            desk(folder, fill=fill_story, reach=Reach(asker=asker)) as here,
        ):
            reader = await here.signed_in(role, language=language)
            async with browsing(reader):
                yield reader, site, node
    finally:
        site.cancel()


async def test_the_page_says_what_to_mend_first(tmp_path: Path) -> None:
    async with reading(tmp_path, FILES) as (reader, _, _node):
        page = words_in((await reader.get(f"/sites/{SITE}/files")).text)

    assert "由该站答复" in page
    assert page.index("文件有密码保护") < page.index("档号已被表格软件改成日期或数值") < page.index("缺少日期")
    assert ("31 行 · 未进入目录" in page, "92 %" in page, "共 3 个文件" in page) == (True, True, True)


async def test_the_last_answer_is_kept_for_when_the_site_is_away(tmp_path: Path) -> None:
    async with reading(tmp_path, FILES) as (reader, site, _):
        await reader.get(f"/sites/{SITE}/files")
        site.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await site
        page = words_in((await reader.get(f"/sites/{SITE}/files")).text)

    assert ("现在问不到该站" in page, "2015年文书档案目录" in page) == (True, True)


async def test_a_site_of_before_is_said_not_to_answer(tmp_path: Path) -> None:
    async with reading(tmp_path, FILES, is_new=False) as (reader, _, _node):
        page = words_in((await reader.get(f"/sites/{SITE}/files")).text)

    assert "此前也没有答复过" in page


async def test_more_files_are_asked_for_and_do_not_replace_what_is_kept(tmp_path: Path) -> None:
    async with reading(tmp_path, FileLines(lines=FILES.lines, total=7, accepted=10)) as (reader, _, node):
        first = (await reader.get(f"/sites/{SITE}/files")).text
        await reader.get(f"/sites/{SITE}/files?skip=3")

    assert f"/sites/{SITE}/files?skip=3" in first
    assert node.asked == [0, 3]


@pytest.mark.parametrize("skip", ["-1", "x", "9" * 40, "%00", "1.5"])
async def test_a_forged_place_is_the_beginning(tmp_path: Path, skip: str) -> None:
    async with reading(tmp_path, FILES) as (reader, _, node):
        answer = await reader.get(f"/sites/{SITE}/files?skip={skip}")

    assert (answer.status_code, node.asked) == (200, [0])


async def test_hostile_names_are_only_text(tmp_path: Path) -> None:
    lines = (FileLine(name=HOSTILE, state=HOSTILE, findings=(FindingCount(code=HOSTILE, rows=2),)),)
    files = FileLines(lines=lines, total=1, accepted=3, findings=(FindingCount(code=HOSTILE, rows=2),))
    async with reading(tmp_path, files) as (reader, _, _node):
        page = (await reader.get(f"/sites/{SITE}/files")).text

    assert ("<script>alert" in page, "&lt;script&gt;alert(1)" in page, "{{7*7}}" in page) == (False, True, True)


async def test_no_such_site_is_no_page(tmp_path: Path) -> None:
    async with reading(tmp_path, FILES) as (reader, _, _node):
        answer = await reader.get("/sites/nowhere/files")

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", ("周一至五 08:30-17:30", "快 11 分钟", "读不到")), ("en", ("Mo-Fr", "11 minutes ahead", "cannot be read"))],
)
async def test_a_site_tells_its_settings_and_its_story(tmp_path: Path, language: str, words: tuple[str, ...]) -> None:
    async with reading(tmp_path, FILES, language=language) as (reader, _, _node):
        html = (await reader.get(f"/sites/{SITE}")).text

    page = words_in(html)
    assert [word for word in words if word not in page] == []
    assert (html.count('class="contact-unwatched"') >= 1, html.count('<svg viewBox="0 0 1440 12"')) == (True, 14)
