"""What needs a person now, in order: the hub, silent sites, held changes, contradictions, alarms, … rejected rows.

Pure: an outlook in, a list out. What nobody needs to do anything about is not in it.
"""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from hub.alarm.alarms import CAUSES, KINDS, Alarm, AlarmKind
from hub.alarm.health import Standing, health_of
from hub.sites.board import STRANGER, SiteState, Word
from hub.sites.outlook import Outlook
from hub.transfers.waiting import WaitingTransfers
from protocol.wording import Count, Text


class Matter(StrEnum):
    """Kinds of what needs a person, the most urgent first."""

    HUB = "hub"
    SILENT = "silent"
    BRAKE = "brake"
    CONFLICT = "conflict"
    ALARM = "alarm"
    QUARANTINE = "quarantine"
    TRANSFER = "transfer"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


MATTERS = {
    Matter.HUB: Text(zh="枢纽", en="hub"),
    Matter.SILENT: Text(zh="失联", en="silent"),
    Matter.BRAKE: Text(zh="制动", en="held"),
    Matter.CONFLICT: Text(zh="冲突", en="conflict"),
    Matter.ALARM: Text(zh="告警", en="alarm"),
    Matter.QUARANTINE: Text(zh="隔离", en="quarantine"),
    Matter.TRANSFER: Text(zh="移交", en="transfer"),
    Matter.DUPLICATE: Text(zh="疑似重复", en="alike"),
    Matter.REJECTED: Text(zh="拒收", en="rejected"),
}


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person should look after."""

    matter: Matter
    site: str = ""
    name: str = ""
    what: Text
    advice: Text
    since_ms: int | None = None
    alarm_id: int | None = None
    attended_by: str = ""
    """Who looks after it already."""


def needs(outlook: Outlook) -> list[Need]:
    """Return what needs a person, the most urgent first; what somebody looks after comes behind what nobody does."""
    names = {one.site: one.name or STRANGER.zh for one in outlook.sites}
    found = [
        *_of_hub(outlook),
        *(_of_alarm(one, names.get(one.site, "")) for one in outlook.alarms if one.cleared_at_ms is None),
        *(need for one in outlook.sites for need in _of_site(one, outlook.conflicts.get(one.site, 0))),
        *(_of_transfers(site, names.get(site, ""), some) for site, some in outlook.transfers.items()),
        *_of_alike(outlook),
        *_of_rejected(outlook),
    ]
    order = list(Matter)
    return sorted(found, key=lambda need: (order.index(need.matter), bool(need.attended_by), need.since_ms or 0))


def _of_hub(outlook: Outlook) -> Iterator[Need]:
    for check in health_of(outlook.counted, outlook.at_ms).checks:
        # Alarms and quarantine have needs of their own.
        if check.standing is Standing.OK or check.name in ("alarms", "audit", "quarantine"):
            continue
        advice = Text(zh="详情：danglian-hub health", en="More: danglian-hub health")
        yield Need(matter=Matter.HUB, what=check.words, advice=advice)


def _of_alarm(one: Alarm, name: str) -> Need:
    is_silent = one.kind is AlarmKind.SILENT
    facts_zh, facts_en = "；".join(fact.zh for fact in one.evidence), "; ".join(fact.en for fact in one.evidence)
    what = KINDS[one.kind]
    return Need(
        matter=Matter.SILENT if is_silent else Matter.ALARM,
        site=one.site,
        name=name,
        what=Text(zh=f"{what.zh}：{facts_zh}", en=f"{what.en}: {facts_en}") if one.evidence else what,
        advice=CAUSES[one.cause],
        since_ms=one.opened_at_ms,
        alarm_id=one.id,
        attended_by=one.acknowledged_by if one.acknowledged_at_ms is not None else "",
    )


def _of_transfers(site: str, name: str, some: WaitingTransfers) -> Need:
    parts = [
        *(
            [Text(zh=f"{some.to_decide} 批移交已检测，等待审定", en=f"{some.to_decide} checked, to be decided")]
            * bool(some.to_decide)
        ),
        *(
            [
                Text(
                    zh=f"{some.to_sign} 批已由移交方签字，等待本馆签署",
                    en=f"{some.to_sign} signed by the giver, to be signed here",
                )
            ]
            * bool(some.to_sign)
        ),
    ]
    return Need(
        matter=Matter.TRANSFER,
        site=site,
        name=name,
        what=Text(zh="；".join(one.zh for one in parts), en="transfers: " + "; ".join(one.en for one in parts)),
        advice=Text(
            zh="请在“移交”中办理，或运行 danglian-hub transfer list。",
            en="See to it under Transfers, or with danglian-hub transfer list.",
        ),
        since_ms=some.since_ms,
    )


def _of_alike(outlook: Outlook) -> Iterator[Need]:
    """Say how many pairs wait; they are found among the newest entries, so there may be more."""
    found = outlook.alike
    if found is None or not found.pairs:
        return
    more = Text(zh="", en="") if found.is_all else Text(zh="至少 ", en="at least ")
    among = Text(zh="", en="") if found.is_all else Text(zh=f"（最新 {found.looked_at} 条中）", en=" among the newest")
    yield Need(
        matter=Matter.DUPLICATE,
        what=Text(
            zh=f"{more.zh}{found.pairs} 对条目疑似重复，等待认定{among.zh}",
            en=f"pairs of alike records to be judged: {more.en}{found.pairs}{among.en}",
        ),
        advice=Text(
            zh="认定为同一件或不是同一件；条目不会被合并，也不影响查档。",
            en="Say whether they are the same thing or not; nothing is merged, and lookups go on as they are.",
        ),
    )


def _of_rejected(outlook: Outlook) -> Iterator[Need]:
    """One need for all: nearly every site has some, and the county begins where there are most."""
    some = [one for one in outlook.sites if one.rejected]
    if not some:
        return
    rows, worst = sum(one.rejected for one in some), max(some, key=lambda one: one.rejected)
    yield Need(
        matter=Matter.REJECTED,
        site=worst.site,
        name=worst.name,
        what=Text(
            zh=f"{worst.rejected} 行未能收录；全县 {len(some)} 个站点共 {rows} 行",
            en=f"{Count(worst.rejected):row was|rows were} not taken; {rows} in all, at {Count(len(some)):site|sites}",
        ),
        advice=Text(
            zh="从最多的一站看起：站点页面列出原因和最有用的改法，改好后重新放入即可。",
            en="Begin here, where there are most: the site's page says why, and what would mend most of them.",
        ),
    )


def _brakes(held: int) -> tuple[Text, Text]:
    return (
        Text(zh=f"{held} 处大批变更等待决定", en=f"{Count(held):mass change waits|mass changes wait} for a decision"),
        Text(
            zh="请核实后在站点页面放行或退回，或由该站运行 danglian-node brake list。",
            en="Release or reject them from the site's page, or have the site run danglian-node brake list.",
        ),
    )


def _of_site(one: SiteState, conflicts: int) -> Iterator[Need]:
    def need(matter: Matter, what: Text, advice: Text) -> Need:
        return Need(matter=matter, site=one.site, name=one.name, what=what, advice=advice, since_ms=one.moved_at_ms)

    if one.brakes_held:
        yield need(Matter.BRAKE, *_brakes(one.brakes_held))
    if one.word is Word.FORKED:
        yield need(
            Matter.CONFLICT,
            Text(zh="两段历史互相矛盾", en="two histories contradict each other"),
            Text(
                zh="请核实该站是否复制过磁盘或恢复过旧备份；系统已要求其重新完整上报。",
                en="Ask whether a disk was copied or an old backup put back; it was asked to describe everything anew.",
            ),
        )
    if conflicts:
        yield need(
            Matter.CONFLICT,
            Text(
                zh=f"{conflicts} 条变更与已存内容互相矛盾",
                en=f"{Count(conflicts):change contradicts|changes contradict} what is held of this site",
            ),
            Text(
                zh="核对会自动修复；请在“待决定”中确认，反复出现请联系该站。",
                en="Comparison repairs it; settle it under Decisions. If it returns, call the site.",
            ),
        )
    if one.quarantined:
        yield need(
            Matter.QUARANTINE,
            Text(
                zh=f"{one.quarantined} 项无法并入，已隔离",
                en=f"{Count(one.quarantined):thing|things} could not be applied",
            ),
            Text(zh="请在“待决定”中重试或丢弃。", en="Try them again or drop them, under Decisions."),
        )
