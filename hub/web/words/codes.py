"""The words of the rules by which the archive numbers what it takes, in both languages."""

import msgspec


class CodesWords(msgspec.Struct, frozen=True, kw_only=True):
    """Rules of archive codes, and giving codes with an acceptance."""

    title: str
    lead: str
    none: str
    any: str
    site: str
    office_fonds: str
    office_fonds_hint: str
    fonds: str
    fonds_hint: str
    catalogue: str
    pattern: str
    pattern_hint: str
    set_by: str
    set: str
    set_done: str
    give: str
    give_hint: str
    would_be: str
    office_code: str
    code: str
    of_all: str


CHINESE = CodesWords(
    title="馆编档号规则",
    lead="接收时按最合适的一条编号：先看站点的全宗，再看站点，再看全宗，最后看通用规则。已给出的号不变，也不再给别人。",
    none="还没有规则。",
    any="任意",
    site="移交单位",
    office_fonds="室编全宗号",
    office_fonds_hint="只对该单位的这一全宗；不填为全部。",
    fonds="馆编全宗号",
    fonds_hint="不填则沿用室编全宗号。",
    catalogue="馆编目录号",
    pattern="编号规则",
    pattern_hint="如 {fonds}-WS·{year}·{retention}-{item:4}，或 {fonds}-{catalogue}-{volume:3}-{item:4}。",
    set_by="由谁设定",
    set="保存规则",
    set_done="已保存。",
    give="接收时给出馆编档号",
    give_hint="号码一经给出不再收回；室编档号照旧保留。",
    would_be="按现行规则将给出的馆编档号",
    office_code="室编档号",
    code="馆编档号",
    of_all="共 {count} 条，列出开头 {shown} 条；接收时才给出。",
)

ENGLISH = CodesWords(
    title="Rules of archive codes",
    lead="An acceptance numbers by the rule that fits best: of the site's fonds, of the site, of the fonds anywhere, "
    "then the general one. Codes that were given stay, and are never given again.",
    none="There is no rule yet.",
    any="any",
    site="Site",
    office_fonds="Fonds number of the office",
    office_fonds_hint="For this fonds alone; empty for all.",
    fonds="Fonds number here",
    fonds_hint="Empty keeps the office's.",
    catalogue="Catalogue number here",
    pattern="Pattern",
    pattern_hint="Such as {fonds}-WS·{year}·{retention}-{item:4}, or {fonds}-{catalogue}-{volume:3}-{item:4}.",
    set_by="Set by",
    set="Save the rule",
    set_done="Saved.",
    give="Give archive codes with this acceptance",
    give_hint="A code that was given is never taken back; the office's codes stay beside it.",
    would_be="Codes that the rules would give",
    office_code="Office code",
    code="Archive code",
    of_all="{count:item|items}, the first {shown} are listed; given only with the acceptance.",
)
