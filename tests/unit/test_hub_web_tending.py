"""What is done about one site from its page, and enrolling one, over real HTTP and a real store."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from hub import audit
from hub.membership import codes, keyring
from hub.membership.codes import OpenCode
from hub.membership.joining import Joining, Standing, Step
from hub.membership.keyring import EnrolledNode
from hub.membership.keyring_tables import enrolled_node, enrolment_code
from hub.sites.board import SiteState, Word, record_beats
from hub.staff.roles import Role
from hub.web.reach import DoorSigns, Reach
from protocol.beats import Beat, Want
from protocol.enrolment import FINGERPRINT_BYTES, parse_code, secret_digest
from protocol.records import Record
from protocol.sites import parse_site
from replication.asking import Asker
from replication.tables import watermark
from replication.watermarks import marks_of
from tests.answering_sites import AnsweringSite, answering
from tests.consoles import Browser, Desk, browsing, desk, fill_county, words_in
from tests.decisions import HELD, SITE, fill_queues
from tests.fakes import FakeBroker

NEW_SITE = "330599003203"
"""Expected, and not enrolled."""
DOOR = DoorSigns(
    fingerprint=b"f" * FINGERPRINT_BYTES,
    courier_fingerprint=b"c" * FINGERPRINT_BYTES,
    address="10.20.0.5:4223",
    code_days=30,
)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, fill=fill_county, reach=Reach(door=DOOR)) as made:
        yield made


@asynccontextmanager
async def signed_in(here: Desk, role: Role) -> AsyncIterator[Browser]:
    browser = await here.signed_in(role)
    async with browsing(browser):
        yield browser


async def told(here: Desk) -> list[tuple[str, str, str]]:
    found = await here.database.read(lambda connection: audit.listed(connection, limit=100))
    return [(one.action, one.object, one.detail) for one in reversed(found) if one.action != "sign_in"]


async def want_of(here: Desk, site: str) -> Want:
    return (await here.database.read(lambda connection: marks_of(connection, [site])))[site].want


async def keys_of(here: Desk, site: str) -> list[str]:
    found = await here.database.read(lambda connection: keyring.nodes(connection, site=parse_site(site)))
    return [one.public_key for one in found]


# Compare, baseline, revoke


@pytest.mark.parametrize(("records", "words"), [([HELD], "两端不一致"), (None, "两端一致")])
async def test_a_comparison_is_made_at_once_and_its_outcome_said(
    tmp_path: Path, records: list[Record] | None, words: str
) -> None:
    def fill(connection: Connection, now_ms: int) -> None:
        fill_queues(connection, now_ms) if records else fill_county(connection, now_ms)

    bus, here_at = FakeBroker().bus(), 4000 + 37 * 4
    site = AnsweringSite(parse_site(SITE), (), epoch="e1", seq=here_at)
    async with (
        answering(bus, [site]),
        Asker(bus, "console").opened() as asker,
        desk(tmp_path, fill=fill, reach=Reach(asker=asker)) as here,
        signed_in(here, Role.ARCHIVIST) as keeper,
    ):
        answer = await keeper.post(f"/sites/{SITE}/verify", {}, shown_at=f"/sites/{SITE}")

    assert words in words_in(answer.text)


async def test_a_site_that_cannot_be_asked_is_said_to_be_so(here: Desk) -> None:
    async with signed_in(here, Role.ARCHIVIST) as keeper:
        answer = await keeper.post(f"/sites/{SITE}/verify", {}, shown_at=f"/sites/{SITE}")

    assert (answer.status_code, "连接中断" in answer.text) == (200, True)
    assert ("verify_asked", SITE, "") in await told(here)


async def test_a_baseline_is_asked_for_once(here: Desk) -> None:
    async with signed_in(here, Role.ARCHIVIST) as keeper:
        first = await keeper.post(f"/sites/{SITE}/baseline", {}, shown_at=f"/sites/{SITE}")
        again = await keeper.post(f"/sites/{SITE}/baseline", {}, shown_at=f"/sites/{SITE}")
        page = words_in((await keeper.get(first.headers["location"])).text)
        nothing = await keeper.post(f"/sites/{NEW_SITE}/baseline", {}, shown_at=f"/sites/{SITE}")

    assert (first.headers["location"], again.headers["location"]) == (
        f"/sites/{SITE}?done=baseline",
        f"/sites/{SITE}?done=as_before",
    )
    assert ("已要求，等待该站执行" in page, nothing.status_code) == (True, 400)
    assert await want_of(here, SITE) is Want.BASELINE
    assert [action for action, _, _ in await told(here)].count("baseline_asked") == 1


async def test_a_key_is_revoked_with_its_reason_and_only_at_its_own_site(here: Desk) -> None:
    (key,) = await keys_of(here, SITE)
    fields = {"key": key, "because": "电脑丢失"}
    async with signed_in(here, Role.ADMINISTRATOR) as keeper:
        silent = await keeper.post(f"/sites/{SITE}/revoke", {"key": key, "because": ""}, shown_at=f"/sites/{SITE}")
        elsewhere = await keeper.post("/sites/330599001204/revoke", fields, shown_at=f"/sites/{SITE}")
        kept = await keys_of(here, SITE)
        done = await keeper.post(f"/sites/{SITE}/revoke", fields, shown_at=f"/sites/{SITE}")
        again = await keeper.post(f"/sites/{SITE}/revoke", fields, shown_at=f"/sites/{SITE}")

    assert (silent.status_code, elsewhere.headers["location"], kept) == (
        400,
        "/sites/330599001204?done=as_before",
        [key],
    )
    assert (done.headers["location"], again.headers["location"]) == (
        f"/sites/{SITE}?done=revoked",
        f"/sites/{SITE}?done=as_before",
    )
    assert await keys_of(here, SITE) == []
    assert ("key_revoked", f"{SITE} {key}", "电脑丢失") in await told(here)


@pytest.mark.parametrize(
    ("role", "codes_of"),
    [
        (Role.CLERK, {"verify": 403, "baseline": 403, "revoke": 403, "enrolment": 403}),
        (Role.ARCHIVIST, {"verify": 200, "baseline": 303, "revoke": 403, "enrolment": 403}),
        (Role.REVIEWER, {"verify": 403, "baseline": 403, "revoke": 403, "enrolment": 403}),
        (Role.ADMINISTRATOR, {"verify": 200, "baseline": 303, "revoke": 400, "enrolment": 200}),
        (Role.AUDITOR, {"verify": 403, "baseline": 403, "revoke": 403, "enrolment": 403}),
    ],
)
async def test_each_role_orders_what_it_may(here: Desk, role: Role, codes_of: dict[str, int]) -> None:
    async with signed_in(here, role) as browser:
        found = {
            order: (await browser.post(f"/sites/{SITE}/{order}", {}, shown_at="/account")).status_code
            for order in ("verify", "baseline", "revoke")
        }
        found["enrolment"] = (await browser.get("/enrolment")).status_code
        shown = words_in((await browser.get(f"/sites/{SITE}")).text)

    assert found == codes_of
    assert ("立即核对" in shown, "停用此密钥" in shown) == (found["verify"] == 200, found["revoke"] == 400)


# Enrolment


def code_in(html: str) -> str:
    found = re.search(r'id="code">([^<]+)<', html)
    assert found is not None, html
    return found[1]


async def test_a_code_is_shown_once_and_is_the_one_that_lets_in(here: Desk) -> None:
    async with signed_in(here, Role.ADMINISTRATOR) as keeper:
        page = await keeper.post("/enrolment", {"site": NEW_SITE, "name": "南门社区"})
        later = await keeper.get(f"/enrolment?site={NEW_SITE}")
    code = parse_code(code_in(page.text))
    kept = await here.database.read(lambda connection: connection.execute(select(enrolment_code)).one())
    opened = await here.database.read(lambda connection: codes.open_codes(connection, here.clock()))

    assert ([one.site for one in opened], code_in(page.text) in later.text) == ([NEW_SITE], False)
    assert f"danglian-node init --hub 10.20.0.5:4223 --code {code_in(page.text)}" in words_in(page.text)
    assert ("code_issued", NEW_SITE, "") in await told(here)
    assert (kept.secret_digest, code.fingerprint) == (secret_digest(code.secret), DOOR.fingerprint)


async def test_a_site_with_a_pc_gets_a_code_only_to_replace_it(here: Desk) -> None:
    async with signed_in(here, Role.ADMINISTRATOR) as keeper:
        refused = await keeper.post("/enrolment", {"site": SITE})
        given = await keeper.post("/enrolment", {"site": SITE, "replaces": "yes"})
        voided = await keeper.post("/enrolment/void", {"site": SITE}, shown_at=f"/enrolment?site={SITE}")
        again = await keeper.post("/enrolment/void", {"site": SITE}, shown_at="/enrolment")

    assert (refused.status_code, given.status_code) == (400, 200)
    assert (voided.headers["location"], again.headers["location"]) == (
        f"/enrolment?site={SITE}&done=voided",
        f"/enrolment?site={SITE}&done=none",
    )
    assert await here.database.read(lambda connection: codes.open_codes(connection, here.clock())) == []


@pytest.mark.parametrize("named", ["", "x", "99", "<b>", "3305990032030000"])
async def test_no_code_is_issued_for_what_is_no_site(here: Desk, named: str) -> None:
    async with signed_in(here, Role.ADMINISTRATOR) as keeper:
        answer = await keeper.post("/enrolment", {"site": named, "name": named})
        voided = await keeper.post("/enrolment/void", {"site": named}, shown_at="/enrolment")

    assert (answer.status_code, voided.status_code) == (400, 404)


async def test_the_joining_is_followed_live(here: Desk) -> None:
    """The stream tells when the new PC is admitted, and when it is first heard."""
    async with signed_in(here, Role.ADMINISTRATOR) as keeper:
        await keeper.post("/enrolment", {"site": NEW_SITE, "name": "南门社区"})
        async with keeper.client.stream("GET", f"/stream/joining/{NEW_SITE}") as stream:
            events = (line async for line in stream.aiter_lines() if line.startswith("data:") and "joining" in line)
            seen = [await _next(events)]
            await here.database.write(lambda connection: _admit(connection, here.clock()))
            seen.append(await _next(events))
            await here.database.write(lambda connection: _beat(connection, here.clock()))
            seen.append(await _next(events))

    assert [len(re.findall(r'class=\\"done\\"', one)) for one in seen] == [1, 2, 3]


async def _next(events: AsyncIterator[str]) -> str:
    async with asyncio.timeout(15):
        return await anext(events)


def _admit(connection: Connection, now_ms: int) -> None:
    connection.execute(codes.unused_of(NEW_SITE))
    node = {"public_key": f"U{NEW_SITE:A<55}", "site": NEW_SITE, "name": "PC", "software": "1.0.0"}
    connection.execute(insert(enrolled_node).values(**node, enrolled_at_ms=now_ms))


def _beat(connection: Connection, now_ms: int) -> None:
    beat = Beat(site=NEW_SITE, node=f"U{NEW_SITE:A<55}", epoch="e1", seq=500, records=500, software="1.0.0")
    record_beats(connection, [beat], now_ms + 1)
    row = {"site": NEW_SITE, "epoch": "e1", "position": 100, "chain": "", "node": "", "want": "nothing"}
    connection.execute(insert(watermark).values(**row, moved_at_ms=now_ms))


# How far it has come

NODE = EnrolledNode(public_key="U", site=NEW_SITE, enrolled_at_ms=1_000)
CODE = OpenCode(site=NEW_SITE, site_name="", replaces=True, issued_at_ms=500, expires_at_ms=9_000)


def line(word: Word, seen_at_ms: int | None = 2_000, lag: int = 0) -> SiteState:
    return SiteState(site=NEW_SITE, word=word, seen_at_ms=seen_at_ms, lag=lag)


@pytest.mark.parametrize(
    ("joining", "now"),
    [
        (Joining(code=CODE), Step.ADMITTED),
        (Joining(code=CODE, node=NODE, line=line(Word.IN_SYNC)), Step.ADMITTED),
        (Joining(node=NODE, line=line(Word.NEVER_SEEN, None)), Step.HEARD),
        (Joining(node=NODE, line=line(Word.OFFLINE, 900)), Step.HEARD),
        (Joining(node=NODE, line=line(Word.BEHIND, lag=7)), Step.TOLD),
        (Joining(node=NODE, line=line(Word.NOT_COMPARED)), Step.PROVED),
        (Joining(node=NODE, line=line(Word.IN_SYNC)), None),
    ],
)
def test_a_joining_stands_at_one_step(joining: Joining, now: Step | None) -> None:
    """The old PC of a site that waits for a new one proves nothing about the new one."""
    steps = joining.steps()
    order = list(Step)

    assert [step for step, standing in steps.items() if standing is Standing.NOW] == ([] if now is None else [now])
    assert [steps[step] for step in order[: order.index(now) if now else 5]] == [Standing.DONE] * (
        order.index(now) if now else 5
    )
