"""What is to be mended, in plain words: for whoever keeps a village's records beside other work.

What must be put right, what would be better, and what is nobody's fault here are told apart: a check that did not run
because this PC lacks a program is not for the village to mend.
"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from node.transfers.beginning import note_of
from protocol.check_results import Outcome
from protocol.wording import Count, Text
from replication.command_line import worded
from replication.transfer_items import TransferItem
from replication.transfer_rounds import Fault

FAULTS_SHOWN_MAX = 40
"""Findings or items that are printed one by one; the others are counted."""


def mending_told(items: Sequence[TransferItem], *, ours: bool) -> list[str]:
    """Return in plain words what came back: which item, why, where its scans lie."""
    if not ours:
        return [
            worded(Text(zh=f"已退回 {len(items)} 条，等对方改好再交", en=f"{Count(len(items)):item|items} went back"))
        ]
    came = Text(
        zh=f"退回 {len(items)} 条，改好后只需再交这几条：",
        en=f"{Count(len(items)):item|items} came back to be mended, and alone travel again:",
    )
    lines = [worded(came)]
    for number, item in enumerate(items[:FAULTS_SHOWN_MAX], 1):
        lines.append(f"{number:>3}. {item.ref_code} 《{item.title}》")
        if item.reason is not None:
            lines.append(worded(Text(zh=f"     要改：{item.reason.zh}", en=f"     mend: {item.reason.en}")))
        lines.append(f"     {_scans_told(item)}")
    if len(items) > FAULTS_SHOWN_MAX:
        lines.append(f"     {_more(len(items) - FAULTS_SHOWN_MAX)}")
    return [*lines, f"     {worded(_HOW)}"]


_HOW: Final = Text(
    zh="扫描件：用重扫的同名文件替换原文件。目录：在 Excel 里改好那一行后保存。改好后运行 transfer send。",
    en="Scans: put the new file in the place of the old one. Catalogue: correct the row in the sheet and save. Then run"
    " transfer send.",
)


def _more(count: int) -> str:
    return worded(Text(zh=f"…… 另有 {count} 条", en=f"… and {count} more"))


def _scans_told(item: TransferItem) -> str:
    scans = note_of(item).scans
    if not scans:
        return worded(Text(zh="没有找到扫描件", en="no scans were found"))
    folders = sorted({str(Path(scan.path).parent) for scan in scans})
    count = len(scans)
    return worded(Text(zh=f"扫描件 {count} 个，在 {'；'.join(folders)}", en=f"scans: {count}, in {'; '.join(folders)}"))


def faults_told(faults: Sequence[Fault]) -> str:
    """Return in plain words what the checks found, what must be mended first."""
    if not faults:
        return (
            worded(Text(zh="检测全部通过，可以提交（transfer send）。", en="Every check passed: transfer send.")) + "\n"
        )
    lines: list[str] = []
    for urgency, some in by_urgency(faults):
        words, count = URGENCIES[urgency], len(some)
        lines += [worded(Text(zh=f"【{words.zh}】{count} 处", en=f"[{words.en}]: {count}")), *_grouped(some)]
    return "\n".join(lines) + "\n"


class Urgency(StrEnum):
    """What a finding means for whoever reads it."""

    MUST = "must"
    MAY = "may"
    OTHERS = "others"
    """Nobody at this site has to do anything: a check was not run, or waits for a person at the receiver."""


URGENCIES: Final = {
    Urgency.MUST: Text(zh="必须改，改好再检测", en="must be mended, then checked again"),
    Urgency.MAY: Text(zh="建议改，不改也能交", en="better mended; it may be sent all the same"),
    Urgency.OTHERS: Text(
        zh="不用改：没有执行或要人看，由接收单位处理", en="not for the giver: not run, or for a person to see"
    ),
}


def by_urgency(faults: Sequence[Fault]) -> list[tuple[Urgency, list[Fault]]]:
    """Return the findings in their groups, the most urgent first; groups without any are left out."""
    groups: dict[Urgency, list[Fault]] = {one: [] for one in Urgency}
    for fault in faults:
        is_failed = fault.outcome is Outcome.FAILED
        groups[(Urgency.MUST if fault.is_mandatory else Urgency.MAY) if is_failed else Urgency.OTHERS].append(fault)
    return [(urgency, some) for urgency, some in groups.items() if some]


def _grouped(faults: Sequence[Fault]) -> list[str]:
    """Return the findings by the item or the file that they are about, each with its remedy."""
    by_place: dict[str, list[Fault]] = {}
    for fault in faults[:FAULTS_SHOWN_MAX]:
        by_place.setdefault(" ".join(part for part in (fault.ref_code, fault.path) if part), []).append(fault)
    lines: list[str] = []
    for place, some in by_place.items():
        lines.append(f"  {place or worded(_PACKAGE)}")
        for fault in some:
            remedy = worded(Text(zh=f"  怎么办：{fault.remedy.zh}", en=f"  Do: {fault.remedy.en}"))
            lines.append(f"    {worded(fault.evidence)}{remedy if worded(fault.remedy) else ''}")
    if len(faults) > FAULTS_SHOWN_MAX:
        lines.append(f"  {_more(len(faults) - FAULTS_SHOWN_MAX)}")
    return lines


_PACKAGE: Final = Text(zh="整包", en="the package")
