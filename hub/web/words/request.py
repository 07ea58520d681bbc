"""The words of one request's page: where it stands, what may be done next, what was asked, said and found."""

import msgspec


class RequestWords(msgspec.Struct, frozen=True, kw_only=True):
    """A request and its course."""

    title: str
    next: str
    waits_for_reviewer: str
    waits_for_clerk: str
    more_steps: str
    reason: str
    days: str
    done: str
    overtaken: str
    due: str
    paused: str
    content: str
    requester: str
    applicant: str
    on_behalf_of: str
    phone: str
    evidence: str
    no_evidence: str
    copy_only: str
    valid_until: str
    case_ref: str
    case: str
    purpose: str
    uses: str
    course: str
    by: str
    extended: str
    print_form: str
    print_receipt: str
    persons: str
    kind: str
    years: str
    place: str
    disposed: str


CHINESE = RequestWords(
    title="查档申请 {number}",
    next="下一步",
    waits_for_reviewer="这一步由审核员办理，受理人不能审核自己受理的申请。",
    waits_for_clerk="这一步由窗口人员办理。",
    more_steps="其他可办事项",
    reason="理由",
    days="工作日",
    done="已办理。",
    overtaken="这份申请已有新的办理，或这一步不由您办理。下面是现在的情况。",
    due="办理期限",
    paused="计时已暂停：{why}",
    content="申请内容",
    requester="申请身份",
    applicant="申请人",
    on_behalf_of="代谁申请",
    phone="电话",
    evidence="证明材料",
    no_evidence="未登记材料。",
    copy_only="复印件",
    valid_until="有效期至 {day}",
    case_ref="案号",
    case="调解案件",
    purpose="目的",
    uses="要得到",
    course="办理经过",
    by="{who} 于 {time}",
    extended="延长 {days} 个工作日",
    print_form="打印登记表",
    print_receipt="打印受理回执",
    persons="涉及的人",
    kind="种类",
    years="年份",
    place="地点",
    disposed="个人信息已于 {day} 按保留期限清除；登记号、类型、目的和日期留作统计。",
)

ENGLISH = RequestWords(
    title="Request {number}",
    next="Next",
    waits_for_reviewer="A reviewer takes this step; whoever accepted a request does not decide on it.",
    waits_for_clerk="A clerk at the window takes this step.",
    more_steps="What else may be done",
    reason="Reason",
    days="working days",
    done="Done.",
    overtaken="This request was worked on meanwhile, or the step is not yours. This is how it stands now.",
    due="Due",
    paused="The clock stands: {why}",
    content="What is asked",
    requester="Asking as",
    applicant="Applicant",
    on_behalf_of="On behalf of",
    phone="Telephone",
    evidence="Papers shown",
    no_evidence="None were recorded.",
    copy_only="copy",
    valid_until="valid until {day}",
    case_ref="Case number",
    case="Mediation case",
    purpose="Purpose",
    uses="Wanted",
    course="Course",
    by="{who} at {time}",
    extended="extended by {days:working day|working days}",
    print_form="Print the form",
    print_receipt="Print the receipt",
    persons="Persons",
    kind="Kind",
    years="Years",
    place="Place",
    disposed="Personal data were disposed of on {day}, as their term was over; what statistics need stays.",
)
