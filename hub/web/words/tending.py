"""The words of what is done about one site, and of enrolment, in both languages."""

import msgspec


class OrdersWords(msgspec.Struct, frozen=True, kw_only=True):
    """What a person can do about one site."""

    title: str
    verify_lead: str
    verify: str
    baseline_lead: str
    baseline_waits: str
    baseline: str
    baseline_sure: str
    baseline_done: str
    as_before: str
    enrol_lead: str
    enrol: str
    replace: str
    revoke_title: str
    revoke_lead: str
    because: str
    revoke: str
    revoke_sure: str
    revoked_done: str


class EnrolmentWords(msgspec.Struct, frozen=True, kw_only=True):
    """Issuing a code, and following who joins."""

    title: str
    new_title: str
    new_lead: str
    replace_title: str
    replace_lead: str
    code_of_site: str
    code_hint: str
    name: str
    replaces: str
    courier: str
    issue: str
    issue_hint: str
    code_title: str
    code_lead: str
    type_there: str
    progress: str
    not_begun: str
    step_code: str
    step_admitted: str
    step_heard: str
    step_told: str
    step_proved: str
    good_until: str
    told_so_far: str
    void_lead: str
    void: str
    void_sure: str
    voided: str
    none_open: str


ORDERS_CHINESE = OrdersWords(
    title="操作",
    verify_lead="与该站逐项核对摘要，几秒内给出结果；不改动任何内容。",
    verify="立即核对",
    baseline_lead="请该站从头完整上报一次：目录不中断，期间会占用该站网络。不一致而自动修复无效时使用。",
    baseline_waits="已要求，等待该站执行。",
    baseline="要求完整上报",
    baseline_sure="要求该站完整上报一次？",
    baseline_done="已要求：该站下次联系时开始完整上报。",
    as_before="此前已是如此，没有变化。",
    enrol_lead="安装或更换该站的电脑时，签发一次性登记码。",
    enrol="登记该站",
    replace="更换电脑",
    revoke_title="停用密钥",
    revoke_lead="该电脑立即不能再代表本站，不可恢复；已并入的目录保留。用于丢失、报废的电脑。",
    because="原因",
    revoke="停用此密钥",
    revoke_sure="停用后不可恢复，确定停用此密钥？",
    revoked_done="密钥已停用，约几秒后断开其连接。",
)

ENROLMENT_CHINESE = EnrolmentWords(
    title="站点登记",
    new_title="签发登记码",
    new_lead="登记码只能用一次，在该站的电脑上输入后，该电脑即可代表本站。",
    replace_title="更换电脑",
    replace_lead="该站已有在用的电脑。新电脑登记成功的那一刻，旧电脑停用；目录和条目标识不变。",
    code_of_site="站点代码",
    code_hint="12 位数字，例如 330523108204",
    name="站点名称",
    replaces="新电脑登记成功时停用旧电脑",
    courier="该站没有网络，用 U 盘往来",
    issue="签发登记码",
    issue_hint="该站以前未用的登记码随即作废。",
    code_title="{name} 的登记码",
    code_lead="只显示这一次，{time} 前有效。请用电话或纸条告知，不要写在 U 盘上。",
    type_there="在该站的电脑上运行：",
    progress="加入进度",
    not_begun="还没有签发登记码。",
    step_code="已签发登记码",
    step_admitted="该站电脑已登记",
    step_heard="收到首次联系",
    step_told="目录全部并入",
    step_proved="摘要核对一致",
    good_until="{time} 前有效，等待该站输入",
    told_so_far="已并入到 {applied}，还差 {lag}",
    void_lead="登记码可能被他人看到时，请作废后重新签发。",
    void="作废登记码",
    void_sure="作废该站未用的登记码？",
    voided="登记码已作废。",
    none_open="没有未用的登记码。",
)

ORDERS_ENGLISH = OrdersWords(
    title="What you can do",
    verify_lead="Compares digests with the site, in seconds; it changes nothing.",
    verify="Compare now",
    baseline_lead="Has the site describe everything again: the catalogue stays in use, the site's line is busy "
    "meanwhile. For differences that repair does not heal.",
    baseline_waits="It is asked, and the site has still to do it.",
    baseline="Ask for everything again",
    baseline_sure="Have this site describe everything again?",
    baseline_done="Asked: the site begins at its next contact.",
    as_before="Nothing changed: it was so before.",
    enrol_lead="For a new PC at the site, issue a one-time code.",
    enrol="Enrol this site",
    replace="Replace its PC",
    revoke_title="Revoke a key",
    revoke_lead="That PC cannot speak for the site any more, for good; what it has told stays. For lost or "
    "scrapped PCs.",
    because="Reason",
    revoke="Revoke this key",
    revoke_sure="This is for good. Revoke this key?",
    revoked_done="The key is revoked; its connection ends within seconds.",
)

ENROLMENT_ENGLISH = EnrolmentWords(
    title="Enrol a site",
    new_title="Issue a code",
    new_lead="A code is good once; typed at the site's PC, it lets that PC speak for the site.",
    replace_title="Replace the PC",
    replace_lead="The site has a PC in use. It is cut off at the moment the new one is admitted; records keep "
    "their identities.",
    code_of_site="Site code",
    code_hint="12 digits, such as 330523108204",
    name="What the county calls it",
    replaces="Cut the old PC off when the new one is admitted",
    courier="The site has no line: by USB stick",
    issue="Issue a code",
    issue_hint="An earlier code of the site that nobody used is void then.",
    code_title="Code for {name}",
    code_lead="It is shown this once, and is good until {time}. Give it by telephone or on paper, never on the stick.",
    type_there="On the PC of that site run:",
    progress="How far it has come",
    not_begun="No code was issued yet.",
    step_code="A code is issued",
    step_admitted="Its PC is admitted",
    step_heard="First sign of life",
    step_told="Everything it has told is applied",
    step_proved="Digests found equal",
    good_until="good until {time}; waiting for the site",
    told_so_far="applied up to {applied}, {lag} to come",
    void_lead="If somebody else may have seen the code, void it and issue another.",
    void="Void the code",
    void_sure="Void the open code of this site?",
    voided="The code is void.",
    none_open="There was no open code.",
)
