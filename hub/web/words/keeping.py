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


CHINESE = KeepingWords(
    title="馆藏保管",
    plan="接收计划",
    plan_lead="按目录算出的应收档案与年度计划；在服务器上用 danglian-hub transfer plan 编制和约定。",
    plan_none="这一年还没有编制计划。",
    year="年度",
    show="查看",
    site="移交单位",
    kind="门类",
    every_kind="全部",
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
    oldest="最久未核验的上次完好",
    all_well="没有需要处理的。",
    copies="副本",
    copy_never="尚无完好的核验",
    no_copies="没有设置副本。",
    not_here="本机没有连接馆藏。",
)

ENGLISH = KeepingWords(
    title="Keeping",
    plan="Receiving plan",
    plan_lead="What is due by the catalogue, and the plan of the year; made and agreed at the server with "
    "danglian-hub transfer plan.",
    plan_none="No plan was made for this year.",
    year="Year",
    show="Show",
    site="Giver",
    kind="Kind",
    every_kind="all",
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
)
