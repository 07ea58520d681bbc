"""What the audit log keeps in words of the program, said to a reader of Chinese; the log itself is never written anew.

A line keeps its detail in short English words, the same for whoever wrote it, so that a search and a later version know
them again. What this version does not know is shown as it stands.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from hub.audit import Action
from hub.commands.fields import ACCESS
from hub.decisions.proposals import STATES as PROPOSAL_STATES
from hub.decisions.rulings import DECIDED
from hub.repair.redriving import REDRIVEN
from hub.staff.roles import ROLES
from hub.web.request_lookups import SITE_OUTCOMES
from hub.window.research import PART_STATES
from hub.window.states import STATES, STEPS
from protocol.audit_chain import AuditLine
from protocol.case_words import PURPOSE_WORDS
from protocol.copies import PRODUCTS
from protocol.proposals import FIELD_WORDS
from protocol.vocabularies import AccessStatus
from protocol.wording import Text
from replication.transfer_words import STATES as TRANSFER_STATES

Said = Callable[[re.Match[str]], str]


def _worded(words: Mapping[str, str]) -> Callable[[str], str]:
    return lambda word: words.get(word, word)


_step, _state = (_worded({key.value: text.zh for key, text in known.items()}) for known in (STEPS, STATES))
_outcome = _worded({key.value: text.zh for key, text in SITE_OUTCOMES.items()})
_role = _worded({key.value: text.zh for key, text in ROLES.items()})
_product = _worded({key.value: text.zh for key, text in PRODUCTS.items()})
_part = _worded({key.value: text.zh for key, text in PART_STATES.items()})
_transfer = _worded({key.value: text.zh for key, text in TRANSFER_STATES.items()})
_redriven = _worded({key.value: text.zh for key, text in REDRIVEN.items()})
_decided = _worded({key.value: text.zh for key, text in DECIDED.items()})
_proposal = _worded({key.value: text.zh for key, text in PROPOSAL_STATES.items()})
_field = _worded({str(key): text.zh for key, text in FIELD_WORDS.items()})
_purpose = _worded({key: text.zh for key, text in PURPOSE_WORDS.items()})
_ruled = _worded({"accept": "接收", "return": "退回", "hold": "暂缓"})
_brake = _worded({"release": "放行", "reject": "驳回"})
_kept = _worded({"held": "暂缓清除", "released": "不再暂缓"})
_way = _worded({"locked": "账户已停用", "form without its token": "表单不是从本页发出的"})
_code = _worded({"replaces": "更换电脑", "courier": "用 U 盘往来"})


def _each(words: Callable[[str], str], parted: str, joined: str = "、") -> Callable[[str], str]:
    return lambda text: joined.join(words(one) for one in text.split(parted))


def _counted(words: Callable[[str], str]) -> Said:
    """Say `kept 2, applied 1`."""
    return lambda found: "，".join(
        f"{words(name)} {count}" for name, _, count in (one.partition(" ") for one in found[0].split(", "))
    )


_roles = _each(_role, ",")
_CASE = r"request (\S+); case (.*?)"
_PURPOSE = rf"{_CASE}; for (\w+)"


def _case(found: re.Match[str]) -> str:
    # The request's own id stands in the object or says nothing to a reader; the number of the case does.
    return f"案号 {found[2]}，目的“{_purpose(found[3])}”"


def _copy(found: re.Match[str]) -> str:
    return f"{_product(found[1])}，保管单位 {found[3]}，编号 {found[4]}，条目 {found[2]}"


_DETAILS: Final[Mapping[Action, tuple[tuple[str, Said], ...]]] = {
    Action.SIGN_IN: ((r".+", lambda found: _way(found[0])),),
    Action.ACCESS_REFUSED: ((r".+", lambda found: _way(found[0])),),
    Action.ACCOUNT_ADDED: ((r"[\w,]+", lambda found: _roles(found[0])),),
    Action.ROLES_CHANGED: ((r"([\w,]*) -> ([\w,]*)", lambda found: f"{_roles(found[1])} → {_roles(found[2])}"),),
    Action.REDRIVEN: ((r"\w+ \d+(?:, \w+ \d+)*", _counted(_redriven)),),
    Action.DECIDED: ((r"(\w+)(.*)", lambda found: _decided(found[1]) + found[2]),),
    Action.UNDECIDED: ((r"\w+", lambda found: _decided(found[0])),),
    Action.BRAKE_DECIDED: ((r"\w+", lambda found: _brake(found[0])),),
    Action.CODE_ISSUED: ((r"\w+(?: \w+)*", lambda found: _each(_code, " ")(found[0])),),
    Action.ENTRIES_LISTED: ((r"(\d+): (.*)", lambda found: f"{found[1]} 条：{found[2]}"),),
    Action.CATALOGUE_EXPORTED: (
        (r"(\w+): (\d+), restricted: (\d+)", lambda found: f"{found[1]}，{found[2]} 条，其中控制 {found[3]} 条"),
    ),
    Action.REQUEST_STEPPED: (
        (
            r"(\w+) -> (\w+)(?: by (\S+))?",
            lambda found: f"{_step(found[1])} → {_state(found[2])}" + (f"，依据 {found[3]}" if found[3] else ""),
        ),
        (r"research planned", lambda _: "订立专题查档计划"),
        (r"research part of (\S+): (\w+)", lambda found: f"专题查档：{found[1]} {_part(found[2])}"),
        (r"research line with (\d+) sources?", lambda found: f"专题查档：记一行，出处 {found[1]} 个"),
        (r"research line taken out", lambda _: "专题查档：移除一行"),
    ),
    Action.RESEARCH_EXPORTED: ((r"(\d+) lines", lambda found: f"{found[1]} 行"),),
    Action.CASE_CHANGED: (
        (r"recorded", lambda _: "登记"),
        (r"changed", lambda _: "修改"),
        (r"linked request (\S+)", lambda found: f"关联申请 {found[1]}"),
        (r"document added: .*", lambda _: "卷内增加一份材料"),
        (r"document taken off", lambda _: "卷内移除一份材料"),
    ),
    Action.TABLE_TAKEN: ((r"version (\d+)", lambda found: f"第 {found[1]} 版"),),
    Action.LOOKUP_ASKED: (
        (rf"{_PURPOSE}; (\d+) of (\d+) sites", lambda found: f"{_case(found)}；{found[5]} 个站点中问了 {found[4]} 个"),
    ),
    Action.LOOKUP_WIDENED: (
        (rf"{_PURPOSE}; (\d+) more sites: (.*)", lambda found: f"{_case(found)}；再问 {found[4]} 个站点：{found[5]}"),
    ),
    Action.LOOKUP_ANSWERED: (
        (
            rf"{_PURPOSE}; (\w+), (\d+) told, (\d+) withheld",
            lambda found: f"{_case(found)}；{_outcome(found[4])}，给出 {found[5]} 条，不予提供 {found[6]} 条",
        ),
    ),
    Action.LOOKUP_EXPIRED: ((_PURPOSE, _case),),
    Action.STATEMENT_MADE: ((rf"{_CASE}; (\d+) questions", lambda found: f"案号 {found[2]}；{found[3]} 项问题"),),
    Action.COPY_ORDERED: ((r"(\w+) (\S+) (\S+) (\S+)", _copy),),
    Action.COPY_WITHDRAWN: ((r"(\w+) (\S+) (\S+) (\S+)", _copy),),
    Action.CERTIFICATE_ISSUED: ((r"(\w+): (\d+)", lambda found: f"{_product(found[1])}，{found[2]} 页"),),
    Action.CERTIFICATE_REVOKED: ((r"\w+", lambda found: _product(found[0])),),
    Action.REQUEST_HELD: ((r"\w+", lambda found: _kept(found[0])),),
    Action.REQUESTS_DISPOSED: ((r"(\S+) to (\S+); (.*)", lambda found: f"{found[1]} 至 {found[2]}；{found[3]}"),),
    Action.PAPERS_DISPOSED: ((r"(\S+) to (\S+); (.*)", lambda found: f"{found[1]} 至 {found[2]}；{found[3]}"),),
    Action.TRANSFER_RULED: (
        (r"(\d+) box(?:es)?, (\d+) volumes? seen", lambda found: f"清点 {found[1]} 盒，实有 {found[2]} 卷"),
        (r"\w+ \d+(?:, \w+ \d+)*", _counted(_ruled)),
    ),
    Action.TRANSFER_DECIDED: (
        (
            r"(\w+): (\d+) accepted, (\d+) returned, (\d+) held",
            lambda found: f"{_transfer(found[1])}：接收 {found[2]} 件，退回 {found[3]} 件，暂缓 {found[4]} 件",
        ),
        (r"round (\d+) sent back", lambda found: f"第 {found[1]} 轮整包退回"),
    ),
    Action.PLAN_CHANGED: (
        (r"(\d+) lines", lambda found: f"{found[1]} 行"),
        (r"(\S+): (\d+) years, (.*?): (.*)", lambda found: f"{found[1]}：满 {found[2]} 年，{found[3]}：{found[4]}"),
        (r"(\S+): taken back", lambda found: f"{found[1]}：取消约定"),
    ),
    Action.CHANGE_PROPOSED: ((r"[\w, ]+", lambda found: _each(_field, ", ")(found[0])),),
    Action.PROPOSAL_DECIDED: ((r"(\w+)(.*)", lambda found: _proposal(found[1]) + found[2]),),
}
"""For each action the forms that its detail has, and how each is said."""

_OBJECTS: Final = (
    (re.compile(r"request[ :](\S+)"), "申请 {0}"),
    (re.compile(r"lookup (\S+)"), "提问 {0}"),
    (re.compile(r"case (.+)"), "案件 {0}"),
    (re.compile(r"certificate:(\S+)"), "证明 {0}"),
    (re.compile(r"token:(\S+)"), "令牌 {0}"),
    (re.compile(r"(\d+) requests"), "{0} 份申请"),
    (re.compile(r"transfer (\S+)"), "移交 {0}"),
    (re.compile(r"transfer (\S+) (\S+)"), "移交 {0}，条目 {1}"),
    (re.compile(r"transfer (\S+) (\S+) file (\d+)"), "移交 {0}，条目 {1}，文件 {2}"),
)


def detail_in_words(line: AuditLine) -> Text:
    """Return what a line says of its action; in English as it stands."""
    if line.action == Action.ENTRY_READ and line.detail in tuple(AccessStatus):
        # Of a reading the log keeps by its own name what kept the entry closed.
        return ACCESS[AccessStatus(line.detail)]
    forms = _DETAILS.get(Action(line.action), ()) if line.action in tuple(Action) else ()
    for form, said in forms:
        found = re.fullmatch(form, line.detail)
        if found is not None:
            return Text(zh=said(found), en=line.detail)
    return Text(zh=line.detail, en=line.detail)


def object_in_words(line: AuditLine) -> Text:
    """Return what a line is about."""
    for form, said in _OBJECTS:
        found = form.fullmatch(line.object)
        if found is not None:
            return Text(zh=said.format(*found.groups()), en=line.object)
    return Text(zh=line.object, en=line.object)
