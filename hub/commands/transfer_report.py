"""What ``danglian-hub transfer`` prints."""

from collections.abc import Sequence

import msgspec

from hub.commands.listing import moment, show_table
from hub.transfers.accession import DossierLine
from hub.transfers.listing import TransferLine, TransferView
from protocol.check_results import OUTCOME_WORDS, STANDING_WORDS, Standing
from protocol.transfers import Side
from protocol.wording import Count, Text
from replication.command_line import say, say_json, worded
from replication.transfer_items import TransferItem
from replication.transfer_rounds import Fault
from replication.transfer_words import ITEM_STATES, NATURES, SIDES, STATES, advice

_LINES = (
    Text(zh="编号", en="number"),
    Text(zh="站点", en="site"),
    Text(zh="名称", en="title"),
    Text(zh="状态", en="state"),
    Text(zh="待办", en="turn"),
    Text(zh="批", en="round"),
    Text(zh="接收/总数", en="accepted/items"),
    Text(zh="提取", en="drawn"),
    Text(zh="最近", en="moved"),
)
_DOSSIER = (
    Text(zh="全宗", en="fonds"),
    Text(zh="记入", en="entered"),
    Text(zh="记载", en="entry"),
)
_ITEMS = (
    Text(zh="档号", en="code"),
    Text(zh="题名", en="title"),
    Text(zh="状态", en="state"),
    Text(zh="理由", en="reason"),
)
_FAULTS = (
    Text(zh="档号", en="code"),
    Text(zh="文件", en="file"),
    Text(zh="规则", en="rule"),
    Text(zh="结果", en="outcome"),
    Text(zh="说明", en="evidence"),
)
NUMBER_CHARS = 13
"""Characters of a transfer's number that tell it from the others in practice."""


class TransferReport(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer as ``--json`` prints it."""

    view: TransferView
    items: Sequence[TransferItem]
    faults: Sequence[Fault]
    advice: Text


def show_lines(found: Sequence[TransferLine]) -> None:
    """Print transfers in a table."""
    show_table(
        _LINES,
        [
            (
                str(one.transfer_id)[:NUMBER_CHARS],
                one.site,
                one.title,
                worded(STATES[one.state]),
                worded(SIDES[one.turn]) if one.turn else "—",
                str(one.round),
                f"{one.accepted}/{one.items}",
                f"{one.progress:.0%}" + (f" {worded(one.trouble)}" if one.trouble else ""),
                moment(one.moved_at_ms),
            )
            for one in found
        ],
    )
    say(Text(zh=f"共 {len(found)} 次移交。", en=f"{Count(len(found)):transfer|transfers}."))


def show_dossier(found: Sequence[DossierLine]) -> None:
    """Print what fonds dossiers say, in the order of entry."""
    rows = [(one.fonds_no or "—", moment(one.entered_at_ms), worded(one.words)) for one in found]
    show_table(_DOSSIER, rows)
    say(Text(zh=f"共 {len(found)} 条记载。", en=f"{Count(len(found)):entry|entries}."))


def show_transfer(view: TransferView, items: Sequence[TransferItem], faults: Sequence[Fault], *, as_json: bool) -> None:
    """Print one transfer."""
    now = view.transfer
    next_step = advice(now, Side.RECEIVER)
    if as_json:
        say_json(TransferReport(view=view, items=items, faults=faults, advice=next_step))
        return
    say(Text(zh=f"{now.transfer_id}  {now.title}", en=f"{now.transfer_id}  {now.title}"))
    nature, state = NATURES[now.nature], STATES[now.state]
    say(
        Text(zh=f"{nature.zh}：{view.site} → {now.receiver_site}", en=f"{nature.en}: {view.site} → {now.receiver_site}")
    )
    say(Text(zh=f"状态：{state.zh}（第 {now.round} 批）", en=f"state: {state.en}, round {now.round}"))
    told = [(ITEM_STATES[one], count) for one, count in sorted(view.counts.items())]
    say(
        Text(
            zh="条目：" + "，".join(f"{words.zh} {count}" for words, count in told),
            en="items: " + ", ".join(f"{words.en} {count}" for words, count in told),
        )
    )
    _show_rounds(view)
    if items:
        rows = [
            (one.ref_code, one.title, worded(ITEM_STATES[one.state]), worded(one.reason) if one.reason else "")
            for one in items
        ]
        show_table(_ITEMS, rows)
    if faults:
        show_table(
            _FAULTS,
            [
                (one.ref_code, one.path, one.rule, worded(OUTCOME_WORDS[one.outcome]), worded(one.evidence))
                for one in faults
            ],
        )
    say(next_step)


def _show_rounds(view: TransferView) -> None:
    """Print what has come of each round, and the physical volumes."""
    now = view.transfer
    for work in view.rounds:
        standing = STANDING_WORDS[Standing(work.standing)] if work.standing else Text(zh="—", en="—")
        trouble = f" {worded(work.trouble)}" if work.trouble else ""
        drawn = f"{work.done_bytes:,} / {work.total_bytes:,} B"
        say(
            Text(
                zh=f"第 {work.round} 批：已提取 {drawn}，检测 {standing.zh}{trouble}",
                en=f"round {work.round}: drawn {drawn}, checks {standing.en}{trouble}",
            )
        )
    if now.volumes_expected:
        say(
            Text(
                zh=f"实物：应有 {now.volumes_expected} 卷，实点 {now.volumes_seen} 卷",
                en=f"physical volumes: {now.volumes_expected} announced, {now.volumes_seen} seen",
            )
        )
