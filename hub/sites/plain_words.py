"""A site's state in plain words: one sentence for a person who has never heard of positions and digests.

``tone_of`` says how it should look. Silence outside office hours is no fault, so a site that is away alarms only by
its alarm.
"""

from collections.abc import Sequence
from enum import StrEnum

from hub.alarm.alarms import CAUSES, Alarm
from hub.sites.board import SiteState, Word
from protocol.wording import Count, Text


class Tone(StrEnum):
    """How good or bad a state is, for colour and sign."""

    GOOD = "good"
    CALM = "calm"
    WATCH = "watch"
    BAD = "bad"
    AWAY = "away"


_TONES = {
    Word.NOT_ENROLLED: Tone.AWAY,
    Word.REBUILDING: Tone.WATCH,
    Word.NEVER_SEEN: Tone.AWAY,
    Word.OFFLINE: Tone.AWAY,
    Word.FORKED: Tone.BAD,
    Word.DIFFERS: Tone.BAD,
    Word.BEHIND: Tone.WATCH,
    Word.HELD: Tone.WATCH,
    Word.BY_COURIER: Tone.CALM,
    Word.NOT_COMPARED: Tone.CALM,
    Word.IN_SYNC: Tone.GOOD,
}


def tone_of(line: SiteState, alarms: Sequence[Alarm] = ()) -> Tone:
    """Return how a site's state should look; an alarm that nobody looks after is always bad."""
    if any(one.acknowledged_at_ms is None for one in alarms):
        return Tone.BAD
    return Tone.WATCH if alarms and _TONES[line.word] is not Tone.BAD else _TONES[line.word]


def explained(line: SiteState, now_ms: int) -> Text:
    """Return what a site's state means, as of when, and what comes of it."""
    if line.word is Word.OFFLINE:
        return _away(line, now_ms)
    if line.word is Word.BEHIND:
        return _behind(line)
    if line.word is Word.DIFFERS:
        return _differs(line)
    if line.word is Word.HELD:
        return Text(
            zh=f"有 {line.brakes_held} 处大批变更被制动，需到站点决定放行或退回；在此之前县级目录保持原样。",
            en=f"{Count(line.brakes_held):mass change is|mass changes are} held at the site until somebody releases or"
            " rejects them there;"
            " the catalogue stays as it is till then.",
        )
    return _EXPLAINED[line.word]


def duration(seconds: float) -> Text:
    """Return a length of time as people say it."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return Text(zh="不到 1 分钟", en="less than a minute")
    if minutes < 120:
        return Text(zh=f"{minutes} 分钟", en=f"{Count(minutes):minute|minutes}")
    if minutes < 48 * 60:
        return Text(zh=f"{minutes // 60} 小时", en=f"{Count(minutes // 60):hour|hours}")
    return Text(zh=f"{minutes // 1440} 天", en=f"{Count(minutes // 1440):day|days}")


def cause_of(alarms: Sequence[Alarm]) -> Text | None:
    """Return the guessed cause of the gravest alarm of a site, with what to do; None without an alarm."""
    return CAUSES[alarms[0].cause] if alarms else None


def _away(line: SiteState, now_ms: int) -> Text:
    silent = duration((now_ms - (line.seen_at_ms or now_ms)) / 1000)
    if line.stopping:
        return Text(
            zh=f"程序已正常关闭 {silent.zh}，多为下班关机；开机后自动继续。",
            en=f"Its program was closed in order {silent.en} ago, as after office hours; it goes on once started.",
        )
    return Text(
        zh=f"已 {silent.zh}没有声息。此站的目录以县级副本作答，并注明截至时间。",
        en=f"Nothing was heard for {silent.en}. The county's copy answers for it, and says as of when.",
    )


def _behind(line: SiteState) -> Text:
    return Text(
        zh=f"该站有 {line.lag} 条变更尚未并入县级目录，正在追平。",
        en=f"{Count(line.lag):change of this site is|changes of this site are} not in the county's catalogue yet;"
        f" {'it is on its' if line.lag == 1 else 'they are on their'} way.",
    )


def _differs(line: SiteState) -> Text:
    count = line.repair.differing if line.repair is not None else 0
    if not count and line.comparison is not None:
        count = line.comparison.differing
    if not count:
        return Text(
            zh="核对发现县级副本与该站不一致，正在自动修复。",
            en="The county's copy was found to differ from the site's records; it is being repaired.",
        )
    return Text(
        zh=f"核对发现 {count} 条与该站不一致，正在自动修复。",
        en=f"{Count(count):record was|records were} found to differ from the site's;"
        f" {'it is' if count == 1 else 'they are'} being repaired.",
    )


_EXPLAINED = {
    Word.NOT_ENROLLED: Text(
        zh="还没有程序代表该站：请发登记码并在该站安装。",
        en="No program speaks for this site yet: issue a code and install it there.",
    ),
    Word.REBUILDING: Text(
        zh="县级目录重建后正在重新取回该站条目，检索可能缺少其中一部分。",
        en="The catalogue was rebuilt and this site's records are being fetched again: searches may miss some.",
    ),
    Word.NEVER_SEEN: Text(zh="已登记，但程序从未上线。", en="Enrolled, but its program was never heard."),
    Word.FORKED: Text(
        zh="该站出现两段互相矛盾的历史，多因磁盘被复制或旧备份被恢复；已要求其重新完整上报。",
        en="Two histories of this site contradict each other, mostly because a disk was copied or a backup put back:"
        " it was asked to describe everything anew.",
    ),
    Word.BY_COURIER: Text(
        zh="该站靠信使包往来：内容以最近一个信使包为准。",
        en="This site comes by courier: what is held is as of its last bundle.",
    ),
    Word.NOT_COMPARED: Text(
        zh="该站的变更已全部并入，尚未逐条核对。",
        en="All that the site has told is applied, and not yet compared record by record.",
    ),
    Word.IN_SYNC: Text(
        zh="县级副本与该站一致，已用摘要核对。", en="The county's copy equals the site's records, proved by digests."
    ),
}
