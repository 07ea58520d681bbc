"""What a site says of itself in its signs of life, beside how far it is: its promises and the state of its computer."""

from collections.abc import Iterator

import msgspec

from hub.sites.board import NodeState
from hub.sites.plain_words import duration
from protocol.rhythms import OfficeHours, Rhythm
from protocol.wording import Text

CLOCK_FAULT_S = 120
"""Seconds from which on a site's clock is said to be wrong."""

_rhythms = msgspec.json.Decoder(Rhythm)
_DAYS = Text(zh="一二三四五六日", en="Mo Tu We Th Fr Sa Su")
_NOTHING = Text(zh="未声明，按全县通常时间看待", en="not declared: the county's usual hours count")


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a site says of itself."""

    name: Text
    value: Text
    is_odd: bool = False
    """Somebody should look at it."""


def declared(node: NodeState, now_ms: int) -> list[Declared]:
    """Return what a site last said of itself."""
    return list(_declared(node, now_ms))


def _declared(node: NodeState, now_ms: int) -> Iterator[Declared]:
    rhythm = _rhythms.decode(node.rhythm) if node.rhythm else None
    yield Declared(name=Text(zh="程序版本", en="Software"), value=_same(node.software or "—"))
    if node.started_at_ms:
        ran = duration(max(0, now_ms - node.started_at_ms) / 1000)
        if not node.stopping:
            running = Text(zh=f"已运行 {ran.zh}", en=f"for {ran.en}")
            yield Declared(name=Text(zh="程序运行", en="Running"), value=running)
    yield Declared(name=Text(zh="在线时间", en="Hours on line"), value=_hours(rhythm))
    if rhythm is not None:
        every = Text(zh=f"每 {rhythm.heartbeat_s:g} 秒", en=f"every {rhythm.heartbeat_s:g} s")
        yield Declared(name=Text(zh="联系间隔", en="Signs of life"), value=every)
        yield Declared(name=Text(zh="时区", en="Time zone"), value=_same(rhythm.time_zone))
    if node.clock_offset_ms is not None:
        yield _clock(node.clock_offset_ms)
    if node.folders_unread:
        unread = Text(zh=f"{node.folders_unread} 个读不到", en=f"{node.folders_unread} cannot be read")
        yield Declared(name=Text(zh="监看文件夹", en="Watched folders"), value=unread, is_odd=True)
    if node.faults:
        yield Declared(
            name=Text(zh="线路故障", en="Faults of its link"), value=_same(node.faults.replace(",", ", ")), is_odd=True
        )


def _hours(rhythm: Rhythm | None) -> Text:
    if rhythm is None:
        return _NOTHING
    if not rhythm.hours:
        return Text(zh="全天", en="round the clock")
    return Text(
        zh="；".join(f"周{_days(one, 'zh')} {_span(one)}" for one in rhythm.hours),
        en="; ".join(f"{_days(one, 'en')} {_span(one)}" for one in rhythm.hours),
    )


def _days(hours: OfficeHours, language: str) -> str:
    names = list(_DAYS.zh) if language == "zh" else _DAYS.en.split()
    days = sorted(hours.days)
    first, last = names[days[0] - 1], names[days[-1] - 1]
    if len(days) == 1:
        return first
    if days[-1] - days[0] == len(days) - 1:
        return f"{first}至{last}" if language == "zh" else f"{first}-{last}"
    return ("、" if language == "zh" else ", ").join(names[day - 1] for day in days)


def _span(hours: OfficeHours) -> str:
    opens, closes = hours.opens, hours.closes
    return f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"


def _clock(offset_ms: int) -> Declared:
    name, seconds = Text(zh="时钟", en="Clock"), abs(offset_ms) // 1000
    if seconds < CLOCK_FAULT_S:
        return Declared(name=name, value=Text(zh="准确", en="right"))
    off = duration(seconds)
    ahead = offset_ms > 0
    value = Text(zh=f"{'快' if ahead else '慢'} {off.zh}", en=f"{off.en} {'ahead' if ahead else 'behind'}")
    return Declared(name=name, value=value, is_odd=True)


def _same(text: str) -> Text:
    return Text(zh=text, en=text)
