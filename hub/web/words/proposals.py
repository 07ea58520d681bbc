"""The words of proposals of change, in both languages."""

import msgspec


class ProposalsWords(msgspec.Struct, frozen=True, kw_only=True):
    """What staff would write otherwise, and what owners decide."""

    title: str
    lead: str
    empty: str
    decided_title: str
    none_decided: str
    propose: str
    propose_lead: str
    now: str
    should: str
    reason: str
    reason_hint: str
    send: str
    proposed_done: str
    withdraw: str
    withdraw_sure: str
    withdrawn_done: str
    decided_meanwhile: str
    by: str
    brought: str
    under_way: str
    gone: str
    state: str
    answer: str
    overtaken: str
    fields: str
    before: str


CHINESE = ProposalsWords(
    title="修改建议",
    lead="工作人员在条目页面提出，送所有者决定；县级不改动任何条目。尚未决定的可以撤回。",
    empty="没有等待决定的修改建议。",
    decided_title="已有结果",
    none_decided="还没有结果。",
    propose="提出修改建议",
    propose_lead="改写有误的字段并写明理由。建议送该站保管人员决定，采纳后随其上报生效。",
    now="现在",
    should="建议改为",
    reason="理由",
    reason_hint="例如：原件题名如此，见第 1 页",
    send="送所有者",
    proposed_done="已送出，等待所有者决定。",
    withdraw="撤回",
    withdraw_sure="撤回此建议？",
    withdrawn_done="已撤回。",
    decided_meanwhile="所有者已作出决定，不能再撤回。",
    by="{name} 提出于 {time}",
    brought="已送达该站",
    under_way="等该站上线后送达",
    gone="所有者已撤下此条目，建议可以撤回。",
    state="结果",
    answer="由 {name} 于 {time}",
    overtaken="此后该站的表格已自行写明，以表格为准",
    fields="字段",
    before="此前的建议",
)

ENGLISH = ProposalsWords(
    title="Proposals of change",
    lead="Staff propose them from an entry's page and the owner decides; the county changes no record. While nobody "
    "has decided they can be taken back.",
    empty="No proposals wait.",
    decided_title="Decided",
    none_decided="Nothing was decided yet.",
    propose="Propose a change",
    propose_lead="Write what the wrong fields should say, and why. The site's keeper decides; what is accepted comes "
    "back as the site's own change.",
    now="Now",
    should="Should say",
    reason="Reason",
    reason_hint="Such as: the original says so on page 1",
    send="Send to the owner",
    proposed_done="Sent; it waits for the owner.",
    withdraw="Take back",
    withdraw_sure="Take this proposal back?",
    withdrawn_done="Taken back.",
    decided_meanwhile="The owner has decided; it cannot be taken back any more.",
    by="proposed by {name}, {time}",
    brought="the site has it",
    under_way="on its way until the site is on the line",
    gone="Its owner has withdrawn the record; the proposal can be taken back.",
    state="Outcome",
    answer="by {name}, {time}",
    overtaken="since then the site's own sheet says it, and stands",
    fields="Fields",
    before="Proposals so far",
)
