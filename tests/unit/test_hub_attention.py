"""What needs a person, in order; and a site's state in plain words."""

import pytest

from hub.alarm.alarms import Alarm, AlarmKind, Cause
from hub.alarm.attention import Matter, needs
from hub.alarm.health import Counted, HubReport
from hub.alarm.stalls import BrokerSigns
from hub.sites.board import SiteState, Word
from hub.sites.outlook import AlikePairs, Outlook
from hub.sites.plain_words import Tone, duration, explained, tone_of
from hub.transfers.waiting import WaitingTransfers
from protocol.wording import Text

NOW_MS = 1_790_000_000_000
VILLAGE, OTHER = "330523108204", "330523108205"
WELL = Counted(
    report=HubReport(broker=BrokerSigns(is_connected=True), disk_free_bytes=100 * 1024**3), reported_at_ms=NOW_MS
)


def alarm(kind: AlarmKind, *, by: str = "", cleared: bool = False) -> Alarm:
    return Alarm(
        id=7,
        site=VILLAGE,
        kind=kind,
        cause=Cause.POWER_OR_LINK,
        evidence=(Text(zh="依据", en="fact"),),
        opened_at_ms=NOW_MS - 60_000,
        counted_from_ms=NOW_MS - 60_000,
        held_at_ms=NOW_MS,
        cleared_at_ms=NOW_MS if cleared else None,
        acknowledged_at_ms=NOW_MS if by else None,
        acknowledged_by=by,
    )


def outlook(
    *alarms: Alarm,
    sites: tuple[SiteState, ...] = (),
    counted: Counted = WELL,
    conflicts: int = 0,
    transfers: WaitingTransfers | None = None,
    alike: AlikePairs | None = None,
) -> Outlook:
    held = {VILLAGE: conflicts} if conflicts else {}
    handed = {VILLAGE: transfers} if transfers else {}
    return Outlook(
        at_ms=NOW_MS, sites=sites, alarms=alarms, conflicts=held, counted=counted, transfers=handed, alike=alike
    )


def site(word: Word = Word.IN_SYNC, **more: int) -> SiteState:
    return SiteState(site=VILLAGE, name="上石村", word=word, **more)  # type: ignore[arg-type]


def test_a_county_in_order_needs_nobody() -> None:
    assert needs(outlook(sites=(site(), site(Word.OFFLINE), site(Word.NOT_COMPARED)))) == []


def test_needs_stand_in_the_order_of_urgency() -> None:
    found = needs(
        outlook(
            alarm(AlarmKind.DISK_LOW),
            alarm(AlarmKind.SILENT),
            sites=(site(Word.HELD, brakes_held=1, quarantined=3, rejected=2), site(Word.FORKED)),
            counted=Counted(report=None, reported_at_ms=0),
            conflicts=2,
            transfers=WaitingTransfers(to_decide=1, since_ms=NOW_MS),
            alike=AlikePairs(pairs=3, looked_at=100, is_all=True),
        )
    )

    assert list(dict.fromkeys(need.matter for need in found)) == list(Matter)


def test_transfers_that_wait_for_the_archive_are_told_by_site() -> None:
    some = WaitingTransfers(to_decide=2, to_sign=1, since_ms=NOW_MS - 60_000)
    (need,) = needs(outlook(sites=(site(),), transfers=some))

    assert (need.matter, need.site, need.name, need.since_ms) == (Matter.TRANSFER, VILLAGE, "上石村", NOW_MS - 60_000)
    assert need.what == Text(
        zh="2 批移交已检测，等待审定；1 批已由移交方签字，等待本馆签署",
        en="transfers: 2 checked, to be decided; 1 signed by the giver, to be signed here",
    )


def test_alike_records_are_told_with_as_much_as_is_known() -> None:
    """They are found, not stored: a look among the newest may not have seen all of them."""
    (whole,) = needs(outlook(alike=AlikePairs(pairs=3, looked_at=900, is_all=True)))
    (some,) = needs(outlook(alike=AlikePairs(pairs=50, looked_at=2_400, is_all=False)))

    assert (whole.matter, whole.what.zh) == (Matter.DUPLICATE, "3 对条目疑似重复，等待认定")
    assert some.what.zh == "至少 50 对条目疑似重复，等待认定（最新 2400 条中）"
    assert needs(outlook(alike=AlikePairs(pairs=0, looked_at=900, is_all=True))) == []


def test_rejected_rows_are_one_need_that_leads_to_where_there_are_most() -> None:
    few = SiteState(site=OTHER, name="下石村", word=Word.IN_SYNC, rejected=3)
    (need,) = needs(outlook(sites=(few, site(rejected=40))))

    assert (need.matter, need.site) == (Matter.REJECTED, VILLAGE)
    assert need.what == Text(
        zh="40 行未能收录；全县 2 个站点共 43 行", en="40 rows were not taken; 43 in all, at 2 sites"
    )


def test_what_somebody_looks_after_comes_behind_what_nobody_does() -> None:
    found = needs(outlook(alarm(AlarmKind.SILENT, by="林敏"), alarm(AlarmKind.SILENT)))

    assert [need.attended_by for need in found] == ["", "林敏"]


def test_what_is_over_needs_nobody() -> None:
    assert needs(outlook(alarm(AlarmKind.SILENT, cleared=True))) == []


@pytest.mark.parametrize("word", list(Word))
def test_every_state_has_a_sentence_and_a_tone(word: Word) -> None:
    told = explained(SiteState(site=VILLAGE, word=word, seen_at_ms=NOW_MS - 7_200_000, lag=3), NOW_MS)

    assert (len(told.zh) > 8, len(told.en) > 20, tone_of(site(word)) in Tone) == (True, True, True)


def test_silence_alone_is_not_bad_but_its_alarm_is() -> None:
    away = site(Word.OFFLINE)

    assert [
        tone_of(away),
        tone_of(away, [alarm(AlarmKind.SILENT)]),
        tone_of(away, [alarm(AlarmKind.SILENT, by="林敏")]),
    ] == [
        Tone.AWAY,
        Tone.BAD,
        Tone.WATCH,
    ]


@pytest.mark.parametrize(
    ("seconds", "zh"), [(5, "不到 1 分钟"), (60, "1 分钟"), (7_199, "119 分钟"), (7_200, "2 小时"), (200_000, "2 天")]
)
def test_durations_are_said_as_people_say_them(seconds: float, zh: str) -> None:
    assert duration(seconds).zh == zh
