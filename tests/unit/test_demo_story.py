"""The story of the demonstration: what its guide promises of a refusal is what the parts do with its own catalogue."""

from pathlib import Path

import msgspec

from deploy.demo.county import STORY_TOWN_CODE, chosen_places
from deploy.demo.files import write_site
from deploy.demo.story import STORY_PERSON, STORY_POLICY
from deploy.demo.worker import set_story_policy
from hub import audit as county_audit
from node.config import load
from node.enrolment import settings_text
from node.home import home_at
from node.keeper import audit
from node.keeper.policy import policy_of
from protocol.enrolment import Admission
from protocol.lookup_cases import LookupCase
from protocol.lookups import SiteOutcome
from tests.window_county import CASE, County, county, order

ADMISSION = Admission(
    site=STORY_TOWN_CODE,
    site_name="孝源街道档案室",
    county="330523000000",
    county_name="某县档案馆",
    hub_key="U" + "A" * 55,
    county_key=b"k" * 32,
    broker_urls=("tls://127.0.0.1:4222",),
    broker_ca="PEM",
)
RESEARCH = msgspec.structs.replace(CASE, purpose="research", requester="person")
MARRIAGE = msgspec.structs.replace(CASE, purpose="marriage", requester="person")


async def asked(here: County, number: int, case: LookupCase) -> tuple[SiteOutcome, int | None, int]:
    """Ask as the guide says; return what the township said, how many records it found, and how many it withheld."""
    question = order(number, f"结婚登记 {STORY_PERSON}", case=case)
    await here.ask(question)
    (site,) = [one for one in (await here.view(question.lookup_id)).sites if one.site == STORY_TOWN_CODE]
    return site.outcome, site.total, site.withheld


async def test_the_holder_itself_refuses_and_both_ends_write_it_down(tmp_path: Path) -> None:
    """Example 4 of the guide: closed to research by the township's own rule, and his own under example 1."""
    home = home_at(tmp_path / "home")
    home.root.mkdir()
    home.settings.write_text(settings_text(ADMISSION, None), encoding="utf-8")
    for _ in range(2):
        set_story_policy(home)
    policy = policy_of(load(home.settings).policy)
    place, position = next((place, at) for at, place in enumerate(chosen_places(5)) if place.code == STORY_TOWN_CODE)
    async with county(tmp_path) as (here, stack):
        end = await here.add(stack, STORY_TOWN_CODE, "孝源街道档案室", ())
        write_site(end.node.folder, place, position, rows=20, seed=1)
        await end.node.settle()
        await here.carry(end)
        await end.stop()
        end.policy = policy
        await end.start()
        refused = await asked(here, 1, RESEARCH)
        told = await asked(here, 2, MARRIAGE)
        lines = await end.lines()
        at_county = await here.database.read(lambda connection: county_audit.listed(connection, limit=20))

    assert home.settings.read_text(encoding="utf-8").count(STORY_POLICY) == 1
    assert (refused, told) == ((SiteOutcome.REFUSED, 1, 1), (SiteOutcome.ANSWERED, 1, 0))
    assert [(line.outcome, audit.detail_of(line).total, audit.detail_of(line).withheld) for line in lines] == [
        ("refused", 1, 1),
        ("done", 1, 0),
    ]
    assert [one.outcome for one in at_county if one.action == "lookup_answered"].count("refused") == 1
