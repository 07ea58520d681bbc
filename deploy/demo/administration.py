"""Ordinary records: what a county office, a township, a village or the window files in a year.

Titles, document numbers and meetings are made up; only the names of the bodies are those of the place.
"""

from random import Random

import msgspec

from deploy.demo.county import Place
from deploy.demo.layouts import Layout
from deploy.demo.persons import invented_name
from protocol.sites import SiteRank

_VILLAGE_TITLES = (
    "关于{y}年度村民委员会换届选举结果的报告",
    "{y}年村民代表会议记录",
    "关于{b}机耕路硬化工程的请示",
    "{y}年度集体资产清查登记表",
    "村规民约（{y}年修订）",
    "关于{b}自来水改造项目的合同",
    "{y}年森林防火值班记录",
    "关于推荐{p}同志为先进个人的报告",
    "毛竹林低产林改造验收单（{b}）",
    "白茶苗木采购协议",
    "{y}年度村级财务公开表",
    "关于{b}古树名木保护的通知",
)
_TOWN_TITLES = (
    "关于下达{y}年度造林绿化任务的通知",
    "关于{b}地质灾害隐患点排查情况的报告",
    "{y}年度工作总结和下年度工作思路",
    "关于同意{b}设立便民服务站的批复",
    "党委会议纪要（第{n}期）",
    "关于{p}等同志职务任免的通知",
    "关于做好{y}年防汛防台工作的通知",
    "{y}年度乡镇统计年报",
    "关于开展山林延包工作的实施意见",
    "关于申请{b}桥梁修建补助资金的请示",
)
_COUNTY_TITLES = (
    "关于{y}年全县国民经济计划的通知",
    "县长办公会议纪要〔第{n}次〕",
    "关于撤销皈山乡建制的请示",
    "关于全县林业“三定”工作情况的报告",
    "关于公布{y}年度先进集体名单的决定",
    "关于调整老石坎水库灌区水费标准的批复",
    "{y}年全县档案工作年度统计表",
    "关于毛竹收购价格的通知",
)
_WINDOW_TITLES = (
    "{p}与{q}山林界址纠纷调解卷宗",
    "{p}查阅宅基地档案登记表",
    "{p}与{q}相邻通行纠纷调解协议书",
    "矛盾纠纷调处化解登记台账（{y}年第{n}册）",
)
_OLD_COUNTY_TITLES = (
    "孝豐縣政府關於整理保甲戶口的訓令",
    "孝豐縣{b}鄉公所呈報竹山面積清冊",
    "孝豐縣參議會第{n}次會議紀錄",
    "孝豐縣田賦糧食管理處徵收底冊",
    "呈為{b}請求豁免竹木捐由",
)
_SPECIAL_TITLES = {
    Layout.ACCOUNTS: (
        "{y}年{m}月记账凭证（第{n}册）",
        "{y}年度总账",
        "{y}年度村级财务决算报表",
        "{y}年{m}月银行对账单",
    ),
    Layout.MEDIA: (
        "{y}年白茶采摘节照片",
        "机耕路竣工验收照片（{n}张）",
        "{y}年村民代表大会录像",
        "老党员口述录音（第{n}盘）",
    ),
    Layout.OBJECTS: ("{y}年度先进集体奖牌", "生产大队木质公章", "民兵连锦旗", "{y}年林业丰产示范户奖状"),
}

_TITLES = {
    SiteRank.VILLAGE: (_VILLAGE_TITLES, range(1978, 2021), "村委"),
    SiteRank.TOWNSHIP: (_TOWN_TITLES, range(1961, 2021), "政发"),
    SiteRank.COUNTY: (_COUNTY_TITLES, range(1959, 2019), "安政发"),
    SiteRank.UNIT: (_WINDOW_TITLES, range(2020, 2022), "安矛调"),
}
_BRIGADES = "上村 下村 中心 东山 西坞 外宅 里坑 新建 红旗 向阳 胜利 前进".split()  # noqa: SIM905 - a table


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """One ordinary record before it is numbered."""

    title: str
    issuer: str
    doc_no: str


def filing_years(rank: SiteRank) -> range:
    """Return the years from which a site of this rank keeps ordinary records."""
    return _TITLES[rank][1]


def brigade(place: Place, year: int, chance: Random) -> str:
    """Return a made-up part of a village by the word of its time: 生产队 in the people's communes, 村民小组 after."""
    word = "自然村" if year < 1958 else "生产队" if year <= 1983 else "村民小组"
    return f"{chance.choice(_BRIGADES)}{word}" if place.site.rank is SiteRank.VILLAGE else chance.choice(_BRIGADES)


def village_name(place: Place, year: int) -> str:
    """Return what a village was called in that year: 大队 in the time of the people's communes."""
    stem = place.name.removesuffix("社区").removesuffix("村")
    return f"{stem}大队" if 1958 <= year <= 1983 and place.site.rank is SiteRank.VILLAGE else place.name


def town_name(place: Place, year: int) -> str:
    """Return what the township was called in that year; 皈山乡 is one of those that are gone."""
    name = place.town_name or place.name
    stem = name.removesuffix("街道").removesuffix("镇").removesuffix("乡")
    if name == "孝源街道" and year < 2001:
        stem = "皈山"
    if year < 1958:
        return f"孝丰县{stem}乡" if stem in {"孝丰", "报福", "章村", "杭垓", "皈山"} else f"{stem}乡"
    return f"{stem}公社" if year <= 1983 else f"{stem}乡" if stem == "皈山" else name


def ordinary_paper(place: Place, year: int, chance: Random) -> Paper:
    """Make up one ordinary record of that year."""
    titles, _, mark = _TITLES[place.site.rank]
    title = chance.choice(titles).format(
        y=year,
        b=brigade(place, year, chance),
        n=chance.randint(1, 40),
        p=invented_name(chance),
        q=invented_name(chance),
    )
    prefix = f"{place.name[:1]}{mark}" if place.site.rank in {SiteRank.VILLAGE, SiteRank.TOWNSHIP} else mark
    doc_no = f"{prefix}〔{year}〕{chance.randint(1, 160)}号" if chance.random() < 0.7 else ""
    issuer = village_name(place, year) if chance.random() < 0.3 else place.unit_name
    return Paper(title=title, issuer=issuer, doc_no=doc_no)


def old_county_paper(chance: Random) -> Paper:
    """Make up one record of 孝丰县, which was merged into Anji in 1958, in the characters of its time."""
    title = chance.choice(_OLD_COUNTY_TITLES).format(b=chance.choice("仁義禮智信"), n=chance.randint(1, 12))
    return Paper(title=title, issuer="孝豐縣政府", doc_no=f"孝民字第{chance.randint(1, 900)}號")


def special_paper(layout: Layout, year: int, chance: Random) -> Paper:
    """Make up an accounting volume, a photograph or recording, or an object."""
    title = chance.choice(_SPECIAL_TITLES[layout]).format(y=year, m=chance.randint(1, 12), n=chance.randint(1, 30))
    return Paper(title=title, issuer="", doc_no="")
