"""The words of the decision queues, in both languages."""

import msgspec


class DecisionsWords(msgspec.Struct, frozen=True, kw_only=True):
    """Queues in which something waits for a person, and what was decided."""

    queues: str
    title: str
    decided: str
    decided_lead: str
    none_decided: str
    at: str
    who: str
    queue: str
    verdict: str
    about: str
    note: str
    undo: str
    undone: str
    undo_sure: str
    undo_done: str
    decide: str
    look: str
    site: str
    position: str
    record: str
    every_site: str
    field: str
    differs: str
    side_by_side: str
    held_here: str
    arrived: str
    at_site: str
    not_a_record: str
    as_arrived: str
    quarantine_title: str
    quarantine_lead: str
    quarantine_empty: str
    retry_shown: str
    retry_hint: str
    retry_title: str
    retry_lead: str
    retry: str
    retried: str
    drop_title: str
    drop_lead: str
    drop: str
    drop_sure: str
    dropped: str
    gone: str
    duplicates_title: str
    duplicates_lead: str
    looked_at: str
    duplicates_none: str
    same_fields: str
    agree: str
    same: str
    apart: str
    look_on: str
    noted_pair: str
    conflicts_title: str
    conflicts_lead: str
    conflicts_empty: str
    more_wait: str
    noted: str
    is_held: str
    is_offered: str
    is_third: str
    is_gone: str
    is_unknown: str
    no_link: str
    nothing_held: str
    settle_title: str
    settle_lead: str
    settle: str
    settled: str
    tell_again_title: str
    tell_again_lead: str
    tell_again: str
    asked: str


CHINESE = DecisionsWords(
    queues="决定队列",
    title="待决定",
    decided="已决定",
    decided_lead="谁、何时、决定了什么。撤销后，该事项回到原队列。",
    none_decided="还没有决定。",
    at="时间",
    who="决定人",
    queue="队列",
    verdict="决定",
    about="对象",
    note="理由",
    undo="撤销",
    undone="已由 {name} 于 {time} 撤销",
    undo_sure="撤销此决定？该事项会回到原队列。",
    undo_done="已撤销，该事项回到队列中。",
    decide="决定",
    look="查看",
    site="站点",
    position="位置",
    record="条目",
    every_site="查看全部站点",
    field="字段",
    differs="不同",
    side_by_side="两相对照",
    held_here="县级现有",
    arrived="收到的内容",
    at_site="站点现在的内容",
    not_a_record="收到的内容读不成一条目录，无法逐项对照。",
    as_arrived="查看收到的原文",
    quarantine_title="隔离的内容",
    quarantine_lead="收到但读不懂、不可信或自相矛盾的内容。升级后自动重试，也可在此处理。",
    quarantine_empty="隔离区是空的。",
    retry_shown="重试本页 {count} 项",
    retry_hint="能读懂的补入目录，其余留下。",
    retry_title="再试一次",
    retry_lead="按现在的版本重新读取：成功则补入目录原位，不成则留在这里，不会损坏已有内容。",
    retry="重试",
    retried="已重试：补入 {applied} 项，已被取代 {overtaken} 项，留下 {kept} 项。",
    drop_title="丢弃",
    drop_lead="从隔离区移除，不补入目录。站点不受影响；可在“已决定”中撤销。",
    drop="丢弃",
    drop_sure="确定丢弃此项？",
    dropped="已丢弃，可在“已决定”中撤销。",
    gone="该事项已处理，或已不在队列中。",
    duplicates_title="疑似重复",
    duplicates_lead="可能记述同一份文件的条目，附依据。“同一件”只作标注，两条都保留，各归其主；“不是同一件”今后不再提"
    "示。",
    looked_at="本页查看了 {count} 条。",
    duplicates_none="这一段没有待决定的重复。",
    same_fields="另有 {count} 项相同",
    agree="相同之处：",
    same="同一件",
    apart="不是同一件",
    look_on="继续往下看",
    noted_pair="已记录，可在“已决定”中撤销。",
    conflicts_title="历史冲突",
    conflicts_lead="同一条目的同一位置先后收到两种内容，多因站点磁盘被复制或旧备份被恢复。县级保留先到的一种。",
    conflicts_empty="没有历史冲突。",
    more_wait="另有 {count} 条等待。",
    noted="发现于 {time}",
    is_held="站点现在的内容与县级现有一致。",
    is_offered="站点现在的内容是另一种：县级现有的可能已过时。",
    is_third="站点现在的内容与两种都不同，此后又改过。",
    is_gone="站点现在没有此条目。",
    is_unknown="现在问不到该站点：{reason}",
    no_link="与消息服务器的连接中断",
    nothing_held="两端都没有此条目。",
    settle_title="以现有内容为准",
    settle_lead="目录不变，此冲突移出队列；可在“已决定”中撤销。",
    settle="以现有内容为准",
    settled="已记录：以现有内容为准。",
    tell_again_title="请站点重报此条",
    tell_again_lead="站点上线后重报这一条，随后自动核对；冲突仍留在队列中，待您确认。",
    tell_again="请站点重报",
    asked="已要求站点重报此条。",
)

ENGLISH = DecisionsWords(
    queues="Queues",
    title="Decisions",
    decided="Decided",
    decided_lead="Who decided what, and when. Undone, the matter goes back into its queue.",
    none_decided="Nothing was decided yet.",
    at="When",
    who="Who",
    queue="Queue",
    verdict="Decision",
    about="About",
    note="Reason",
    undo="Undo",
    undone="undone by {name}, {time}",
    undo_sure="Undo this decision? The matter goes back into its queue.",
    undo_done="Undone: the matter waits again.",
    decide="Decide",
    look="Look",
    site="Site",
    position="Position",
    record="Record",
    every_site="Show every site",
    field="Field",
    differs="different",
    side_by_side="Side by side",
    held_here="Held here",
    arrived="What arrived",
    at_site="At the site now",
    not_a_record="What arrived cannot be read as a record, so there is nothing to compare field by field.",
    as_arrived="Show it as it arrived",
    quarantine_title="Quarantine",
    quarantine_lead="What arrived and could not be read, trusted or reconciled. An upgrade tries it again by itself; "
    "here you can settle it.",
    quarantine_empty="Nothing is in quarantine.",
    retry_shown="Try the {count} shown again",
    retry_hint="What can be read now is applied; the rest stays.",
    retry_title="Try it again",
    retry_lead="It is read anew by this version: applied at its own place if that succeeds, otherwise it stays. "
    "Nothing held is harmed.",
    retry="Try again",
    retried="Tried again: {applied} applied, {overtaken} overtaken, {kept} stay.",
    drop_title="Drop it",
    drop_lead="It leaves the quarantine without being applied. The site is not touched; it can be undone under "
    "Decided.",
    drop="Drop",
    drop_sure="Drop this?",
    dropped="Dropped; it can be undone under Decided.",
    gone="It was settled meanwhile, or is no longer in the queue.",
    duplicates_title="Alike records",
    duplicates_lead="Records that may describe the same document, with the evidence. The same: it is noted, both "
    "stay with their owners. Different: they are not shown together again.",
    looked_at="{count} entries were looked at for this page.",
    duplicates_none="Nothing is undecided in this part of the catalogue.",
    same_fields="{count} more fields say the same",
    agree="They agree in:",
    same="The same",
    apart="Different things",
    look_on="Look on",
    noted_pair="Noted; it can be undone under Decided.",
    conflicts_title="Contradictions",
    conflicts_lead="Two contents claimed the same place of a record, mostly because a disk was copied or an old "
    "backup put back. The hub holds the one that came first.",
    conflicts_empty="No contradictions wait.",
    more_wait="{count} more wait.",
    noted="Noticed {time}",
    is_held="The site's present record equals what is held here.",
    is_offered="The site's present record is the other one: what is held here may be out of date.",
    is_third="The site's present record is neither: it was changed since.",
    is_gone="The site has no such record now.",
    is_unknown="The site cannot be asked now: {reason}",
    no_link="no connection to the broker",
    nothing_held="Neither end has this record.",
    settle_title="What is held stands",
    settle_lead="The catalogue stays as it is and this leaves the queue; it can be undone under Decided.",
    settle="Let it stand",
    settled="Noted: what is held stands.",
    tell_again_title="Have the site tell it again",
    tell_again_lead="Once on the line the site tells this record again, and both ends are compared. It stays in the "
    "queue until you settle it.",
    tell_again="Ask the site",
    asked="The site is asked to tell it again.",
)
