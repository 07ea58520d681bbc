"""The words of an entry's page, in both languages side by side."""

import msgspec


class EntryWords(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the catalogue."""

    withdrawn: str
    withdrawn_lead: str
    unreadable: str
    field: str
    value: str
    given: str
    origin: str
    origin_lead: str
    origin_newer: str
    origin_value: str
    origin_hint: str
    custody: str
    hierarchy: str
    fonds: str
    volume: str
    volume_missing: str
    here: str
    contents: str
    contents_some: str
    hidden: str
    history: str
    history_hint: str
    described: str
    changed: str
    gone: str
    by: str
    conflicts: str
    alike: str
    alike_lead: str
    no_alike: str
    evidence: str
    apart_mark: str
    tell_apart: str
    bring_together: str
    apart_done: str
    together_done: str
    decisions: str
    decided: str
    reversed: str
    compare: str
    same_fields: str
    this_one: str
    that_one: str
    others: str
    record_id: str
    code: str
    date: str
    access: str
    print_note: str


ENTRY_CHINESE = EntryWords(
    withdrawn="已撤出目录",
    withdrawn_lead="枢纽不再保留其内容，只保留撤出的事实。",
    unreadable="内容暂时无法读取，夜间核对会修复。",
    field="字段",
    value="内容",
    given="原文 {value}",
    origin="后来改自",
    origin_lead="内容来自：该站",
    origin_newer="；后来改过的，右边写明来自哪一次。",
    origin_value="第 {seq} 号变更 · {time}",
    origin_hint="站点账期 {epoch}",
    custody="所有、保管与利用决定",
    hierarchy="层次",
    fonds="全宗 {code}",
    volume="所在案卷",
    volume_missing="（不在目录中）",
    here="本条",
    contents="卷内 {count} 件",
    contents_some="只列出前 {count} 件。",
    hidden="控制使用的条目",
    history="变更经过",
    history_hint="枢纽只记哪些字段在何时变了，不留旧值；旧值在站点。",
    described="首次著录",
    changed="更改了 {fields}",
    gone="撤出目录：{cause}",
    by="由 {who}",
    conflicts="有 {count} 处互相矛盾的历史，待处理。",
    alike="可能是同一件",
    alike_lead="系统只提示，不合并。请对照后判断。",
    no_alike="没有发现可能是同一件的条目。",
    evidence="相同：{fields}",
    apart_mark="已判定不是同一件",
    tell_apart="不是同一件",
    bring_together="撤销判定",
    apart_done="已记录：两条不是同一件。可随时撤销。",
    together_done="已撤销判定。",
    decisions="判定经过",
    decided="{time} {who} 判定与 {other} 不是同一件",
    reversed="{time} 由 {who} 撤销",
    compare="对照 {count} 处不同",
    same_fields="各字段都相同。",
    this_one="本条",
    that_one="该条",
    others="另有站点使用同一条目标识：",
    record_id="条目标识",
    code="档号",
    date="日期",
    access="开放状态",
    print_note="本页为目录信息，不作凭证；证明由保管单位出具。",
)

ENTRY_ENGLISH = EntryWords(
    withdrawn="Withdrawn from the catalogue",
    withdrawn_lead="The hub does not keep what it said, only that it was withdrawn.",
    unreadable="It cannot be read now; the nightly check repairs it.",
    field="Field",
    value="Value",
    given="As given {value}",
    origin="Changed by",
    origin_lead="The content comes from:",
    origin_newer="; what was changed since says by which change, on the right.",
    origin_value="Change {seq} · {time}",
    origin_hint="Epoch {epoch} of the site",
    custody="Owner, keeper, and who releases",
    hierarchy="Where it lies",
    fonds="Fonds {code}",
    volume="Volume",
    volume_missing="(not in the catalogue)",
    here="This entry",
    contents="{count} entries in this volume",
    contents_some="The first {count} are listed.",
    hidden="An entry under restricted use",
    history="History",
    history_hint="The hub notes which fields changed and when, not what they said before; the site knows that.",
    described="First described",
    changed="Changed {fields}",
    gone="Withdrawn: {cause}",
    by="by {who}",
    conflicts="{count} contradictions in its history are to be settled.",
    alike="May be the same document",
    alike_lead="This is only pointed out, never merged. Compare, then decide.",
    no_alike="No entry was found that may be the same document.",
    evidence="Agrees in {fields}",
    apart_mark="Decided: different things",
    tell_apart="Different things",
    bring_together="Take the decision back",
    apart_done="Noted: these two are different things. It can be taken back at any time.",
    together_done="The decision was taken back.",
    decisions="Decisions",
    decided="{time} {who} decided that {other} is a different thing",
    reversed="{time} taken back by {who}",
    compare="Compare {count} differences",
    same_fields="Every field is the same.",
    this_one="This entry",
    that_one="The other",
    others="Another site uses the same record id:",
    record_id="Record id",
    code="Code",
    date="Date",
    access="Access",
    print_note="This page is from the catalogue and certifies nothing; the holder certifies.",
)
