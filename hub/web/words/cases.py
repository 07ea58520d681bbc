"""The words of mediation cases, research requests and the rules of access."""

import msgspec


class CasesWords(msgspec.Struct, frozen=True, kw_only=True):
    """Cases with their files, tables compiled from many fonds, and the rules in force."""

    title: str
    lead: str
    none: str
    new: str
    save: str
    saved: str
    case_no: str
    body: str
    kind: str
    place: str
    source: str
    result: str
    cause: str
    law_used: str
    parties: str
    opened: str
    closed: str
    file: str
    complete: str
    missing: str
    item: str
    need: str
    needed: str
    if_any: str
    documents: str
    pages: str
    copies: str
    extent: str
    note: str
    add: str
    added: str
    drop: str
    kept: str
    requests: str
    no_requests: str
    link: str
    link_number: str
    linked: str
    report: str
    report_lead: str
    report_few: str
    withheld: str
    from_day: str
    to_day: str
    show: str
    count: str
    total: str
    research: str
    research_lead: str
    research_title: str
    columns: str
    columns_hint: str
    begin: str
    parts: str
    part: str
    site: str
    scope: str
    assignee: str
    state: str
    lines: str
    sources: str
    line_no: str
    source_entry: str
    source_page: str
    add_source: str
    correct: str
    correct_save: str
    take_source_off: str
    proves: str
    whole_line: str
    no_source: str
    add_part: str
    save_part: str
    add_line: str
    export_csv: str
    export_xlsx: str
    remarks: str
    rules: str
    rules_lead: str
    rule: str
    who: str
    about: str
    relation: str
    evidence: str
    basis: str


CHINESE = CasesWords(
    title="调解案件",
    lead="卷宗归调解组织，窗口登记清单、关联查档。不记当事人姓名。",
    none="还没有登记案件。",
    new="登记案件",
    save="保存",
    saved="已保存。",
    case_no="案号",
    body="调解组织",
    kind="纠纷类型",
    place="发生地（村或乡镇）",
    source="案件来源",
    result="结果",
    cause="纠纷原因",
    law_used="适用法律",
    parties="当事人数",
    opened="受理日期",
    closed="结案日期",
    file="卷宗清单",
    complete="应有材料齐全。",
    missing="还缺：{items}",
    item="材料",
    need="要求",
    needed="必备",
    if_any="有则附",
    documents="已有",
    pages="页数",
    copies="份数",
    extent="{pages} 页 × {copies} 份",
    note="备注",
    add="登记材料",
    added="清单已更新。",
    drop="移除",
    kept="保管期限",
    requests="关联的查档",
    no_requests="没有关联的查档申请。",
    link="关联查档申请",
    link_number="登记号",
    linked="已关联。",
    report="纠纷分析",
    report_lead="只计数，不含姓名；少于 3 件的不显示，以免认出是谁。",
    report_few="件数太少，不予显示。",
    withheld="少于 3 件",
    from_day="自",
    to_day="至",
    show="统计",
    count="件数",
    total="共 {count} 件",
    research="专题查档",
    research_lead="从多个全宗汇编一张表：分头去查，每一行都写明出处。",
    research_title="专题名称",
    columns="列名",
    columns_hint="用顿号分开，首列为姓名，例如：姓名、迁入时间、迁出地",
    begin="建立专题",
    parts="分工",
    part="部分",
    site="单位代码",
    scope="查找范围",
    assignee="经办人（登录名）",
    state="进展",
    lines="汇编表",
    sources="出处",
    line_no="行",
    source_entry="出处：站点代码/条目编号",
    source_page="页码",
    add_source="加出处",
    correct="更正这一行",
    correct_save="保存更正",
    take_source_off="去掉出处：{source}",
    proves="证明哪一列",
    whole_line="整行",
    no_source="无出处",
    add_part="加一部分",
    save_part="保存",
    add_line="加一行",
    export_csv="导出 CSV",
    export_xlsx="导出 Excel",
    remarks="须知",
    rules="利用规则",
    rules_lead="现行第 {version} 版，只读；自上而下，第一条符合的规则生效。修改用 danglian-hub rules。",
    rule="规则",
    who="申请人",
    about="开放状态",
    relation="关系",
    evidence="证明材料",
    basis="依据",
)

ENGLISH = CasesWords(
    title="Mediation cases",
    lead="The file belongs to the mediating body; the window keeps its list and links requests. No party is named.",
    none="No case is recorded yet.",
    new="Record a case",
    save="Save",
    saved="Saved.",
    case_no="Case number",
    body="Mediating body",
    kind="Kind of dispute",
    place="Village or township",
    source="How it came",
    result="Result",
    cause="Cause",
    law_used="Law applied",
    parties="Parties",
    opened="Opened on",
    closed="Closed on",
    file="The file",
    complete="Everything that must be there is there.",
    missing="Missing: {items}",
    item="Paper",
    need="Needed",
    needed="must be there",
    if_any="if there is one",
    documents="There",
    pages="Pages",
    copies="Copies",
    extent="pages: {pages}, copies: {copies}",
    note="Note",
    add="Add a paper",
    added="The list is up to date.",
    drop="Take off",
    kept="Kept for",
    requests="Linked requests",
    no_requests="No request is linked.",
    link="Link a request",
    link_number="Its number",
    linked="Linked.",
    report="Report of disputes",
    report_lead="Counts without names; below 3 they are withheld, so that nobody is recognised.",
    report_few="There are too few to be shown.",
    withheld="below 3",
    from_day="From",
    to_day="to",
    show="Count",
    count="Cases",
    total="{count} in all",
    research="Research request",
    research_lead="A table compiled from many fonds: the work in parts, and a source for every line.",
    research_title="Title",
    columns="Columns",
    columns_hint="Apart by commas, the name first",
    begin="Begin the research",
    parts="Parts",
    part="Part",
    site="Site code",
    scope="What is gone through",
    assignee="Given to (login)",
    state="How far",
    lines="The table",
    sources="Sources",
    line_no="Line",
    source_entry="Source: site code/id of the entry",
    source_page="Page",
    add_source="Add a source",
    correct="Correct this line",
    correct_save="Save the correction",
    take_source_off="Take this source off: {source}",
    proves="Proves",
    whole_line="the whole line",
    no_source="no source",
    add_part="Add a part",
    save_part="Save",
    add_line="Add a line",
    export_csv="As CSV",
    export_xlsx="As Excel",
    remarks="To know",
    rules="Rules of access",
    rules_lead="Version {version} is in force; the first row that fits decides. Edited with danglian-hub rules.",
    rule="Rule",
    who="Requesters",
    about="Access",
    relation="Relation",
    evidence="Papers",
    basis="Basis, in the county's own words",
)
