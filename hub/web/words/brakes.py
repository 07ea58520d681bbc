"""The words of mass changes that a site holds, in both languages."""

import msgspec


class BrakesWords(msgspec.Struct, frozen=True, kw_only=True):
    """What a site's brake holds."""

    title: str
    lead: str
    there: str
    held_since: str
    rows: str
    meaning: str
    sure: str
    release: str
    reject: str
    on_its_way: str
    nothing: str
    released: str
    rejected: str
    undecided: str


CHINESE = BrakesWords(
    title="待定的大批变更",
    lead="该站的目录中一次少了许多条目，节点没有照撤。请核实后决定。",
    there="也可在该站运行 danglian-node brake list。",
    held_since="自 {time} 起待定",
    rows="涉及 {rows} 条，共 {of} 条",
    meaning="放行：{rows} 条从目录撤下，条目若再出现会取回原标识。退回：全部保留，文件再变化时重新询问。",
    sure="决定后该站随即执行，确定？",
    release="放行，撤下",
    reject="退回，保留",
    on_its_way="已放行，该站正在执行。",
    nothing="该站没有待定的变更。",
    released="已放行，该站正在撤下。",
    rejected="已退回，条目全部保留。",
    undecided="没有决定成功：该变更已不在等待，或站点没有答复。",
)

ENGLISH = BrakesWords(
    title="Mass changes held",
    lead="Many records vanished from the site's catalogue at once, and the node did not withdraw them. "
    "Find out why, then decide.",
    there="The site can also run danglian-node brake list.",
    held_since="held since {time}",
    rows="{rows} of {of:record|records}",
    meaning="Release: {rows:record|records} out of the catalogue; one that returns gets its identity back. Reject: "
    "all stay, and it is asked anew when the file changes.",
    sure="The site acts on it at once. Are you sure?",
    release="Release: withdraw them",
    reject="Reject: they stay",
    on_its_way="Released; the site is carrying it out.",
    nothing="Nothing is held at this site.",
    released="Released: the site is withdrawing them.",
    rejected="Rejected: all records stay.",
    undecided="Nothing was decided: the change does not wait any more, or the site did not answer.",
)
