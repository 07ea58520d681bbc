"""Which kind of livelihood records 民生档案 a row is: as its column says, or its title where that is certain."""

import functools
import re
from typing import Final

from protocol.vocabularies import LIVELIHOOD_KINDS

KINDS_CACHE_ENTRIES: Final = 1_024
"""Entries kept of cells already read."""

_OTHER_NAMES: Final = {
    "marriage": "婚姻 婚姻登记 结婚登记 离婚登记 结婚 离婚 补发婚姻证",
    "only_child": "独生子女证 独生子女登记",
    "birth_permit": "再生育 准生证 准生 生育审批",
    "youth_sent_down": "知青 知识青年 知青上山下乡 上山下乡",
    "youth_returned": "知青回城 知青返城子女",
    "recruitment": "招工 录用 招收工人",
    "job_transfer": "工人调动 干部调动 调动",
    "downsizing": "精减 下放 精简下放 精减退职",
    "retirement": "退休 离休 离退休",
    "veterans": "退伍军人 退役军人 复退军人 退伍安置",
    "martyrs": "优抚 烈士",
    "social_insurance": "社会保险 社保 养老保险 工龄",
    "work_injury": "工伤",
    "professional_titles": "职称评定 职称评审",
    "school_roll": "学籍 毕业生 学生学籍",
    "forest_rights": "山林权 林权 林权证 山林三定 林业三定",
    "forest_contracts": "林地承包 山林承包 林地流转 林权流转",
    "land_contracts": "土地承包 土地延包 二轮延包 农村土地承包",
    "land_reform": "土改 土地改革 土地房产所有证 土地证",
    "homesteads": "宅基地 农民建房 农村建房 建房审批",
    "housing": "房产 房改 房产登记 房屋产权",
    "land_taking": "征地 拆迁 征地拆迁 征迁 拆迁补偿",
    "resettlement": "水库移民 库区移民",
    "notarisation": "公证档案 公证书",
    "mediation": "调解 矛调 矛盾调解 纠纷调解",
    "court_cases": "诉讼 法院 诉讼档案",
    "petitions": "来信来访",
    "enterprise_reform": "企业改制 改制 职工安置",
    "relief": "低保 救助 残疾 五保 最低生活保障",
    "adoption_household": "收养 户籍 户口 生育接种 预防接种",
}
_BY_NAME: Final = {
    **{name: kind for kind, names in _OTHER_NAMES.items() for name in names.split()},
    **{known.zh: kind for kind, known in LIVELIHOOD_KINDS.items()},
    **{kind: kind for kind in LIVELIHOOD_KINDS},
}
_SUFFIX: Final = re.compile(r"(?:类|档案|材料|登记)+$")
# Titles of single cases only: words that administrative papers about the same matter do not end with.
_CERTAIN_TITLES: Final = (
    (re.compile(r"(?:结婚|离婚|复婚)登记(?:申请书|申请表|审查处理表|证明|材料)?$|补(?:领|发)结婚证$"), "marriage"),
    (re.compile(r"独生子女(?:父母光荣)?证(?:申请表|存根|登记表)?$"), "only_child"),
    (re.compile(r"知(?:识)?青(?:年)?(?:上山)?下乡(?:登记表|通知书存根)$"), "youth_sent_down"),
    (re.compile(r"(?:山林所有权证|自留山使用证|林权证|山林权证)(?:存根|登记表)?$"), "forest_rights"),
    (re.compile(r"(?:林地|山林|荒山|竹林)(?:承包|租赁|流转)(?:经营)?合同书?$"), "forest_contracts"),
    (re.compile(r"(?:土地|耕地|农田)承包(?:经营)?(?:合同书?|权证)(?:存根)?$"), "land_contracts"),
    (re.compile(r"土地房产所有证(?:存根)?$"), "land_reform"),
    (re.compile(r"(?:私人|农民|农村村民|村民)建房用地(?:申请|审批)表$|宅基地使用证(?:存根)?$"), "homesteads"),
    (re.compile(r"(?:人民)?调解协议书$"), "mediation"),
)


@functools.lru_cache(maxsize=KINDS_CACHE_ENTRIES)
def kind_of_cell(text: str) -> str:
    """Return the kind that a column or a folder's setting names; empty if it names none."""
    plain = "".join(text.split())
    return _BY_NAME.get(plain) or _BY_NAME.get(_SUFFIX.sub("", plain), "")


def kind_of_title(title: str) -> str:
    """Return the kind of a title that can be no other; empty for everything else, such as a notice on the matter."""
    if title.endswith(_ENDINGS):
        for pattern, kind in _CERTAIN_TITLES:
            if pattern.search(title):
                return kind
    return ""


_ENDINGS: Final = ("登记", "书", "表", "明", "料", "证", "根", "合同")
