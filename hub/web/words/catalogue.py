"""The words of the catalogue's pages, in both languages side by side."""

import msgspec


class CatalogueWords(msgspec.Struct, frozen=True, kw_only=True):
    """Searching the catalogue, and one entry."""

    title: str
    query: str
    search: str
    help: str
    forgotten: str
    forgotten_hint: str
    wrong_query: str
    instead: str
    only: str
    drop: str
    clear: str
    total: str
    total_more: str
    total_up_to: str
    nothing: str
    nothing_hint: str
    was_cut: str
    facets: str
    facet_site: str
    facet_year: str
    facet_fonds: str
    facet_kind: str
    facet_access: str
    facet_level: str
    unknown: str
    facet_more: str
    results: str
    guarded: str
    guarded_hint: str
    untitled: str
    found_in: str
    alike: str
    alike_at_least: str
    together: str
    from_site: str
    next: str
    first: str
    sounds: str
    ask_sites: str
    asking: str
    outcomes: str
    outcome: str
    site: str
    live_total: str
    copy_total: str
    as_of: str
    took: str
    complete: str
    partial: str
    silent_ones: str
    live_lead: str
    waiting_hint: str


CATALOGUE_CHINESE = CatalogueWords(
    title="目录",
    query="检索词",
    search="检索",
    help="检索式写法",
    forgotten="这次检索的检索词已不在。",
    forgotten_hint="检索词只短时保存在枢纽内存中，不写入网址。请重新输入。",
    wrong_query="检索式有误",
    instead="改为检索",
    only="已限定",
    drop="取消限定：{name}",
    clear="取消全部限定",
    total="共 {count} 条",
    total_more="多于 {count} 条",
    total_up_to="至多 {count} 条",
    nothing="目录副本中没有符合的条目。",
    nothing_hint="可以减少检索词、取消限定，或询问各站点：站点可能有尚未上报的条目。",
    was_cut="检索时间已到，可能还有更多、更相符的条目。请加检索词或限定范围。",
    facets="限定范围",
    facet_site="站点",
    facet_year="形成年份",
    facet_fonds="全宗",
    facet_kind="民生类别",
    facet_access="开放状态",
    facet_level="层级",
    unknown="未注明",
    facet_more="另有 {count} 个未列出",
    results="检索结果",
    guarded="控制使用的条目",
    guarded_hint="题名不予显示。需要利用的，请由档案员办理。",
    untitled="（无题名）",
    found_in="命中",
    alike="另有 {count} 条可能是同一件",
    alike_at_least="另有至少 {count} 条可能是同一件",
    together="同组",
    from_site="站点刚刚答复",
    next="下一页",
    first="回到第一页",
    sounds="同时查找了读音相同的姓名：{names}",
    ask_sites="同时询问各站点",
    asking="正在询问各站点，最多 {seconds} 秒；答复陆续显示",
    outcomes="各站点的答复",
    outcome="结果",
    site="站点",
    live_total="站点命中",
    copy_total="副本命中",
    as_of="截至",
    took="毫秒",
    complete="结果完整：应答站点均已答复。",
    partial="结果不完整：有站点没有答复，以目录副本代替。",
    silent_ones="另有 {count} 个站点答复“无结果”。",
    live_lead="各站点",
    waiting_hint="等待答复",
)

CATALOGUE_ENGLISH = CatalogueWords(
    title="Catalogue",
    query="Words",
    search="Search",
    help="How to write a query",
    forgotten="The words of this search are not kept any more.",
    forgotten_hint="Words are kept in the hub's memory for a while and never stand in an address. Enter them again.",
    wrong_query="The query cannot be understood",
    instead="Search instead for",
    only="Only",
    drop="Take away: {name}",
    clear="Take all away",
    total="{count:entry|entries}",
    total_more="More than {count:entry|entries}",
    total_up_to="At most {count:entry|entries}",
    nothing="No entry of the hub's copy matches.",
    nothing_hint="Use fewer words, take limits away, or ask the sites: they may hold what is not reported yet.",
    was_cut="The time for searching was over: there may be more, and better ones. Add words or limits.",
    facets="Narrow down",
    facet_site="Site",
    facet_year="Year",
    facet_fonds="Fonds",
    facet_kind="Livelihood kind",
    facet_access="Access",
    facet_level="Level",
    unknown="Not stated",
    facet_more="{count} more are not listed",
    results="Results",
    guarded="An entry under restricted use",
    guarded_hint="Its title is not shown. An archivist can help where it is needed.",
    untitled="(no title)",
    found_in="Found in",
    alike="{count} more may be the same document",
    alike_at_least="At least {count} more may be the same document",
    together="Belong together",
    from_site="Said by the site just now",
    next="Next page",
    first="Back to the first page",
    sounds="Names that sound alike were looked for as well: {names}",
    ask_sites="Ask the sites as well",
    asking="Asking the sites, {seconds:second|seconds} at most; answers appear as they come",
    outcomes="What the sites say",
    outcome="Outcome",
    site="Site",
    live_total="Hits there",
    copy_total="Hits in the copy",
    as_of="As of",
    took="ms",
    complete="Complete: every expected site has answered.",
    partial="Partial: some sites have not answered; the hub's copy stands in for them.",
    silent_ones="{count} more sites answered that they have nothing.",
    live_lead="The sites",
    waiting_hint="Waiting",
)
