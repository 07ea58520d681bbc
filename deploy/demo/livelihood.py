"""The thirty kinds of livelihood records 民生档案, each with its own columns and a way to write a title.

A kind is data: who keeps it, in which years it arose, how long it is kept, what its index lists. In titles and columns
`{p}` and `{q}` are made-up persons, `{c}` a child, `{v}` the village, `{b}` its brigade, `{t}` the township of the
time, `{hill}` a local name 土名, `{bounds}` the four bounds 四至, `{area}` an area in mu, `{n}` a number, `{y}` a year,
`{unit}` an enterprise, `{school}` a school, `{day}` a day. Replace the list by the county's own.
"""

from collections.abc import Mapping
from random import Random

import msgspec

from deploy.demo.persons import invented_name
from protocol.vocabularies import LIVELIHOOD_KINDS


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of livelihood records; `id` and `name` are those of the protocol's list."""

    id: str
    name: str
    category: str
    """Class code: 专业 with a second level."""
    years: range
    period: str
    issuer: str
    title: str
    columns: tuple[tuple[str, str], ...]
    """Heading, and what stands below it."""
    in_villages: bool
    """Villages keep their own copies; all kinds arise in the township and end in the county archive."""


def _kind(
    name: str, class_code: str, span: tuple[int, int], period: str, issuer: str, title: str, columns: str, *, village: bool = False
) -> Kind:
    """Read one row of the table; `columns` is `heading=content` by semicolons."""
    pairs = (pair.partition("=") for pair in columns.split(";"))
    return Kind(
        id=_IDS[name],
        name=name,
        category=f"ZY·{class_code}",
        years=range(span[0], span[1] + 1),
        period=period,
        issuer=issuer,
        title=title,
        columns=tuple((heading, content) for heading, _, content in pairs),
        in_villages=village,
    )


_IDS = {kind.zh: kind.id for kind in LIVELIHOOD_KINDS.values()}
_HILL = "户主={p};村/队={b};山名（土名）={hill};四至={bounds};面积（亩）={area};证号=安林证字第{n}号"

KINDS: tuple[Kind, ...] = (
    _kind("婚姻登记", "HY", (1952, 2003), "D100", "{t}", "{p}、{q}结婚登记",
          "男方姓名={p};女方姓名={q};登记机关={t};字号=婚字第{n}号"),
    _kind("独生子女", "DS", (1979, 2015), "D30", "{v}", "{p}、{q}夫妇独生子女父母光荣证登记表",
          "父名={p};母名={q};子女姓名={c};证号={n}", village=True),
    _kind("再生育审批", "ZS", (1984, 2015), "D30", "{t}", "关于{p}、{q}夫妇再生育申请的审批", "夫={p};妻={q};审批文号=计生审〔{y}〕{n}号"),
    _kind("知青下乡", "ZQ", (1964, 1979), "Y", "{t}知青办", "知识青年{p}下乡插队登记表", "姓名={p};学校={school};下乡地点={b}"),
    _kind("知青返城", "FC", (1974, 1985), "Y", "安吉县知青办", "知识青年{p}返城介绍信存根", "姓名={p};接收单位={unit};子女姓名={c}"),
    _kind("招工录用", "ZG", (1960, 1995), "Y", "安吉县劳动局", "{unit}招收{p}为合同制工人审批表", "姓名={p};招工单位={unit};原单位={b}"),
    _kind("工人干部调动", "DD", (1955, 2000), "Y", "安吉县人事局", "{p}工作调动介绍信存根", "姓名={p};调出={unit};调入={school}"),
    _kind("精减下放", "JJ", (1961, 1963), "Y", "安吉县精简办公室", "精减职工{p}回乡证明存根", "姓名={p};原单位={unit};证号=精字{n}"),
    _kind("退休离休", "TX", (1958, 2010), "Y", "安吉县劳动局", "{unit}职工{p}退休审批表", "姓名={p};单位={unit};文号=劳退〔{y}〕{n}号"),
    _kind("退伍军人安置", "TW", (1955, 2012), "Y", "安吉县民政局", "退伍军人{p}安置登记表", "姓名={p};部队=某部{n}分队;安置单位={unit}"),
    _kind("优抚烈士", "YF", (1951, 2012), "Y", "安吉县民政局", "烈属{p}抚恤证存根", "姓名={p};籍贯={b};类别=烈属;证号=优字第{n}号"),
    _kind("社会保险工龄", "SB", (1992, 2016), "D100", "安吉县社保局", "{unit}职工{p}参保缴费工龄认定表", "姓名={p};单位={unit};参保起止={y}-"),
    _kind("工伤认定", "GS", (1996, 2018), "D30", "安吉县劳动局", "关于{p}工伤认定的决定书", "姓名={p};单位={unit};认定书号=工认〔{y}〕{n}号"),
    _kind("职称", "ZC", (1982, 2010), "D30", "安吉县人事局", "{p}专业技术职务任职资格评审表", "姓名={p};专业=林业;级别=助理工程师"),
    _kind("学籍毕业生", "XJ", (1950, 2012), "Y", "{school}", "{school}{y}届毕业生{p}学籍卡", "姓名={p};学校={school};证书号={n}"),
    _kind("山林权属", "LQ", (1981, 2010), "Y", "{v}", "{b}{p}户林权证存根（{hill}）", _HILL, village=True),
    _kind("林地承包流转", "CB", (1983, 2018), "Y", "{v}", "{v}与{p}户山林承包合同（土名{hill}，{bounds}）",
          "发包方={v};承包方={p};小地名={hill};四至={bounds};面积={area};合同号={n}", village=True),
    _kind("土地承包延包", "TD", (1983, 2018), "Y", "{v}", "{p}户农村土地承包经营权证登记表",
          "承包方代表={p};村组={b};地块={hill};面积={area};权证号=安农地承包权（{y}）第{n}号", village=True),
    _kind("土改房地产所有证", "TG", (1950, 1953), "Y", "孝丰县人民政府", "{t}{p}户土地房产所有证存根",
          "户主={p};乡村={b};地块={hill};房间数=3;证号=孝字第{n}号", village=True),
    _kind("宅基地农民建房", "ZJ", (1982, 2019), "Y", "{t}", "关于同意{b}{p}户新建住房宅基地的批复",
          "户主={p};地址={b}{hill};面积={area};批准文号=安土建〔{y}〕{n}号", village=True),
    _kind("房产登记房改", "FW", (1988, 2012), "Y", "安吉县房管处", "{p}房屋所有权登记", "产权人={p};坐落={b};证号=安房权证字第{n}号"),
    _kind("征地拆迁补偿", "ZD", (1995, 2020), "Y", "{t}", "{b}{p}户征地拆迁补偿安置协议",
          "户主={p};项目=公路改建;地块={hill};协议号={n}", village=True),
    _kind("移民", "YM", (1958, 2008), "Y", "安吉县移民办", "赋石水库移民{p}户迁移登记表", "户主={p};迁入村={b};人口=4;批次=二", village=True),
    _kind("公证", "GZ", (1981, 2015), "D60", "安吉县公证处", "关于{p}与{q}继承权公证书", "当事人={p}、{q};公证书号=（{y}）安证字第{n}号"),
    _kind("人民调解", "TJ", (1981, 2021), "D30", "{t}调委会", "{p}与{q}山林界址纠纷调解协议书（{hill}）",
          "甲方={p};乙方={q};纠纷类型=山林;协议书号={n}", village=True),
    _kind("法院诉讼", "SS", (1951, 2010), "D60", "安吉县人民法院", "{p}诉{q}相邻关系纠纷一案", "当事人={p}、{q};案号=（{y}）安民初字第{n}号"),
    _kind("信访", "XF", (1978, 2020), "D30", "{t}", "{p}来信反映{hill}界址问题的处理答复", "信访人={p};事由=山林界址;信访编号={n}"),
    _kind("企业改制职工安置", "GQ", (1996, 2006), "Y", "安吉县体改办", "{unit}改制职工{p}安置协议", "姓名={p};企业名={unit};安置方式=一次性安置"),
    _kind("低保救助残疾", "DB", (1997, 2021), "D30", "{v}", "{b}{p}户最低生活保障申请审批表", "户主={p};村={v};证号={n}", village=True),
    _kind("收养户籍生育接种", "SY", (1950, 2012), "D100", "{t}派出所", "{p}收养{c}户口迁移证存根", "收养人={p};姓名={c};证号=迁字第{n}号"),
)  # fmt: skip
"""The kinds in the order of the protocol's list."""

_HILLS = "大坞里 小坞口 石坎头 毛竹湾 外黄岭 上横山 杨家坪 狮子岩 冷水塘 横路下 塔山脚 青石弄 茶叶山 西坞 庙前 牛栏坑".split()  # noqa: SIM905 - a table
_SCHOOLS = ("县立初级中学", "中心小学", "农业中学", "茶校")
_UNITS = ("竹器厂", "茶叶精制厂", "供销合作社", "水泥厂", "农机修造厂", "丝绸厂")
_MARKS = ("大路", "溪沟", "石坎", "分水岭", "田塍", "水塘", "界石", "老坟")


def details(chance: Random, *, village: str, town: str, brigade: str, year: int) -> Mapping[str, str]:
    """Make up what the places in a kind's title and columns stand for."""
    east, south, west, north = chance.sample(_MARKS, 4)
    return {
        "p": invented_name(chance),
        "q": invented_name(chance),
        "c": invented_name(chance),
        "v": village,
        "t": town,
        "b": brigade,
        "y": str(year),
        "n": str(chance.randint(1, 2400)),
        "hill": chance.choice(_HILLS),
        "bounds": f"东至{east}，南至{south}，西至{west}，北至{north}",
        "area": f"{chance.randint(3, 220) / 10}",
        "unit": chance.choice(_UNITS),
        "school": chance.choice(_SCHOOLS),
    }
