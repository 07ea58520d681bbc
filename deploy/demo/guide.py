"""Five examples at the mediation window, each as what to click and what comes of it."""

import shlex

from deploy.demo.advice import program
from deploy.demo.county import STORY_TOWN_CODE, STORY_VILLAGE_CODE
from deploy.demo.foundation import Foundation
from deploy.demo.story import STORY_HILL, STORY_NUMBER, STORY_PERSON
from protocol.wording import Text


def guide(foundation: Foundation) -> list[Text]:
    """Return the examples; none where the sites of the story do not take part, or other catalogues are used."""
    codes = foundation.codes
    if not {STORY_TOWN_CODE, STORY_VILLAGE_CODE} <= set(codes) or foundation.participants[0].source is not None:
        return []
    home = shlex.quote(str(foundation.nodes / STORY_TOWN_CODE))
    keeper = f"{program('danglian-node')} requests --home {home}"
    hub = f"--home {shlex.quote(str(foundation.hub.root))}"
    return [_HEADING, _own_record(), _two_papers(), _nothing(), _refusal(home, hub), _certificate(keeper, hub)]


_HEADING = Text(
    zh="\n查档窗口的五个例子（用 demo 登录，打开“查档窗口”，点“登记新申请”）：",
    en="\nFive examples at the window (sign in as demo, open “Window”, then “New request”):",
)


def _own_record() -> Text:
    return Text(
        zh=f"  一、本人的结婚登记：公民本人，{STORY_PERSON}，证号 {STORY_NUMBER}，目的“婚姻”，\n"
        f"     勾选“已当面核对”；检索词“结婚登记”，涉及的人“{STORY_PERSON}”。\n"
        "     查到后勾选条目、关系“当事人”，规则 R04 当场同意。",
        en=f"  1. An own marriage record: citizen, {STORY_PERSON}, number {STORY_NUMBER}, purpose “marriage”,\n"
        f"     originals compared; words 结婚登记, person {STORY_PERSON}.\n"
        "     Tick the entry, relation “subject”: rule R04 allows it.",
    )


def _two_papers() -> Text:
    return Text(
        zh=f"  二、调解员查山林合同：先在此输入 stop {STORY_VILLAGE_CODE}；调解组织，目的“信访、矛盾调解”，填案号；\n"
        f"     检索词“{STORY_HILL}”，涉及的人“{STORY_PERSON}”。1986 年的先到；再输入 start {STORY_VILLAGE_CODE}，\n"
        "     2014 年的自动补入页面，标为“后来答复”。",
        en=f"  2. A mediator's forest contract: type stop {STORY_VILLAGE_CODE} here first; mediation body, purpose\n"
        f"     “petition, mediation”, a case number; words {STORY_HILL}, person {STORY_PERSON}. The paper of 1986\n"
        f"     comes first; type start {STORY_VILLAGE_CODE}, and that of 2014 fills in by itself, marked.",
    )


def _nothing() -> Text:
    return Text(
        zh="  三、查无此档：检索词“不存在的档案”，地点“皈山场”。打开“完整性说明”，\n"
        "     看问了谁、截至何时，再点“出具查无此档证明”。",
        en="  3. Nothing found: words 不存在的档案, place 皈山场. Open the completeness statement: who was asked, as\n"
        "     of when; then issue the statement of no record.",
    )


def _refusal(home: str, hub: str) -> Text:
    here = f"{program('danglian-hub')} audit show --site {STORY_TOWN_CODE} {hub}"
    there = f"{program('danglian-node')} audit --home {home}"
    return Text(
        zh="  四、保管单位不予提供：公民本人，姓名、证号同例一，目的改选“学术研究”；检索词“结婚登记”，\n"
        f"     涉及的人“{STORY_PERSON}”。孝源街道档案室按自己的规则（其 node.toml 末尾）答“不予提供”：\n"
        "     查到 1 条，一条不给。两端各有一条留痕，登记号相同：\n"
        f"     县里（或用 audit 登录看“留痕”）：{here}\n"
        f"     保管单位：{there}",
        en="  4. A refusal by the holder: citizen, name and number of example 1, purpose “research”; words 结婚登记,\n"
        f"     person {STORY_PERSON}. The archive of 孝源 refuses by a rule of its own (end of its node.toml):\n"
        "     one record found, none told. Each end has its line, under the same number of the request:\n"
        f"     at the county (or sign in as audit): {here}\n"
        f"     at the holder: {there}",
    )


def _certificate(keeper: str, hub: str) -> Text:
    verify = f"{program('danglian-hub')} certificate verify FILE {hub}"
    return Text(
        zh="  五、出证、核验、撤销：在例一的条目旁“申请复制件或证明”，选“档案证明”，写一项如“登记日期”；\n"
        f"     保管单位审批：{keeper}\n"
        f"     制成后登记用纸、打印；核验：{verify}\n"
        "     改动文件一个字节再核验；在页面上撤销后再核验。",
        en="  5. A certificate: beside the entry of example 1 order an archival statement of one fact;\n"
        f"     the holder decides: {keeper}\n"
        f"     Enter paper and print it once it is made; verify it: {verify}\n"
        "     Change one byte of the file and verify again; revoke it on the page and verify again.",
    )
