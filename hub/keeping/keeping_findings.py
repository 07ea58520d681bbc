"""What there is to say about the held files and their copies: pure, from what the book says."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection

from hub.alarm.alarms import AlarmKind, Cause, Finding
from hub.keeping import held_files, holding_notes
from hub.keeping.held_files import HeldSigns, HoldingRun
from hub.keeping.holding_notes import HoldingNote
from hub.keeping.keeping_settings import FIXITY_DAYS_MAX, HoldingCopy, HoldingSettings, short_of_rule
from hub.sites.board import Facts
from protocol.wording import Count, Text

DAY_MS = 86_400_000


class KnownCopies(msgspec.Struct, frozen=True, kw_only=True):
    """What is known at one moment."""

    signs: HeldSigns
    last_whole: dict[str, HoldingRun]
    """By target: the last going over that found everything sound."""
    noted: dict[str, HoldingNote] = {}
    """By target: what a person last said of a copy that the hub cannot read itself."""


def known(connection: Connection, settings: HoldingSettings) -> KnownCopies:
    """Read what is known."""
    runs = {one.name: held_files.last_run(connection, one.name, whole=True) for one in settings.copy}
    return KnownCopies(
        signs=held_files.signs(connection),
        last_whole={name: run for name, run in runs.items() if run is not None},
        noted={one.name: note for one in settings.copy if (note := holding_notes.newest(connection, one.name))},
    )


def sentences(settings: HoldingSettings, here: KnownCopies, now_ms: int) -> list[Text]:
    """Return everything there is to say about the holdings now; nothing if all is well, or nothing is held."""
    signs = here.signs
    if signs.oldest_sound_at_ms is None:
        return []
    found = []
    if spoilt := signs.spoilt:
        found.append(
            Text(
                zh=f"{spoilt} 个馆藏文件损坏或丢失，且没有完好的副本。"
                "请先看馆藏磁盘是否已挂载；再接上离线或异地副本并运行 danglian-hub holdings repair。",
                en=f"{Count(spoilt):held file is|held files are} damaged or missing, and no copy that is there is"
                " sound. See that the disk"
                " of the holdings is mounted, then plug in an offline or off-site copy and run danglian-hub holdings"
                " repair.",
            )
        )
    if now_ms - signs.oldest_sound_at_ms > FIXITY_DAYS_MAX * DAY_MS:
        days = (now_ms - signs.oldest_sound_at_ms) // DAY_MS
        found.append(
            Text(
                zh=f"有馆藏文件 {days} 天未核验，规定为 {FIXITY_DAYS_MAX} 天。请运行 danglian-hub holdings verify。",
                en=f"some held file was not verified for {Count(days):day|days}, the rule is {FIXITY_DAYS_MAX}. Run"
                " danglian-hub"
                " holdings verify.",
            )
        )
    for target in settings.copy:
        told = _of_copy(target, here.last_whole.get(target.name), here.noted.get(target.name), now_ms)
        found += [] if told is None else [told]
    short = short_of_rule(settings)
    return [*found, short] if short is not None else found


def _of_copy(target: HoldingCopy, last: HoldingRun | None, note: HoldingNote | None, now_ms: int) -> Text | None:
    whole_at_ms = 0 if last is None else last.ended_at_ms
    if note is not None and note.verified_at_ms >= whole_at_ms:
        if note.faulty:
            return Text(
                zh=f"馆藏副本 {target.name}：{note.verified_on} 核验发现 {note.faulty} 个文件有问题"
                f"（{note.noted_by} 注明）。请接上后运行 danglian-hub holdings copy --to {target.name}",
                en=f"copy {target.name} of the holdings: {Count(note.faulty):file was|files were} faulty on"
                f" {note.verified_on}, says"
                f" {note.noted_by}. Plug it in and run danglian-hub holdings copy --to {target.name}",
            )
        whole_at_ms = note.verified_at_ms
    if not whole_at_ms:
        return Text(
            zh=f"馆藏副本 {target.name}：从未完整核验。请运行 danglian-hub holdings copy --to {target.name}",
            en=f"copy {target.name} of the holdings was never found whole. Run danglian-hub holdings copy --to"
            f" {target.name}",
        )
    days = (now_ms - whole_at_ms) // DAY_MS
    if days < target.alarm_days:
        return None
    return Text(
        zh=f"馆藏副本 {target.name}：已 {days} 天未完整核验，上限 {target.alarm_days} 天。"
        f"请运行 danglian-hub holdings copy --to {target.name}",
        en=f"copy {target.name} of the holdings was last found whole {Count(days):day|days} ago, the limit is"
        f" {target.alarm_days}. Run danglian-hub holdings copy --to {target.name}",
    )


def alarms_of(county: str, told: Sequence[Text]) -> list[Finding]:
    """Return the county's alarm about its holdings, with everything in its evidence."""
    if not told:
        return []
    return [Finding(site=county, kind=AlarmKind.HOLDINGS, cause=Cause.HOLDINGS, evidence=tuple(told))]


def kept_at_sites(facts: Iterable[Facts]) -> list[Finding]:
    """Return the alarms of sites that keep files for others which are not as they came; a silent site's stands on."""
    return [
        Finding(
            site=one.site,
            kind=AlarmKind.KEPT_FILES,
            cause=Cause.KEPT_AT_SITE,
            evidence=(
                Text(
                    zh=f"代管的档案中有 {one.node.kept_faulty} 个文件损坏或丢失",
                    en=f"damaged or missing among what it keeps for others: {Count(one.node.kept_faulty):file|files}",
                ),
            ),
        )
        for one in facts
        if one.node is not None and one.node.kept_faulty > 0
    ]
