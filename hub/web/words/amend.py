"""The words of the page on which a request is put right."""

import msgspec


class AmendWords(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was taken down wrongly."""

    open: str
    add: str
    title: str
    lead_all: str
    lead_papers: str
    kept: str
    kept_hint: str
    added: str
    number_hint: str
    save: str
    done: str
    too_late: str


CHINESE = AmendWords(
    open="修改申请",
    add="补登材料",
    title="修改申请 {number}",
    lead_all="身份核验前可以改正申请人、目的和材料；改前改后都记入办理经过。",
    lead_papers="身份已核验，只能补登材料。申请人或目的有误的，请撤回本申请，另登记一份。",
    kept="已登记的材料（取消勾选即删去）",
    kept_hint="证件号码只存摘要，不能显示全部。",
    added="补登的材料（原件）",
    number_hint="不填即沿用已登记的证件；填写即替换。",
    save="保存修改",
    done="已修改，改前改后见办理经过。",
    too_late="这份申请现在不能修改；需要改的，请撤回后另登记，或要求补充材料。",
)

ENGLISH = AmendWords(
    open="Correct it",
    add="Add a paper",
    title="Correct request {number}",
    lead_all="Until the identity is checked all of this may be put right; the course keeps what it said before.",
    lead_papers="The identity is checked: only papers are added. If applicant or purpose is wrong, withdraw "
    "this request and take down another.",
    kept="Papers on record (untick to remove)",
    kept_hint="Of a number only a digest is kept; it cannot be shown whole.",
    added="Papers added (originals)",
    number_hint="Empty keeps the document on record; what is typed replaces it.",
    save="Save",
    done="It is corrected; the course says what it said before.",
    too_late="This request cannot be corrected now: withdraw it and take down another, or ask for more papers.",
)
