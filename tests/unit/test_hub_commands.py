"""The reporting commands of the hub, run as a person runs them, on a home whose daemon does not run."""

import asyncio
import datetime
import json
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import Connection

from hub import audit
from hub.__main__ import main
from hub.alarm import alarm_book
from hub.alarm.alarm_settings import AlarmSettings
from hub.alarm.alarms import AlarmKind, Cause, Finding
from hub.alarm.health import HubReport, keep_report
from hub.alarm.stalls import BrokerSigns
from hub.audit import Action
from hub.backup.backups import Drill, KeptBackup, Ledger, TargetLedger, write_ledger
from hub.commands import live
from hub.commands.actions import operator
from hub.commands.init import settings_text
from hub.commands.search import day
from hub.home import HubHome, home_at
from hub.membership import keyring
from hub.sites.board import record_beats
from hub.storage import store
from hub.transfers import accession
from hub.transfers.accession import DossierLine
from protocol.audit_chain import AuditLine
from protocol.beats import Beat
from protocol.codec import encode_event
from protocol.errors import BadSetting
from protocol.vocabularies import AccessStatus, Level
from protocol.wording import Text
from replication import connection, quarantine
from replication.acceptance import SpoiltEvent
from tests.catalogue import OTHER_VILLAGE, VILLAGE, access_changed, described, fictitious, record_id, withdrawn
from tests.hubs import Hub

Command = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts about the missing broker go nowhere: a logger keeps its first stream, and tests' streams end."""
    monkeypatch.setenv("DANGLIAN_LOG", "error")
    monkeypatch.setattr(connection, "log", structlog.get_logger())


@pytest.fixture
def home(tmp_path: Path, free_port: Callable[[], int], store_of_homes: str) -> HubHome:
    """A hub's home with a catalogue of three records at two sites."""
    arguments = ["init", "--home", str(tmp_path / "hub"), "--county", "330523000000", "--name", "某县档案馆"]
    ports = ["--port", str(free_port()), "--enrol-port", str(free_port())]
    assert main([*arguments, "--host", "127.0.0.1", "--listen", "127.0.0.1", *ports]) == 0
    made = home_at(tmp_path / "hub")
    asyncio.run(fill(made))
    return made


async def fill(home: HubHome) -> None:
    same = {"title": "防汛[通知]", "doc_no": "县政〔1997〕8号", "responsible_parties": ()}
    async with store.opened(home) as database:
        hub = Hub(database)
        await hub.tell(
            described(1, fictitious(1, **same)),
            described(2, fictitious(2, title="林地承包合同", ref_code="001-2-15")),
            described(3, fictitious(3)),
            withdrawn(4, record_id(3)),
            access_changed(5, fictitious(2, title="林地承包合同", ref_code="001-2-15"), AccessStatus.OPEN),
        )
        await hub.tell(described(1, fictitious(4, **same)), site=OTHER_VILLAGE)
        await database.write(expect)


def expect(connection: Connection) -> None:
    keyring.expect(connection, VILLAGE, "上石村", datetime.date(2026, 1, 1))
    keyring.expect(connection, OTHER_VILLAGE, "下溪村", datetime.date(2026, 1, 1))
    record_beats(connection, [Beat(site=VILLAGE.code, node="U", epoch="e1", seq=5, records=2)], 1000)


@pytest.fixture
def command(home: HubHome, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command on the home; returns its exit code and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main([*arguments, "--home", str(home.root)])
        return code, capsys.readouterr().out

    return run


def read(answer: tuple[int, str]) -> Any:  # noqa: ANN401 - whatever JSON the command printed
    return json.loads(answer[1])


def test_search_prints_hits_with_their_reasons_and_says_that_it_is_partial(command: Command) -> None:
    code, printed = command("search", "林地")

    assert code == 0
    assert "林地承包合同\t001-2-15\t上石村 330523108204\t开放\t题名\t副本" in printed
    assert "共 1 条；结果不完整：仅目录副本 2" in printed


def test_search_speaks_english_when_asked(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANGLIAN_LANG", "en")
    _, printed = command("search", "林地")

    assert "1 record; partial: index only 2" in printed
    assert not re.search(r"结果|目录副本", printed)


def test_search_gives_machines_the_whole_answer(command: Command) -> None:
    answer = read(command("search", "防汛", "--json"))

    assert (answer["total"], answer["exact"], answer["complete"]) == (2, True, False)
    assert {hit["title"] for hit in answer["hits"]} == {"防汛[通知]"}
    assert {site["site"]: (site["outcome"], site["index_total"]) for site in answer["sites"]} == {
        VILLAGE.code: ("index_only", 1),
        OTHER_VILLAGE.code: ("index_only", 1),
    }
    assert answer["hits"][0]["likeness"]["count"] == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--site", OTHER_VILLAGE.code), 1),
        (("--site", "330523108*"), 2),
        (("--fonds", "J001"), 2),
        (("--fonds", "J002"), 0),
        (("--kind", "marriage"), 0),
        (("--access", "unreviewed"), 2),
        (("--from", "1900", "--to", "2100-12"), 2),
        (("--from", "2100"), 0),
    ],
)
def test_search_narrows_by_its_options(command: Command, options: tuple[str, ...], expected: int) -> None:
    assert read(command("search", "防汛", *options, "--json"))["total"] == expected


def test_date_that_is_none_is_wrong_use(command: Command) -> None:
    assert command("search", "防汛", "--from", "三月")[0] == 2


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("1986", "1986-01-01", "1986-12-31"),
        ("1986-02", "1986-02-01", "1986-02-28"),
        ("2024/2", "2024-02-01", "2024-02-29"),
        ("1986.3.5", "1986-03-05", "1986-03-05"),
    ],
)
def test_dates_are_read_to_their_first_and_last_day(text: str, first: str, last: str) -> None:
    assert (str(day(text, end=False)), str(day(text, end=True))) == (first, last)


@pytest.mark.parametrize("text", ["x", "1986-13", "1986-02-30", "1-2-3-4", "0", "99999"])
def test_impossible_dates_are_refused(text: str) -> None:
    with pytest.raises(BadSetting):
        day(text, end=False)


def test_live_search_without_a_broker_answers_from_the_index(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon does not run: the copy answers, and the answer says why it is no more than that."""
    monkeypatch.setattr(live, "LINK_PATIENCE_S", 0.2)
    answer = read(command("search", "林地", "--live", "--json"))

    assert (answer["total"], answer["complete"]) == (1, False)
    assert {site["outcome"] for site in answer["sites"]} <= {"offline", "index_only"}


def test_sites_prints_one_word_for_each_site(command: Command) -> None:
    answer = read(command("sites", "--json"))

    assert {line["site"]: line["word"] for line in answer["sites"]} == {
        VILLAGE.code: "not_enrolled",
        OTHER_VILLAGE.code: "not_enrolled",
    }
    assert answer["counts"] == {"not_enrolled": 2}
    assert "330523108204\t上石村\t未登记" in command("sites")[1]


def test_record_tells_its_fields_with_their_origins_and_its_history(command: Command) -> None:
    view = read(command("record", str(record_id(2)), "--json"))
    (entry,) = view["entries"]

    assert entry["record"]["access_status"] == "open"
    assert entry["first"]["seq"] == 2
    assert entry["fields"] == {"access_status": {"epoch": "e1", "seq": 5, "at_ms": 5}}
    assert [step["what"] for step in entry["history"]] == ["access_status"]
    assert (entry["owner"], entry["custodian"], entry["releaser"]) == (VILLAGE.code,) * 3


def test_record_is_found_by_its_reference_code(command: Command) -> None:
    assert read(command("record", "001-2-15", "--json"))["record_id"] == str(record_id(2))


def test_record_shows_its_volume_and_the_volume_what_lies_in_it(command: Command, home: HubHome) -> None:
    volume = fictitious(5, title="山林承包卷", ref_code="001-2-16", level=Level.VOLUME)
    items = [fictitious(number, ref_code=f"001-2-16-{number}", parent_id=volume.record_id) for number in (6, 7)]

    async def tell() -> None:
        async with store.opened(home) as database:
            await Hub(database).tell(*(described(seq, one) for seq, one in enumerate([volume, *items], 6)))

    asyncio.run(tell())
    assert "所在案卷：001-2-16 山林承包卷" in command("record", str(items[0].record_id))[1]
    printed = command("record", str(volume.record_id))[1]
    assert "卷内 2 件" in printed
    assert printed.index("001-2-16-6") < printed.index("001-2-16-7")
    (entry,) = read(command("record", str(volume.record_id), "--json"))["entries"]
    assert (entry["contents"]["total"], entry["volume"]) == (2, None)


def test_withdrawn_record_says_why(command: Command) -> None:
    code, printed = command("record", str(record_id(3)))

    assert code == 0
    assert "已撤出目录：目录中已无此行" in printed


def test_unknown_record_is_a_problem(command: Command) -> None:
    assert command("record", str(record_id(99)))[0] == 1
    assert command("record", "没有这个档号")[0] == 1


def test_records_are_set_apart_and_brought_together(command: Command) -> None:
    one, other = str(record_id(1)), str(record_id(4))
    before = read(command("record", one, "--json"))["entries"][0]["alike"]

    assert [like["evidence"] for like in before] == [["title", "doc_no"]]
    assert command("record", one, "--apart", other, "--by", "甲")[0] == 0
    view = read(command("record", one, "--json"))
    assert (view["entries"][0]["alike"][0]["apart"], view["decisions"][0]["decided_by"]) == (True, "甲")
    assert "判定与" in command("record", one)[1]
    assert command("record", one, "--together", other, "--by", "乙")[0] == 0
    assert not read(command("record", one, "--json"))["entries"][0]["alike"][0]["apart"]


def test_verify_without_a_broker_proves_nothing(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LINK_PATIENCE_S", 0.2)
    code, printed = command("verify", "--json")

    assert code == 1
    assert json.loads(printed)["counts"] == {"equal": 0, "different": 0, "not_comparable": 2}


@pytest.mark.parametrize("name", ["sites", "verify"])
def test_home_that_never_ran_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (tmp_path / "hub.toml").write_text(
        settings_text("330523000000", "某县", [], "127.0.0.1", 4222, 4223), encoding="utf-8"
    )

    assert main([name, "--home", str(tmp_path)]) == 2
    assert "danglian-hub run" in capsys.readouterr().err


# Alarms, health, quarantine


async def go_wrong(home: HubHome) -> None:
    """A silent village whose alarm was told to it, and two things in quarantine."""
    findings = [
        Finding(site=VILLAGE.code, kind=AlarmKind.SILENT, cause=Cause.DISK, evidence=(Text(zh="剩 9 MB", en="9 MB"),))
    ]

    def step(connection: Connection) -> None:
        now_ms = time.time_ns() // 10**6
        alarm_book.turn(connection, findings, {}, AlarmSettings(), now_ms)
        for seq, content in (
            (7, b'{"kind":"of_tomorrow"}'),
            (8, encode_event(described(8, fictitious(8, title="补入")))),
        ):
            spoilt = SpoiltEvent(
                seq=seq,
                fault="unknown_kind",
                reason=Text(zh="未知", en="unknown"),
                hint=Text(zh="升级", en="upgrade"),
                content=content,
            )
            quarantine.set_aside(connection, VILLAGE.code, "e1", spoilt, now_ms)
        keep_report(
            connection, HubReport(broker=BrokerSigns(is_connected=True, pending=0), disk_free_bytes=10**12), now_ms
        )

    async with store.opened(home) as database:
        await database.write(step)


def test_alarms_are_listed_with_cause_and_who_was_told(home: HubHome, command: Command) -> None:
    asyncio.run(go_wrong(home))
    code, printed = command("alarms")
    found = read(command("alarms", "--json"))
    elsewhere = read(command("alarms", "list", "--site", "3305231099*", "--json"))

    assert code == 0
    assert "上石村\t失联\t失联前磁盘已满或将满：请清理磁盘后重新启动电脑。 [剩 9 MB]" in printed
    assert (found["open"], found["alarms"][0]["told"][0]["addressee"]) == (1, VILLAGE.code)
    assert elsewhere["alarms"] == []


def test_sites_shows_the_alarm_and_who_looks_after_it(home: HubHome, command: Command) -> None:
    asyncio.run(go_wrong(home))
    before = command("sites")[1]
    acknowledged = command("alarms", "ack", "1", "--note", "周一去看", "--by", "值班")
    after = command("sites")[1]

    assert "失联 #1" in before
    assert acknowledged == (0, f"告警 1（{VILLAGE.code} 失联）由 值班 处理。\n")
    assert "失联（值班 处理中）" in after
    assert "周一去看" in command("alarms")[1]


def test_an_alarm_must_be_named_to_be_acknowledged(
    home: HubHome, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(go_wrong(home))

    assert [command("alarms", "ack")[0], command("alarms", "ack", "99")[0]] == [2, 2]


def test_health_says_whether_the_hub_runs_by_its_exit_code(home: HubHome, command: Command) -> None:
    never, _ = command("health")
    asyncio.run(go_wrong(home))
    code, printed = command("health")
    found = read(command("health", "--json"))

    assert (never, code) == (1, 0)
    assert "总体：需留意" in printed
    assert {one["name"]: one["standing"] for one in found["checks"]}["alarms"] == "attention"


def test_sites_and_health_tell_of_backups_in_one_line_each(home: HubHome, command: Command) -> None:
    text = home.settings.read_text(encoding="utf-8")
    targets = "".join(
        f'[[backup.target]]\nname = "{name}"\nkind = "{kind}"\npath = "/{name}"\n'
        for name, kind in (("a", "online"), ("b", "online"), ("usb", "offline"), ("off", "off-site"))
    )
    few = command("sites")[1].splitlines()[-1]
    home.settings.write_text(f"{text}\n{targets}", encoding="utf-8")
    never = command("sites")[1].splitlines()[-1]
    now_ms = time.time_ns() // 10**6
    kept = KeptBackup(name="b1", made_at_ms=now_ms, verified_at_ms=now_ms)
    known = Ledger(targets=tuple(TargetLedger(name=one, backups=(kept,)) for one in ("a", "b", "usb", "off")))
    drill = Drill(backup="b1", at_ms=now_ms, took_s=1.0, succeeded=True)
    write_ledger(home.backups, known.with_drill(drill))
    whole = command("sites")[1].splitlines()[-1]
    (check,) = [one for one in read(command("health", "--json"))["checks"] if one["name"] == "backups"]

    assert few.startswith("备份：备份目标少于规定：在线 0/2，离线 0/1，异地 0/1。")
    assert never.startswith("备份：备份目标 a：还没有一份核验过的备份。")
    assert never.endswith("另有 4 项，见 danglian-hub backup list。")
    assert whole == "备份：各备份目标和恢复演练均在期限内"
    assert (check["standing"], read(command("sites", "--json"))["backups"]) == ("ok", [])


def test_quarantine_is_listed_with_remedy_and_tried_again(home: HubHome, command: Command) -> None:
    asyncio.run(go_wrong(home))
    listed = read(command("quarantine", "--json"))
    unnamed, _ = command("quarantine", "retry")
    code, printed = command("quarantine", "retry", "--all")

    assert [(one["seq"], one["remedy"]["zh"]) for one in listed["quarantined"]] == [(8, "升级"), (7, "升级")]
    assert (unnamed, code) == (2, 1)
    assert "已补入目录 1，已被后来的内容取代 0，仍留在隔离区 1" in printed
    assert read(command("quarantine", "--json"))["counts"] == {VILLAGE.code: 1}
    assert read(command("search", "补入", "--json"))["total"] == 1


# The audit log


def test_a_command_that_changes_something_leaves_the_line_that_the_page_leaves(home: HubHome, command: Command) -> None:
    asyncio.run(go_wrong(home))
    one, other = str(record_id(1)), str(record_id(2))
    done = [
        ("enrol", "330523108205", "--name", "某村"),
        ("revoke", "330523108205"),
        ("alarms", "ack", "1", "--note", "周一去看"),
        ("quarantine", "retry", "--all"),
        ("record", one, "--apart", other, "--by", "王馆长"),
        ("record", one, "--together", other),
        ("synonyms", "load"),
    ]
    codes = [command(*arguments)[0] for arguments in done]

    lines = asyncio.run(audit_lines(home))
    assert codes == [0, 0, 0, 1, 0, 0, 0]
    assert [(line.action, line.who) for line in lines] == [
        (action, operator().who)
        for action in (
            Action.CODE_ISSUED,
            Action.CODE_VOIDED,
            Action.ALARM_ATTENDED,
            Action.REDRIVEN,
            Action.TOLD_APART,
            Action.BROUGHT_TOGETHER,
            Action.TABLE_TAKEN,
        )
    ]


def test_a_table_that_is_refused_leaves_no_line(home: HubHome, command: Command, tmp_path: Path) -> None:
    table = tmp_path / "synonyms.csv"
    table.write_text("词\n\x00\n", encoding="utf-8")

    assert (command("synonyms", "load", str(table))[0], asyncio.run(audit_lines(home))) == (1, [])


async def audit_lines(home: HubHome) -> list[AuditLine]:
    async with store.opened(home) as database:
        found = await database.read(lambda connection: audit.listed(connection, limit=20))
    return found[::-1]


def test_the_fonds_dossier_tells_what_was_taken_over(command: Command, home: HubHome) -> None:
    lines = [
        DossierLine(
            site=VILLAGE.code,
            fonds_no=fonds_no,
            transfer_id=f"{number}",
            words=Text(zh=f"移交 {number} 件", en=f"items handed over: {number}"),
            entered_at_ms=number,
        )
        for number, fonds_no in enumerate(("Z001", "Z002"), 1)
    ]

    async def enter() -> None:
        async with store.opened(home) as database:
            for line in lines:
                await database.write(partial(accession._enter, line=line))

    asyncio.run(enter())

    assert [one["fonds_no"] for one in read(command("transfer", "dossier", VILLAGE.code, "--json"))] == ["Z001", "Z002"]
    code, said = command("transfer", "dossier", VILLAGE.code, "--fonds", "Z002")
    assert (code, "移交 2 件" in said, "移交 1 件" in said) == (0, True, False)
