"""The words of the mediation window: the desk with its requests, and the form in which a request is begun."""

import msgspec


class WindowWords(msgspec.Struct, frozen=True, kw_only=True):
    """The desk, and the first two of its three steps."""

    title: str
    lead: str
    begin: str
    begin_hint: str
    find: str
    find_button: str
    not_found: str
    views: str
    mine: str
    everyone: str
    review: str
    ended: str
    none_mine: str
    none_hint: str
    none: str
    more: str
    unsent: str
    unsent_lead: str
    unsent_go: str
    unsent_discard: str
    unsent_sure: str
    unsent_nameless: str
    discarded: str
    number: str
    applicant: str
    purpose: str
    state: str
    due: str
    changed: str
    late_answer: str
    no_due: str
    step_who: str
    step_question: str
    step_result: str
    steps: str
    who_title: str
    question_title: str
    requester: str
    name: str
    name_hint: str
    organ: str
    organ_hint: str
    on_behalf_of: str
    phone: str
    document: str
    document_number: str
    number_hint: str
    number_good: str
    number_old: str
    valid_until: str
    expired: str
    papers: str
    papers_lead: str
    originals_seen: str
    originals_hint: str
    purpose_note: str
    case_ref: str
    case_ref_hint: str
    uses: str
    show_papers: str
    next: str
    back: str
    kept: str
    not_kept: str
    not_begun: str
    what: str
    what_hint: str
    persons: str
    persons_hint: str
    kind: str
    any_kind: str
    year_from: str
    year_to: str
    place: str
    place_hint: str
    question_number: str
    another_question: str
    submit: str
    submit_hint: str
    choose: str


CHINESE = WindowWords(
    title="查档窗口",
    lead="按办理期限排列，最急的在最前。",
    begin="登记新申请",
    begin_hint="快捷键 Alt+N（Firefox 为 Alt+Shift+N）",
    find="登记号，例如 CD2026-000123",
    find_button="打开",
    not_found="没有登记号为 {number} 的申请，请核对。",
    views="查看",
    mine="我经手的",
    everyone="全部在办",
    review="待审核",
    ended="已结束",
    none_mine="没有您经手的在办申请。",
    none_hint="有人来查档时，点“登记新申请”：谁、为什么，查什么，结果与出证，共三步。",
    none="这里没有申请。",
    more="只显示最近 {count} 份；更早的请按登记号打开。",
    unsent="未提交的草稿",
    unsent_lead="只有您能看到；7 天不动自动清除。",
    unsent_go="继续填写",
    unsent_discard="丢弃",
    unsent_sure="丢弃这份草稿？填写的内容将不再保留。",
    unsent_nameless="（未填姓名）",
    discarded="草稿已丢弃。",
    number="登记号",
    applicant="申请人",
    purpose="目的",
    state="状态",
    due="期限",
    changed="最近办理",
    late_answer="新答复",
    no_due="不计时",
    step_who="谁、为什么",
    step_question="查什么",
    step_result="结果与出证",
    steps="办理步骤",
    who_title="谁来查，为什么",
    question_title="查什么",
    requester="以什么身份申请",
    name="到场人员姓名",
    name_hint="与证件一致。",
    organ="单位全称",
    organ_hint="与介绍信一致。",
    on_behalf_of="代谁申请（委托人、被监护人或已故者）",
    phone="联系电话",
    document="证件种类",
    document_number="证件号码",
    number_hint="离开此栏即核对；只保存加密散列，页面上显示首尾几位。",
    number_good="号码正确，将显示为 {shown}",
    number_old="15 位旧号码，没有校验位，请对照原件；将显示为 {shown}",
    valid_until="证件有效期至（长期有效可不填）",
    expired="证件已过期。",
    papers="已出示的材料（原件）",
    papers_lead="按现行利用规则，需要什么材料",
    originals_seen="证件原件已当面核对，与到场人员一致",
    originals_hint="勾选后提交即受理；不勾选则停在“待核验身份”。",
    purpose_note="用途说明（选“其他”时必填）",
    case_ref="案号",
    case_ref_hint="调解、信访或诉讼案件的编号；各保管单位据此留痕。",
    uses="要得到什么",
    show_papers="按所选身份更新本页",
    next="下一步：查什么",
    back="上一步",
    kept="已自动保存",
    not_kept="暂未保存：连接中断，正在重试，请勿关闭页面",
    not_begun="填写时自动保存，刷新或断电不会丢失。",
    what="检索词",
    what_hint="题名里可能出现的词，用空格分开，越少越好，例如：山林承包 大坞里",
    persons="涉及的人",
    persons_hint="姓名，多人用顿号分开；只发给可能有档的单位。",
    kind="民生档案种类",
    any_kind="不限",
    year_from="从哪一年",
    year_to="到哪一年",
    place="地点（现名或旧名）",
    place_hint="例如：皈山乡。填写后只问当地单位。",
    question_number="问题 {number}",
    another_question="再加一个问题",
    submit="提交并开始查找",
    submit_hint="先出统一目录的结果，各单位的答复随到随显。",
    choose="请选择",
)

ENGLISH = WindowWords(
    title="The window",
    lead="By deadline, the most pressing first.",
    begin="New request",
    begin_hint="Shortcut Alt+N (Alt+Shift+N in Firefox)",
    find="Number, such as CD2026-000123",
    find_button="Open",
    not_found="There is no request {number}: compare the number.",
    views="Which requests",
    mine="Mine",
    everyone="All open",
    review="For a reviewer",
    ended="Ended",
    none_mine="No open request is yours.",
    none_hint="When somebody comes, press “New request”. Three steps: who and why, what, and the result.",
    none="There are no requests here.",
    more="Only the latest {count} are shown; open older ones by their number.",
    unsent="Not sent yet",
    unsent_lead="Only you see these; each is forgotten after 7 days without a change.",
    unsent_go="Go on",
    unsent_discard="Discard",
    unsent_sure="Discard this draft? What was typed will be gone.",
    unsent_nameless="(no name yet)",
    discarded="The draft is gone.",
    number="Number",
    applicant="Applicant",
    purpose="Purpose",
    state="State",
    due="Due",
    changed="Last step",
    late_answer="new answer",
    no_due="no clock",
    step_who="Who and why",
    step_question="The question",
    step_result="Result and copies",
    steps="Steps",
    who_title="Who asks, and why",
    question_title="What is looked for",
    requester="Asking as",
    name="Name of the person at the window",
    name_hint="As on the document.",
    organ="Full name of the organ",
    organ_hint="As on its letter.",
    on_behalf_of="On behalf of (principal, ward, or the deceased)",
    phone="Telephone",
    document="Document",
    document_number="Its number",
    number_hint="Checked when you leave the field; only a keyed hash is kept, and a few characters are shown.",
    number_good="The number is right; it will be shown as {shown}",
    number_old="The old form of 15 digits has no check character: compare it. It will be shown as {shown}",
    valid_until="Valid until (leave empty if without end)",
    expired="This document has expired.",
    papers="Papers shown (originals)",
    papers_lead="What the rules in force ask for",
    originals_seen="I compared the originals with the person who is here",
    originals_hint="If ticked, the request is accepted at once; if not, it waits for the identity check.",
    purpose_note="Purpose in words (needed for “other”)",
    case_ref="Case number",
    case_ref_hint="Of the mediation, petition or court case; holders log under which case they were asked.",
    uses="What is wanted",
    show_papers="Update this page for the choice above",
    next="Next: the question",
    back="Back",
    kept="Kept at the hub",
    not_kept="Not kept: no connection, trying again; leave this page open",
    not_begun="Kept as you type: a reload or a power cut loses nothing.",
    what="Words",
    what_hint="Words that may stand in a title, apart by blanks, the fewer the better",
    persons="Persons concerned",
    persons_hint="Names, apart by commas; only holders that may have it learn of them.",
    kind="Kind of livelihood record",
    any_kind="any",
    year_from="From year",
    year_to="To year",
    place="Place (its name now or then)",
    place_hint="Only holders there are asked then.",
    question_number="Question {number}",
    another_question="Another question",
    submit="Submit and search",
    submit_hint="The union catalogue answers first; holders are added as they answer.",
    choose="choose",
)
