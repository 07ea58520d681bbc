"""The words of the receiving plan, the accession register and the keeping of files, in both languages."""

import msgspec


class KeepingWords(msgspec.Struct, frozen=True, kw_only=True):
    """What is to come, what came, and how it is kept."""

    title: str
    plan: str
    plan_lead: str
    plan_none: str
    year: str
    show: str
    site: str
    kind: str
    every_kind: str
    other_kind: str
    planned: str
    received: str
    due: str
    overdue: str
    years: str
    progress: str
    register: str
    register_none: str
    code: str
    what: str
    items: str
    files: str
    at: str
    held: str
    damaged: str
    missing: str
    oldest: str
    all_well: str
    copies: str
    copy_never: str
    no_copies: str
    not_here: str
    make: str
    make_sure: str
    made_done: str
    term: str
    term_years: str
    statutory: str
    agreed: str
    early: str
    late: str
    change: str
    agreements: str
    agreements_lead: str
    agreements_none: str
    agree: str
    after: str
    after_hint: str
    agreed_by: str
    agreed_by_hint: str
    reason: str
    agreed_done: str
    retract: str
    retract_sure: str
    retracted_done: str
    choose: str
    read_now: str
    read_sure: str
    reading: str
    reading_of: str
    read_done: str
    ordered_done: str
    noted: str
    noted_faulty: str
    note_title: str
    note_lead: str
    note_copy: str
    note_day: str
    note_how: str
    note_how_hint: str
    note_faulty: str
    note_save: str
    noted_done: str


CHINESE = KeepingWords(
    title="馆藏保管",
    plan="接收计划",
    plan_lead="按目录算出的应收档案与年度计划。约定提前或推迟移交后，重新编制即生效，并告知各站点。",
    plan_none="这一年还没有编制计划。",
    year="年度",
    show="查看",
    site="移交单位",
    kind="门类",
    every_kind="全部",
    other_kind="其他档案",
    planned="计划",
    received="已收",
    due="应收未收",
    overdue="逾期",
    years="形成年度",
    progress="进度",
    register="接收登记簿",
    register_none="还没有接收登记。",
    code="登记号",
    what="内容",
    items="条目",
    files="文件",
    at="登记时间",
    held="馆藏文件",
    damaged="损坏",
    missing="丢失",
    oldest="最久未核验者的上次核验",
    all_well="没有需要处理的。",
    copies="副本",
    copy_never="尚无完好的核验",
    no_copies="没有设置副本。",
    not_here="本机没有连接馆藏。",
    make="编制 {year} 年计划",
    make_sure="按现在的目录和约定重新编制，并告知各站点，确定？",
    made_done="已编制，各站点会收到自己的部分。",
    term="移交期限",
    term_years="满 {years} 年",
    statutory="按规定",
    agreed="约定",
    early="提前",
    late="推迟",
    change="变更",
    agreements="约定的期限",
    agreements_lead="没有约定的按规定：满 {years} 年移交；村和单位没有约定则不列入计划。",
    agreements_none="还没有约定。",
    agree="约定或变更",
    after="满几年移交",
    after_hint="从形成年度算起，0 至 {most} 年",
    agreed_by="由谁同意",
    agreed_by_hint="例如：县档案局批复〔2026〕3号",
    reason="理由",
    agreed_done="已记录；重新编制计划后生效。",
    retract="撤销",
    retract_sure="撤销后恢复按规定，确定？",
    retracted_done="已撤销；重新编制计划后生效。",
    choose="请选择",
    read_now="现在核验全部文件",
    read_sure="将逐一重读全部馆藏文件，可能需要数小时，期间可照常工作，确定？",
    reading="{who} 于 {when} 要求全部核验，已读",
    reading_of="{read} / {files} 个",
    read_done="{who} 要求的全部核验已于 {when} 完成。",
    ordered_done="已开始，十秒内着手；本页刷新可看进度。",
    noted="{day} 已核验，{who} 注明：{how}",
    noted_faulty="{day} 核验发现 {count} 个文件有问题，{who} 注明：{how}",
    note_title="注明离线或异地副本已核验",
    note_lead="系统读不到的副本由人核验后在此注明；这是注明人的话，审计日志中有记录。",
    note_copy="副本",
    note_day="核验日期",
    note_how="怎样核验的",
    note_how_hint="例如：在异地库房用 bagit 核对全部校验和",
    note_faulty="有问题的文件数",
    note_save="注明",
    noted_done="已注明。",
)

ENGLISH = KeepingWords(
    title="Keeping",
    plan="Receiving plan",
    plan_lead="What is due by the catalogue, and the plan of the year. What is agreed, earlier or later, takes effect "
    "when the plan is made again, and every site is told.",
    plan_none="No plan was made for this year.",
    year="Year",
    show="Show",
    site="Giver",
    kind="Kind",
    every_kind="all",
    other_kind="other records",
    planned="Planned",
    received="Received",
    due="Due",
    overdue="Overdue",
    years="Years",
    progress="Progress",
    register="Accession register",
    register_none="Nothing is registered yet.",
    code="Number",
    what="What",
    items="Items",
    files="Files",
    at="Registered",
    held="Held files",
    damaged="Damaged",
    missing="Missing",
    oldest="Longest since found sound",
    all_well="Nothing needs you.",
    copies="Copies",
    copy_never="never found whole",
    no_copies="No copies are set up.",
    not_here="The holdings cannot be reached from here.",
    make="Make the plan of {year}",
    make_sure="Make it again from the catalogue and the agreements as they stand, and tell every site?",
    made_done="Made; every site is told its lines.",
    term="Comes",
    term_years="after {years:year|years}",
    statutory="by the rule",
    agreed="agreed",
    early="early",
    late="late",
    change="Change",
    agreements="What was agreed",
    agreements_lead="Without an agreement the rule holds: after {years:year|years}. Villages and units that have none "
    "are not in the plan.",
    agreements_none="Nothing was agreed yet.",
    agree="Agree, or change",
    after="After how many years",
    after_hint="From the year of creation, 0 to {most}",
    agreed_by="Who agreed",
    agreed_by_hint="For example: letter 3/2026 of the county's archives office",
    reason="Why",
    agreed_done="Noted; it takes effect when the plan is made again.",
    retract="Take back",
    retract_sure="The rule holds again afterwards. Go on?",
    retracted_done="Taken back; it takes effect when the plan is made again.",
    choose="Choose",
    read_now="Read every file now",
    read_sure="Every held file is read again, which may take hours; everybody can work meanwhile. Go on?",
    reading="{who} wanted everything read at {when}; so far",
    reading_of="{read} of {files}",
    read_done="What {who} wanted read was read at {when}.",
    ordered_done="It begins within ten seconds; load this page again to see how far it is.",
    noted="verified on {day}, says {who}: {how}",
    noted_faulty="{count:file|files} faulty on {day}, says {who}: {how}",
    note_title="Note an offline or off-site copy as verified",
    note_lead="Copies that the hub cannot read are verified by a person and noted here; it is that person's word, "
    "and stands in the audit log.",
    note_copy="Copy",
    note_day="Day of the verification",
    note_how="How it was verified",
    note_how_hint="For example: all sums compared with bagit at the depot",
    note_faulty="Faulty files",
    note_save="Note it",
    noted_done="Noted.",
)
