"""The words of tokens for other systems, in both languages."""

import msgspec


class TokensWords(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens by which other systems use the interface."""

    title: str
    lead: str
    open: str
    name: str
    name_hint: str
    scopes: str
    scopes_hint: str
    days: str
    add_title: str
    add: str
    made_title: str
    made_lead: str
    state: str
    good: str
    expired: str
    revoked: str
    until: str
    used: str
    made_by: str
    revoke: str
    revoke_sure: str
    revoked_done: str
    none: str
    never: str


CHINESE = TokensWords(
    title="接口令牌",
    lead="其他系统凭令牌使用 /api/v1 与 /metrics，各有范围和期限。",
    open="接口令牌",
    name="使用它的系统",
    name_hint="例如：省档案馆目录平台",
    scopes="范围",
    scopes_hint="未开放条目和审计日志的令牌只在服务器上用 danglian-hub token 签发。",
    days="有效天数",
    add_title="新增令牌",
    add="生成令牌",
    made_title="{name} 的令牌",
    made_lead="只显示这一次，请妥善交给该系统的管理员。库中只存摘要。",
    state="状态",
    good="有效",
    expired="已过期",
    revoked="已撤销",
    until="到期",
    used="最近使用",
    made_by="生成人",
    revoke="撤销",
    revoke_sure="撤销后立即失效，不可恢复，确定？",
    revoked_done="已撤销，立即失效。",
    none="还没有令牌。",
    never="从未",
)

ENGLISH = TokensWords(
    title="Tokens",
    lead="Other systems use /api/v1 and /metrics with a token, each for named scopes and a limited time.",
    open="Tokens for other systems",
    name="The system that uses it",
    name_hint="Such as: catalogue of the provincial archive",
    scopes="Scopes",
    scopes_hint="Tokens for entries that are not open and for the audit log are made at the server alone, with "
    "danglian-hub token.",
    days="Good for days",
    add_title="New token",
    add="Make a token",
    made_title="Token of {name}",
    made_lead="It is shown this once; hand it safely to whoever looks after that system. The store keeps its digest.",
    state="State",
    good="good",
    expired="expired",
    revoked="revoked",
    until="Expires",
    used="Last used",
    made_by="Made by",
    revoke="Revoke",
    revoke_sure="It is worthless at once and for good. Revoke it?",
    revoked_done="Revoked: it is worthless now.",
    none="There are no tokens yet.",
    never="never",
)
