"""The words of the screen at the counter, and of what the window hands over on paper."""

import msgspec


class CounterWords(msgspec.Struct, frozen=True, kw_only=True):
    """Few and large."""

    title: str
    link: str
    ready: str
    wanted: str
    going: str
    more: str
    footer: str


class PaperWords(msgspec.Struct, frozen=True, kw_only=True):
    """The form, the receipt, and the statement of completeness."""

    print: str
    print_hint: str
    form_title: str
    receipt_title: str
    number: str
    date: str
    requester: str
    name: str
    organ: str
    on_behalf_of: str
    phone: str
    papers: str
    purpose: str
    case_ref: str
    uses: str
    question: str
    handler: str
    accepted: str
    due: str
    not_accepted: str
    declaration: str
    applicant_signs: str
    clerk_signs: str
    collect: str
    receipt_lead: str
    statement_title: str
    statement_file: str
    covered: str
    left_out: str
    statement_no: str
    signed_by: str
    statement_check: str
    results: str


CHINESE = CounterWords(
    title="查档进度",
    link="叫号屏",
    ready="请领取",
    wanted="请到窗口",
    going="办理中",
    more="另有 {count} 件",
    footer="按登记号末六位显示；如有疑问请到窗口询问。",
)
ENGLISH = CounterWords(
    title="Requests",
    link="Counter screen",
    ready="Ready to collect",
    wanted="Please come to the window",
    going="Under way",
    more="and {count} more",
    footer="The last six digits of the number are shown; please ask at the window.",
)
PAPER_CHINESE = PaperWords(
    print="打印",
    print_hint="A4 纸，一份存档、一份交申请人。",
    form_title="查档申请登记表",
    receipt_title="查档受理回执",
    number="登记号",
    date="登记日期",
    requester="申请身份",
    name="申请人",
    organ="单位",
    on_behalf_of="代谁申请",
    phone="联系电话",
    papers="证明材料",
    purpose="查档目的",
    case_ref="案号",
    uses="要得到",
    question="查档内容",
    handler="经办人",
    accepted="受理日期",
    due="办理期限",
    not_accepted="尚未受理",
    declaration="本人保证所提供的材料真实；查得的档案只用于上述目的，不公布、不转借，不侵犯他人隐私。",
    applicant_signs="申请人（签名、日期）",
    clerk_signs="经办人（签名、日期）",
    collect="请凭本回执和身份证件领取结果；叫号屏按登记号末六位显示。",
    receipt_lead="您的查档申请已经收到。",
    statement_title="查询范围完整性说明",
    statement_file="下载签名文件",
    covered="覆盖范围",
    left_out="没有提问的单位",
    statement_no="说明编号",
    signed_by="签名密钥（枢纽）",
    statement_check="核验：danglian-hub statement verify 文件；内容改动一字即不通过。",
    results="当前状态",
)
PAPER_ENGLISH = PaperWords(
    print="Print",
    print_hint="A4: one for the file, one for the applicant.",
    form_title="Request for records",
    receipt_title="Receipt",
    number="Number",
    date="Registered on",
    requester="Asking as",
    name="Applicant",
    organ="Organ",
    on_behalf_of="On behalf of",
    phone="Telephone",
    papers="Papers shown",
    purpose="Purpose",
    case_ref="Case number",
    uses="Wanted",
    question="What is looked for",
    handler="Handled by",
    accepted="Accepted on",
    due="Due",
    not_accepted="not accepted yet",
    declaration="What I have shown is true. Records that are found are used for the purpose above only, are neither"
    " published nor lent, and nobody's privacy is harmed.",
    applicant_signs="Applicant (signature, date)",
    clerk_signs="Clerk (signature, date)",
    collect="Bring this receipt and your document to collect the result; the screen shows the last six digits.",
    receipt_lead="Your request has been received.",
    statement_title="Statement of completeness",
    statement_file="Signed file",
    covered="What it covers",
    left_out="Holders not asked",
    statement_no="Statement",
    signed_by="Signed by the hub's key",
    statement_check="To verify: danglian-hub statement verify FILE; one changed character fails.",
    results="State now",
)
