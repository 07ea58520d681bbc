"""Disposing of personal data: what goes and what stays, what is never touched, and the table that says when."""

import asyncio
import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, insert, select

from hub import audit
from hub.__main__ import main
from hub.commands.init import make_home, settings_text
from hub.config import parse
from hub.home import HubHome, home_at
from hub.storage import store as hub_store
from hub.vocabulary.county_sheets import read_sheet
from hub.vocabulary.county_tables import BadTable
from hub.window import (
    amendments,
    cases,
    certificates,
    compiling,
    copies,
    desk,
    disposal,
    ledger,
    paper_disposal,
    serials,
)
from hub.window.amendments import Correction
from hub.window.applicants import Requester
from hub.window.copy_tables import certificate, copy_order, copy_step
from hub.window.disposal import CASE_RULE, Batch, Disposable
from hub.window.disposal_table import DisposalRules, disposal_rules_of, disposal_table
from hub.window.disposing import Disposer
from hub.window.lookup_tables import lookup, lookup_hit
from hub.window.requests import Purpose, Request
from hub.window.research import Line, Part, PartState, Plan
from hub.window.states import State, Step
from hub.window.tables import lookup_request, request_history
from protocol.copies import COPY_ASKED, CopyAsked, CopyWithdrawn, Product
from protocol.errors import BadFile, BadValue, Refused
from protocol.retention import PERMANENT
from replication import letters
from replication.database import Database
from replication.tables import letter_out
from tests.stores import Store
from tests.window import KEY, KINDS, LIN, MONDAY, NOW_MS, NUMBER, closed, draft, given, uuid

NAME = "甲某"
LATER = datetime.date(2040, 1, 2)
NONE_DUE = Batch(due=(), reached="")


@pytest.fixture
def rules(tmp_path: Path) -> DisposalRules:
    return disposal_table(home_at(tmp_path)).in_force()[1]


@pytest.fixture
async def database(store: Store) -> AsyncIterator[Database]:
    async with store.opened() as database:
        yield database


async def ended(database: Database, number: int = 1, **more: object) -> Request:
    """A request that its applicant withdrew, with reasons that name him."""
    asked = draft(number, **more)
    await database.write(lambda connection: desk.draft(connection, LIN, asked, KEY, NOW_MS))
    for step in (Step.SUBMIT, Step.WITHDRAW):
        await database.write(
            lambda connection, s=step: desk.take(  # type: ignore[misc]
                connection, LIN, uuid(number), s, NOW_MS, reason=f"{NAME} 不查了"
            )
        )
    return await database.read(lambda connection: ledger.present(connection, uuid(number)))


async def due(database: Database, rules: DisposalRules, today: datetime.date = LATER) -> list[Disposable]:
    return await database.read(
        lambda connection: disposal.every(lambda after: disposal.due(connection, rules, KINDS, today, after))
    )


async def disposed(database: Database, rules: DisposalRules) -> int:
    found = await due(database, rules)
    return await database.write(lambda connection: disposal.dispose(connection, LIN, found, NOW_MS + 5))


def everything(connection: Connection) -> str:
    """All that the store says of requests, in one text."""
    rows = [
        str(row)
        for table in (lookup_request, request_history, lookup, lookup_hit)
        for row in connection.execute(select(table))
    ]
    return "\n".join(rows)


async def test_names_numbers_words_and_reasons_go_and_what_is_counted_stays(
    database: Database, rules: DisposalRules
) -> None:
    known = await ended(database, applicant=given(phone="13900000000"))
    key = known.content.applicant.identity_key

    count = await disposed(database, rules)

    said = await database.read(everything)
    after = await database.read(lambda connection: ledger.present(connection, uuid(1)))
    assert (count, key != "") == (1, True)
    assert [one for one in (NAME, NUMBER, "0015", key, "13900000000", "结婚") if one in said] == []
    assert (after.number, after.content.purpose, after.content.applicant.requester, after.standing.state) == (
        known.number,
        Purpose.MARRIAGE,
        Requester.PERSON,
        State.WITHDRAWN,
    )
    assert [(line.step, line.at_ms) for line in after.history] == [(line.step, line.at_ms) for line in known.history]


async def test_what_amendments_said_goes_too(database: Database, rules: DisposalRules) -> None:
    await database.write(lambda connection: desk.draft(connection, LIN, draft(), KEY, NOW_MS))
    corrected = Correction(applicant=given(name="乙某"), purpose=Purpose.HOUSING)
    await database.write(lambda connection: desk.correct(connection, LIN, uuid(1), corrected, KEY, NOW_MS))
    await database.write(lambda connection: desk.take(connection, LIN, uuid(1), Step.WITHDRAW, NOW_MS, reason="不查"))

    await disposed(database, rules)

    assert await database.read(lambda connection: amendments.of_request(connection, uuid(1))) == {}


async def test_what_was_found_goes_with_the_question(database: Database, rules: DisposalRules) -> None:
    await ended(database)
    asked = {
        "lookup_id": "l1",
        "request_id": str(uuid(1)),
        "body": NAME.encode(),
        "digest": "",
        "query": NAME,
        "places": "[]",
        "asked_by": "lin.min",
        "asked_at_ms": 1,
        "live_until_ms": 1,
        "expires_at_ms": 1,
        "changed_at_ms": 1,
        "is_expired": 0,
        "widened_because": "",
    }
    hit = {"lookup_id": "l1", "site": "s", "record_id": "r", "is_live": 1, "is_late": 0, "seq": 1, "stage": ""}
    await database.write(lambda connection: connection.execute(insert(lookup).values(**asked)))
    await database.write(
        lambda connection: connection.execute(insert(lookup_hit).values(**hit, treatment="show", body=NAME.encode()))
    )

    await disposed(database, rules)

    assert NAME not in await database.read(everything)


async def test_what_was_compiled_goes_too_and_where_was_looked_stays(database: Database, rules: DisposalRules) -> None:
    plan = Plan(request_id=uuid(1), title=f"{NAME}等人名单", columns=("姓名",))
    part = Part(
        part_id=uuid(7),
        title=f"{NAME}一支",
        site="330523108204",
        assignee="lin.min",
        state=PartState.NOTHING,
        note=f"没有{NAME}",
    )

    def compile_list(connection: Connection) -> None:
        desk.draft(connection, LIN, draft(), KEY, NOW_MS)
        compiling.begin(connection, LIN, plan, NOW_MS)
        compiling.put_part(connection, LIN, uuid(1), part, NOW_MS)
        compiling.put_line(connection, LIN, uuid(1), Line(line_id=uuid(8), cells=(NAME,)), NOW_MS)
        for step in (Step.SUBMIT, Step.WITHDRAW):
            desk.take(connection, LIN, uuid(1), step, NOW_MS, reason="不查")

    await database.write(compile_list)
    await disposed(database, rules)
    left = await database.read(lambda connection: compiling.present(connection, uuid(1)))

    assert NAME not in str(left)
    assert [(one.site, one.state) for one in left.parts] == [("330523108204", PartState.NOTHING)]


async def test_nothing_goes_before_its_term(database: Database, rules: DisposalRules) -> None:
    """Three years from the one after it ended: to the last day of 2029."""
    await ended(database)

    assert [one.rule for one in await due(database, rules, datetime.date(2029, 12, 31))] == []
    assert [(one.rule, one.kept_until) for one in await due(database, rules, datetime.date(2030, 1, 1))] == [
        ("D03", datetime.date(2029, 12, 31))
    ]


async def test_the_first_row_that_fits_decides(database: Database, rules: DisposalRules) -> None:
    organ = given(Requester.MEDIATION, organ="某镇人民调解委员会")
    await ended(database, 1, applicant=organ, purpose=Purpose.MEDIATION, case_ref="某案")
    await ended(database, 2, purpose=Purpose.HISTORY)
    await ended(database, 3)

    found = {one.request_id: (one.rule, one.kept_until.year) for one in await due(database, rules)}

    assert found == {uuid(1): ("D02", 2031), uuid(2): ("D01", 2036), uuid(3): ("D03", 2029)}


async def test_nothing_goes_that_is_open(database: Database, rules: DisposalRules) -> None:
    await database.write(lambda connection: desk.draft(connection, LIN, draft(), KEY, NOW_MS))
    await database.write(lambda connection: desk.take(connection, LIN, uuid(1), Step.SUBMIT, NOW_MS))

    assert await due(database, rules) == []


async def test_nothing_goes_under_hold_until_it_is_released(database: Database, rules: DisposalRules) -> None:
    known = await ended(database)
    await database.write(lambda connection: disposal.hold(connection, LIN, known.number, "法院调取", NOW_MS))
    held = await due(database, rules)
    await database.write(lambda connection: disposal.release(connection, LIN, known.number, NOW_MS))

    assert (held, [one.number for one in await due(database, rules)]) == ([], [known.number])


@pytest.mark.parametrize(("number", "because"), [("CD2026-999999", "查"), ("CD2026-000001", " ")])
async def test_a_hold_names_a_request_and_a_reason(database: Database, number: str, because: str) -> None:
    await ended(database)

    with pytest.raises(BadValue):
        await database.write(lambda connection: disposal.hold(connection, LIN, number, because, NOW_MS))


async def test_a_number_may_be_typed_in_small_letters(database: Database) -> None:
    """Held a second time under another spelling, it ended in a fault of the store."""
    known = await ended(database)
    typed = known.number.lower()
    await database.write(lambda connection: disposal.hold(connection, LIN, typed, f"{NUMBER} 起诉", NOW_MS))

    with pytest.raises(BadValue, match="held already"):
        await database.write(lambda connection: disposal.hold(connection, LIN, typed, "法院", NOW_MS))
    held = await database.read(disposal.holds)
    assert [(one.number, one.because) for one in held] == [(known.number, "330523********0015 起诉")]


@pytest.mark.parametrize(
    ("kind", "rule"), [("neighbours", [(CASE_RULE, datetime.date(2036, 12, 31))]), ("forest_land", [])]
)
async def test_a_request_of_a_case_is_kept_as_long_as_its_file(
    database: Database, rules: DisposalRules, kind: str, rule: list[tuple[str, datetime.date]]
) -> None:
    """Ten years for neighbours; the papers of a hill are permanent, and so is who asked for them."""
    await ended(database)
    case = closed(7, kind=kind)
    await database.write(lambda connection: cases.record(connection, LIN, case, KINDS, NOW_MS))
    await database.write(lambda connection: cases.link(connection, LIN, uuid(1), case.case_id, NOW_MS))

    assert [(one.rule, one.kept_until) for one in await due(database, rules)] == rule


async def test_one_line_of_the_log_says_how_many_and_names_nobody(database: Database, rules: DisposalRules) -> None:
    await ended(database, 1)
    await ended(database, 2)
    await disposed(database, rules)
    again = await disposed(database, rules)
    lines = await database.read(lambda connection: audit.listed(connection, action="requests_disposed", limit=9))

    assert (again, [(line.object, NAME in line.detail, "D03: 2" in line.detail) for line in lines]) == (
        0,
        [("2 requests", False, True)],
    )


async def test_what_was_disposed_of_is_not_opened_again(database: Database, rules: DisposalRules) -> None:
    await ended(database)
    await disposed(database, rules)

    with pytest.raises(Refused):
        await database.write(
            lambda connection: desk.take(connection, LIN, uuid(1), Step.REOPEN, NOW_MS, reason="迟到的答复")
        )


async def test_the_night_disposes_once_and_the_day_after_again(database: Database, tmp_path: Path) -> None:
    await ended(database)
    now_ms = int(datetime.datetime(2031, 1, 1, 3, tzinfo=datetime.UTC).timestamp() * 1000)
    disposer = Disposer(database, home_at(tmp_path / "hub"), lambda: now_ms)

    assert [await disposer.look(), await disposer.look()] == [1, 0]


async def test_letters_whose_time_is_over_go_at_night(database: Database, tmp_path: Path) -> None:
    """A question that a site never fetched names a person."""

    def write(connection: Connection) -> None:
        for topic, expires_at_ms in ((uuid(60), NOW_MS), (uuid(61), NOW_MS + 1), (uuid(62), 0)):
            letters.write(
                connection,
                "330523108204",
                kind=COPY_ASKED,
                topic=topic,
                body=CopyWithdrawn(copy_id=topic, note=NAME),
                now_ms=NOW_MS - 1,
                expires_at_ms=expires_at_ms,
            )

    await database.write(write)
    await Disposer(database, home_at(tmp_path), lambda: NOW_MS).look()
    left = await database.read(lambda c: set(c.scalars(select(letter_out.c.topic))))

    assert left == {str(uuid(61)), str(uuid(62))}


async def test_requests_that_are_kept_for_ever_hide_none_that_are_due(
    database: Database, rules: DisposalRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest numbers are looked at first, and those that never go stay in front for ever."""
    monkeypatch.setattr(disposal, "BATCH_REQUESTS", 2)
    kept = msgspec.structs.replace(
        rules.rows[0],
        id="D00",
        requesters=frozenset(Requester),
        purposes=frozenset((Purpose.MARRIAGE,)),
        retention=PERMANENT,
    )
    for number in range(1, 8):
        await ended(database, number, purpose=Purpose.MARRIAGE if number < 5 else Purpose.HOUSING)

    found = await due(database, DisposalRules(rows=(kept, *rules.rows)))

    assert [one.request_id for one in found] == [uuid(5), uuid(6), uuid(7)]


async def test_without_a_table_that_can_be_read_nothing_goes(database: Database, tmp_path: Path) -> None:
    home = home_at(tmp_path / "hub")
    versions = home.words / "versions"
    versions.mkdir(parents=True)
    (versions / "disposal-0001.csv").write_text("编号,申请人\n", encoding="utf-8")
    await ended(database)
    now_ms = int(datetime.datetime(2031, 1, 1, 3, tzinfo=datetime.UTC).timestamp() * 1000)

    assert await Disposer(database, home, lambda: now_ms).look() == 0


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["D01,公民本人,任意,3年,"], "没有一行规定"),
        (["D01,任意,任意,很久,"], "年数"),
        (["D01,路人,任意,3年,", "D02,任意,任意,3年,"], "路人"),
        (["d1,任意,任意,3年,"], "编号"),
        (["D01,任意,任意,3年,", "D01,任意,任意,5年,"], "第 2 行相同"),
        ([], "1 至"),
    ],
)
def test_a_table_with_faults_is_refused_and_names_them(tmp_path: Path, lines: list[str], said: str) -> None:
    path = tmp_path / "disposal.csv"
    path.write_text("\n".join(["编号,申请人,目的,保留期限,依据", *lines]) + "\n", encoding="utf-8")

    with pytest.raises(BadTable) as refused:
        disposal_rules_of(read_sheet(path))

    assert said in refused.value.reason.zh


def test_the_shipped_table_says_something_of_everybody(rules: DisposalRules) -> None:
    said = [rules.of(who, why) for who in Requester for why in Purpose]

    assert None not in said


def test_the_command_lists_what_is_due_and_removes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.commands.disposal.clock_ms", lambda: NOW_MS + 20 * 365 * 86_400_000)
    home = _home(tmp_path / "hub")

    async def fill() -> None:
        async with hub_store.opened(home) as database:
            await ended(database)

    asyncio.run(fill())
    codes = [main(["disposal", *more, "--home", str(home.root)]) for more in (["run", "--dry-run"], ["run"], ["run"])]
    printed = capsys.readouterr().out

    assert codes == [0, 0, 0]
    told = ("个人信息到期 1 份，证明留底到期 0 份；没有清除", "已清除 1 份", "已清除 0 份")
    assert [one for one in told if one not in printed] == []
    assert MONDAY.isoformat() in printed


def _home(root: Path) -> HubHome:
    text = settings_text("330523000000", "某县档案馆", ["127.0.0.1"], "127.0.0.1", 4222, 4223)
    home = home_at(root)
    root.mkdir(parents=True)
    make_home(home, parse(text), text, datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC))
    return home


TOLD = "登记日期：1992年5月18日"
ISSUED = "330523-2026-000007-1"


async def certified(database: Database, home: HubHome) -> None:
    """An ended request whose certificate was issued, in the register and on the disk."""
    await ended(database)
    asked = CopyAsked(
        copy_id=uuid(50),
        request_id=uuid(1),
        record_id=uuid(51),
        holder="330523108204",
        holder_name="某村档案室",
        product=Product.STATEMENT,
        serial=ISSUED,
        purpose="婚姻",
        case_no="（2026）17号",
        requester="person",
        title=f"{NAME}结婚登记",
        facts=(TOLD,),
    )
    shared = {"request_id": str(uuid(1)), "copy_id": str(uuid(50)), "holder": asked.holder, "serial": ISSUED}
    line = {"kind": "statement", "state": "issued", "statement": "{}", "contents": TOLD, "pdf_sha256": "ab" * 32}
    order = {"record_id": str(uuid(51)), "keeper": asked.holder, "product": "statement", "state": "issued"}
    when = {"asked_by": "lin.min", "asked_at_ms": NOW_MS, "changed_at_ms": NOW_MS}
    step = {"copy_id": str(uuid(50)), "step": 1, "at_ms": NOW_MS, "state": "refused", "who": "lin.min", "note": NAME}

    def write(connection: Connection) -> None:
        connection.execute(insert(certificate).values(**shared, **line, taken_by="lin.min", taken_at_ms=NOW_MS))
        connection.execute(insert(copy_order).values(**shared, **order, **when, asked=msgspec.json.encode(asked)))
        connection.execute(insert(copy_step).values(**step))
        letters.write(connection, asked.holder, kind=COPY_ASKED, topic=asked.copy_id, body=asked, now_ms=NOW_MS)

    await database.write(write)
    home.certificates.mkdir(parents=True)
    (home.certificates / f"{ISSUED}.pdf").write_bytes(TOLD.encode())


async def test_papers_of_certificates_go_when_their_own_term_is_over_and_the_register_stays(
    database: Database, rules: DisposalRules, tmp_path: Path
) -> None:
    """The applicant's data go after three years, the papers after ten; whoever holds the certificate may verify it."""
    home = home_at(tmp_path)
    await certified(database, home)

    early = await database.read(lambda c: paper_disposal.due(c, rules, KINDS, datetime.date(2036, 12, 31)))
    found = await database.read(lambda c: paper_disposal.due(c, rules, KINDS, datetime.date(2037, 1, 1)))
    count = await database.write(lambda c: paper_disposal.dispose(c, LIN, home.certificates, found.due, NOW_MS))
    again = await database.read(lambda c: paper_disposal.due(c, rules, KINDS, LATER))
    kept = await database.read(lambda c: serials.found(c, ISSUED))
    order = await database.read(lambda c: copies.found(c, uuid(50)))
    steps = await database.fetch("SELECT note FROM copy_step WHERE copy_id = ? ORDER BY step", (str(uuid(50)),))
    told = await database.read(lambda c: c.execute(select(letter_out)).all())

    assert told == []
    assert (early, count, again) == (NONE_DUE, 1, NONE_DUE)
    assert [one.rule for one in found.due] == ["D03"]
    assert (kept.fate, kept.statement, kept.pdf_sha256, kept.contents) == (serials.Fate.ISSUED, "{}", "ab" * 32, "")
    assert (order.asked.title, order.asked.facts, order.asked.case_no, *steps[0]) == ("", (), "", "")
    assert list(home.certificates.iterdir()) == []
    with pytest.raises(BadFile, match="term was over"):
        certificates.pdf_of(home, kept)


async def test_papers_under_hold_stay(database: Database, rules: DisposalRules, tmp_path: Path) -> None:
    await certified(database, home_at(tmp_path))
    known = await database.read(lambda connection: ledger.present(connection, uuid(1)))
    await database.write(lambda connection: disposal.hold(connection, LIN, known.number, "法院调取", NOW_MS))

    assert await database.read(lambda c: paper_disposal.due(c, rules, KINDS, LATER)) == NONE_DUE


async def test_a_table_without_a_word_about_papers_keeps_them(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("编号,申请人,目的,保留期限,依据\nD01,任意,任意,3年,\n", encoding="utf-8")
    await certified(database, home_at(tmp_path))
    own = disposal_rules_of(read_sheet(path))

    assert await database.read(lambda c: paper_disposal.due(c, own, KINDS, LATER)) == NONE_DUE


def test_papers_are_kept_no_shorter_than_personal_data(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("编号,申请人,目的,保留期限,证明留底\nD01,任意,任意,5年,3年\n", encoding="utf-8")
    with pytest.raises(BadTable) as refused:
        disposal_rules_of(read_sheet(path))

    assert "短于" in refused.value.reason.zh
