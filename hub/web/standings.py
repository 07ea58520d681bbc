"""What a request's state means for the person at the window, what comes next, and how urgent it looks. Pure words."""

from typing import Final

from hub.sites.plain_words import Tone
from hub.window.states import State, Step
from protocol.wording import Text

TONES: Final = {
    State.DRAFTED: Tone.AWAY,
    State.SUBMITTED: Tone.WATCH,
    State.IDENTITY_CHECKED: Tone.WATCH,
    State.ACCEPTED: Tone.CALM,
    State.REFUSED: Tone.BAD,
    State.ROUTED: Tone.CALM,
    State.SEARCHING: Tone.CALM,
    State.FOUND: Tone.GOOD,
    State.NOT_FOUND: Tone.WATCH,
    State.PARTIAL: Tone.WATCH,
    State.ACCESS_REVIEW: Tone.WATCH,
    State.APPROVED: Tone.GOOD,
    State.DENIED: Tone.BAD,
    State.CERTIFYING: Tone.CALM,
    State.ISSUED: Tone.GOOD,
    State.DELIVERED: Tone.GOOD,
    State.CLOSED: Tone.AWAY,
    State.WITHDRAWN: Tone.AWAY,
    State.EXPIRED: Tone.AWAY,
    State.SUPPLEMENT_REQUESTED: Tone.WATCH,
}

MEANINGS: Final = {
    State.DRAFTED: Text(zh="已登记，还没有提交。", en="It is on the register and not submitted yet."),
    State.SUBMITTED: Text(
        zh="材料已收，等待核对证件原件。", en="The papers are in; the originals are still to be compared."
    ),
    State.IDENTITY_CHECKED: Text(zh="证件已核验，等待受理。", en="The identity is checked; it is to be accepted."),
    State.ACCEPTED: Text(zh="已受理，办理期限开始计算。", en="It is accepted, and its term has begun."),
    State.REFUSED: Text(zh="没有受理，理由见下。", en="It was not accepted; the reason is below."),
    State.ROUTED: Text(zh="问题已发往可能有档的单位。", en="The question has gone to the holders that may have it."),
    State.SEARCHING: Text(
        zh="各单位正在答复；离线的单位联网后自动答复。", en="Holders are answering; those offline answer on return."
    ),
    State.FOUND: Text(zh="已查到，不再等单位答复。", en="It was found, and no holder's answer is waited for."),
    State.NOT_FOUND: Text(
        zh="没有查到。答复范围见“完整性说明”。", en="Nothing was found; the completeness statement says what was asked."
    ),
    State.PARTIAL: Text(
        zh="已查到一部分，还有单位没有答复，答复后自动补入。",
        en="Something was found; holders that have not answered will be added by themselves.",
    ),
    State.ACCESS_REVIEW: Text(
        zh="规则不能直接判定，等待审核员决定能否利用。",
        en="The rules leave it to a person: a reviewer decides on access.",
    ),
    State.APPROVED: Text(
        zh="可以利用：请查阅，或向保管单位调取复制件。", en="It may be used: view it, or order a copy."
    ),
    State.DENIED: Text(
        zh="不同意利用，理由见下；申请人可以补充材料后再申请。", en="Access was denied; the reason is below."
    ),
    State.CERTIFYING: Text(
        zh="保管单位审批并签章，页面自动传到窗口。", en="The holder approves and seals; its pages come by themselves."
    ),
    State.ISSUED: Text(zh="证明已出具，等待领取。", en="The certificate is issued and can be collected."),
    State.DELIVERED: Text(zh="已交给申请人。", en="It was handed over."),
    State.CLOSED: Text(zh="已办结归档。", en="It is done and filed."),
    State.WITHDRAWN: Text(zh="申请人撤回。", en="The applicant took it back."),
    State.EXPIRED: Text(zh="超过保留期限，已失效。", en="Its time is over."),
    State.SUPPLEMENT_REQUESTED: Text(
        zh="等申请人补充材料，期间不计时。", en="The applicant is to bring more papers; the clock stands."
    ),
}

ADVICE: Final = {
    State.DRAFTED: Text(zh="核对内容后提交。", en="Check it, then submit it."),
    State.SUBMITTED: Text(
        zh="对照证件原件核验身份。", en="Compare the originals, then record the identity as checked."
    ),
    State.IDENTITY_CHECKED: Text(zh="受理，或写明理由不予受理。", en="Accept it, or refuse it with a reason."),
    State.ACCEPTED: Text(zh="开始查找。", en="Begin the search."),
    State.REFUSED: Text(
        zh="把不予受理通知交给申请人，然后办结。", en="Hand over the notice of refusal, then close it."
    ),
    State.ROUTED: Text(zh="开始查找。", en="Begin the search."),
    State.SEARCHING: Text(zh="稍候，答复会自动出现在下面。", en="Wait: answers appear below by themselves."),
    State.FOUND: Text(zh="核对查到的条目，然后提请利用审核。", en="Look at what was found, then put access to review."),
    State.NOT_FOUND: Text(
        zh="扩大查找范围，或出具查无此档证明。", en="Ask more widely, or issue a statement of no record."
    ),
    State.PARTIAL: Text(
        zh="先办已查到的，或等其余单位答复。", en="Go on with what is there, or wait for the other holders."
    ),
    State.ACCESS_REVIEW: Text(zh="由未参与受理的审核员决定。", en="A reviewer who did not accept it decides."),
    State.APPROVED: Text(
        zh="在查到的条目旁申请复制件；只查阅的可直接交付。",
        en="Order a copy beside an entry; if only viewing was asked for, hand it over.",
    ),
    State.DENIED: Text(zh="告知申请人理由，然后办结。", en="Tell the applicant why, then close it."),
    State.CERTIFYING: Text(
        zh="制成后在“复制件与证明”中打印。", en="Print it under “Copies and certificates” once made."
    ),
    State.ISSUED: Text(zh="交给申请人并签收。", en="Hand it over against a signature."),
    State.DELIVERED: Text(zh="办结；发现有误可重新出证。", en="Close it; if the certificate is wrong, certify again."),
    State.CLOSED: Text(zh="无需再办；有迟到的答复可重新查找。", en="Nothing; a late answer can open it again."),
    State.WITHDRAWN: Text(zh="无需再办。", en="Nothing."),
    State.EXPIRED: Text(zh="需要时请申请人重新申请。", en="If it is still needed, the applicant asks anew."),
    State.SUPPLEMENT_REQUESTED: Text(zh="材料到后登记“材料已补充”。", en="Record it when the papers are brought."),
}

USUAL: Final = {
    State.DRAFTED: Step.SUBMIT,
    State.SUBMITTED: Step.CHECK_IDENTITY,
    State.IDENTITY_CHECKED: Step.ACCEPT,
    State.ACCEPTED: Step.ROUTE,
    State.ROUTED: Step.SEARCH,
    State.REFUSED: Step.CLOSE,
    State.FOUND: Step.REVIEW_ACCESS,
    State.PARTIAL: Step.REVIEW_ACCESS,
    State.NOT_FOUND: Step.DELIVER,
    State.ACCESS_REVIEW: Step.APPROVE,
    State.APPROVED: Step.DELIVER,
    State.DENIED: Step.CLOSE,
    State.ISSUED: Step.DELIVER,
    State.DELIVERED: Step.CLOSE,
    State.SUPPLEMENT_REQUESTED: Step.SUPPLEMENT,
}
"""The step that is usually taken next: its button stands out."""

EFFECTS: Final = {
    Step.SUBMIT: Text(
        zh="提交后仍可修改，身份核验后只能补充材料。",
        en="Until the identity check it can be corrected, later papers only.",
    ),
    Step.CHECK_IDENTITY: Text(zh="证件原件与到场人员一致。", en="The originals fit the person who is here."),
    Step.ACCEPT: Text(zh="开始计算办理期限。", en="The term begins."),
    Step.REFUSE: Text(zh="申请人会看到理由。", en="The applicant reads the reason."),
    Step.ROUTE: Text(zh="只有可能有档的单位会收到问题。", en="Only holders that may have it learn of the question."),
    Step.SEARCH: Text(zh="向各单位提问。", en="The holders are asked."),
    Step.FIND: Text(zh="查到的就是要找的档案。", en="What came up is what was looked for."),
    Step.FIND_PART: Text(zh="还有单位没有答复。", en="Some holders are still to answer."),
    Step.FIND_NOTHING: Text(zh="查到的都不是，或没有查到。", en="Nothing came up, or it is somebody else's."),
    Step.REVIEW_ACCESS: Text(
        zh="能按规则判定的当场判定，其余交审核员。",
        en="What the rules decide is decided now; the rest waits for a person.",
    ),
    Step.APPROVE: Text(zh="申请人可以利用查到的档案。", en="The applicant may use what was found."),
    Step.DENY: Text(
        zh="申请人会看到理由，审计日志留痕。", en="The applicant reads the reason; it is in the audit log."
    ),
    Step.CERTIFY: Text(zh="进入出证。", en="Certifying begins."),
    Step.ISSUE: Text(zh="证明已打印、用纸已登记。", en="The certificate is printed, its sheets are noted."),
    Step.CERTIFY_AGAIN: Text(zh="原证明有误或损坏。", en="The certificate was wrong or spoilt."),
    Step.DELIVER: Text(zh="交到申请人手中之后点此。", en="Press this once the applicant has it."),
    Step.CLOSE: Text(zh="办结并归档。", en="It is done and filed."),
    Step.REOPEN: Text(zh="例如离线的村后来有了答复。", en="For example, a village answered late."),
    Step.WITHDRAW: Text(zh="申请人不再需要。", en="The applicant needs it no more."),
    Step.EXPIRE: Text(zh="逾期没有补充或领取。", en="Nothing was brought or collected in time."),
    Step.ASK_SUPPLEMENT: Text(zh="期间不计时；写明缺什么。", en="The clock stands meanwhile; say what is missing."),
    Step.SUPPLEMENT: Text(zh="回到原来的环节。", en="It goes on where it was."),
    Step.EXTEND: Text(zh="告知申请人新的期限和理由。", en="Tell the applicant the new term and why."),
    Step.PAUSE: Text(zh="写明等什么。", en="Say what is waited for."),
    Step.RESUME: Text(zh="继续计时。", en="The clock goes on."),
}
"""What a step means, beside its button."""
