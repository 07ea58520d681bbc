"""The words of what was asked and found for a request, and of its statement of completeness."""

import msgspec


class LookupWords(msgspec.Struct, frozen=True, kw_only=True):
    """Questions, sites, entries."""

    title: str
    not_asked_yet: str
    no_desk: str
    persons: str
    found_none: str
    asked_of: str
    asked_at: str
    waits_until: str
    expired: str
    site: str
    outcome: str
    total: str
    why: str
    as_of: str
    every_site: str
    late: str
    live: str
    copy_of_hub: str
    masked: str
    existence: str
    withheld: str
    new: str
    entry: str
    untitled: str
    widen: str
    widen_lead: str
    widen_reason: str
    widened: str
    begin: str
    begin_hint: str
    statement: str
    choose_entry: str
    relation: str
    review: str
    review_hint: str
    order_copy: str
    nothing_chosen: str
    nothing_chosen_hint: str
    papers_missing: str
    papers_missing_hint: str
    widened_done: str
    begun: str
    reviewed: str
    more_hits: str


CHINESE = LookupWords(
    title="查找结果",
    not_asked_yet="尚未向各单位提问。",
    no_desk="查找服务未运行，请联系系统管理员。",
    persons="涉及的人",
    found_none="没有查到条目。",
    asked_of="问了 {asked} 个单位，{left} 个没有问",
    asked_at="{time} 提问",
    waits_until="等候答复至 {time}",
    expired="已过答复期限",
    site="单位",
    outcome="答复",
    total="条数",
    why="为什么问或不问",
    as_of="截至",
    every_site="各单位的答复",
    late="后来答复",
    live="本单位刚刚答复",
    copy_of_hub="县级目录副本",
    masked="已遮蔽个人信息",
    existence="仅告知存在",
    withheld="另有 {count} 条按该单位规定不予提供",
    new="新答复",
    entry="查看目录",
    untitled="（题名不予显示）",
    widen="扩大查找范围",
    widen_lead="没有问到的单位也去问；理由会记入两端的审计日志。",
    widen_reason="理由",
    widened="已扩大：{why}",
    begin="开始查找",
    begin_hint="先出统一目录的结果，各单位的答复随到随显；只问可能有档的单位。",
    statement="完整性说明",
    choose_entry="选择这一条",
    relation="与申请人的关系",
    review="对所选条目判定能否利用",
    review_hint="规则能判定的当场判定；需要人定的交审核员；缺材料的会说明缺什么。",
    order_copy="申请复制件或证明",
    nothing_chosen="没有选择条目。",
    nothing_chosen_hint="请勾选要利用的条目。",
    papers_missing="还缺材料，暂不能判定：{why}",
    papers_missing_hint="请在“其他可办事项”中要求补充材料。",
    widened_done="已向其余单位提问。",
    begun="已开始查找。",
    reviewed="已按规则判定。",
    more_hits="只显示前 {count} 条，请缩小问题。",
)

ENGLISH = LookupWords(
    title="What was found",
    not_asked_yet="No holder has been asked yet.",
    no_desk="The lookup service does not run: tell the administrator.",
    persons="Persons",
    found_none="No entry was found.",
    asked_of="holders asked: {asked}, not asked: {left}",
    asked_at="asked {time}",
    waits_until="answers count until {time}",
    expired="the time for answers is over",
    site="Holder",
    outcome="Answer",
    total="Found",
    why="Why it was asked, or not",
    as_of="As of",
    every_site="What each holder said",
    late="answered later",
    live="the holder said so just now",
    copy_of_hub="the county's copy",
    masked="persons are masked",
    existence="existence only",
    withheld="{count} more that this holder does not tell",
    new="new answer",
    entry="Catalogue entry",
    untitled="(its title is not shown)",
    widen="Ask more widely",
    widen_lead="Holders that were left out are asked too; the reason is in both audit logs.",
    widen_reason="Reason",
    widened="widened: {why}",
    begin="Begin the search",
    begin_hint="The union catalogue answers first, holders as they come; only those that may have it are asked.",
    statement="Completeness statement",
    choose_entry="choose this entry",
    relation="What these have to do with the applicant",
    review="Decide on access to the entries chosen",
    review_hint="What the rules decide is decided now; the rest goes to a reviewer; what is missing is said.",
    order_copy="Order a copy or statement",
    nothing_chosen="No entry is chosen.",
    nothing_chosen_hint="Tick the entries that are wanted.",
    papers_missing="Papers are missing, nothing was decided: {why}",
    papers_missing_hint="Ask for more papers under “What else may be done”.",
    widened_done="The other holders are being asked.",
    begun="The search has begun.",
    reviewed="The rules decided.",
    more_hits="Only the first {count} are shown: ask more narrowly.",
)
