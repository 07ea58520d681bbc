"""Transfers on the keeper's page: what village and township see, and what their buttons do."""

from pathlib import Path

import pytest

from protocol.errors import BadValue, DanglianError
from protocol.transfers import TransferState
from tests.keeper_pages import Keeper, furnished
from tests.unit.test_transfer_custody import TOWN, county, submitted
from tests.unit.test_transfer_thread import WAIVED


async def test_a_township_sees_what_came_with_its_scans_and_takes_it_over(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        village, township = map(Keeper, furnished(here, tmp_path))
        await submitted(here)
        waiting = (await township.sees())[0]
        await here.witnessed()
        await here.received()
        shown = await township.sees(str(here.number))
        scan = await township._room.answer([str(here.number), "items", shown["items"][0]["name"], "1"], None)

        decided = await township.presses(here.number, "accept", unit="某镇档案馆", handler="丁", waived=WAIVED)
        await here.post()
        papers = await village.sees(str(here.number))
        await village.presses(here.number, "sign", signer="甲")
        await here.post()
        signed = await township.presses(here.number, "sign", signer="丙")
        await here.post()
        now = await here.at_hub()

    assert (waiting["is_coming"], waiting["is_ours"], waiting["state_words"]["zh"]) == (True, False, "已提交")
    assert (shown["actions"], len(shown["items"])) == (["return", "hold", "accept"], 3)
    assert ({one["rule"] for one in shown["unproven"]}, scan.kind) == ({"virus_scan"}, "image/jpeg")
    assert (decided["state_words"]["zh"], decided["actions"]) == ("已通过，待签字", [])
    assert (papers["actions"], "某镇档案馆" in papers["papers"]) == (["sign"], True)
    assert (signed["state_words"]["zh"], now.state) == ("双方已签", TransferState.SIGNED)


async def test_a_village_reads_what_to_mend_and_sends_it_again(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        village, township = map(Keeper, furnished(here, tmp_path))
        await submitted(here)
        await here.witnessed()
        await here.received()
        first = (await township.sees(str(here.number)))["items"][0]
        await township.presses(here.number, "return", items=[first["ref_code"]], reason="第 1 页模糊，请重扫")
        await township.presses(here.number, "accept", waived=WAIVED)
        await here.post()
        line = (await village.sees())[0]
        told = await village.sees(str(here.number))
        sent = await village.presses(here.number, "send", despite_faults=True)
        await here.post()
        now = await here.at_hub()

    assert (line["is_ours"], line["other"]) == (True, TOWN)
    (item,) = told["items"]
    assert (item["ref_code"], item["reason"]["zh"]) == (first["ref_code"], "第 1 页模糊，请重扫")
    assert all("scans" in folder for folder in item["folders"])
    assert (told["actions"], sent["state_words"]["zh"]) == (["send"], "已提交")
    assert (now.state, now.round) == (TransferState.SUBMITTED, 2)


async def test_a_whole_package_goes_back_with_its_reason(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        village, township = map(Keeper, furnished(here, tmp_path))
        await submitted(here)
        await here.witnessed()
        await here.received()
        with pytest.raises(BadValue, match="needs its reason"):
            await township.presses(here.number, "return", items=[], reason=" ")
        await township.presses(here.number, "return", items=[], reason="全宗号写错")
        await here.post()
        told = await village.sees(str(here.number))

    assert (told["actions"], [one["zh"] for one in told["notices"]]) == (["send"], ["全宗号写错"])


async def test_a_button_that_is_not_ones_own_does_nothing(tmp_path: Path) -> None:
    async with county(tmp_path) as here:
        village, township = map(Keeper, furnished(here, tmp_path))
        await submitted(here)
        for keeper in (village, township):
            for button in ("accept", "sign", "send", "return", "nothing"):
                with pytest.raises(DanglianError):
                    await keeper.presses(here.number, button, signer="某人", reason="某事")
        now = await here.village.giver()
        with pytest.raises(DanglianError):
            await township.sees(str(here.number), "items", "../../../node.toml", "1")

    assert now.state is TransferState.SUBMITTED
