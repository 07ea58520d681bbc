"""Fictitious catalogue rows: the same for the same number, so that every way of moving them moves the same rows."""

import datetime
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

import xlsxwriter

from protocol.records import Record
from protocol.vocabularies import AccessStatus

HEADINGS = (
    *("序号", "档号", "全宗号", "年度", "保管期限", "机构或问题", "件号"),
    *("责任者", "文号", "题名", "日期", "页数", "开放标识", "备注"),
)
TITLE, REMARK = HEADINGS.index("题名"), HEADINGS.index("备注")

TOPIC = "林地承包"
"""One of 40 topics: found in 25 of 1,000 rows."""

FIRST_MS = 1_700_000_000_000
"""Milliseconds since 1970 of the first row; each row follows a millisecond after the one before."""

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国文志海春生荣贵福根金水木土山林松柏梅竹菊云龙凤祥"
_PLACES = "上下东西南北前后大小新老石溪桥塘湾岭坪坞洋源岩坎青白黄红金银双"
_TOPICS = (
    TOPIC,
    *("宅基审批", "土地确权", "山林权属", "饮水工程", "财务收支", "计生证明", "退耕还林", "危房改造"),
    *("婚姻登记", "移民安置", "水库后扶", "换届选举", "资产清查", "低保评议", "征地补偿", "茶园改造"),
    *("毛竹承包", "税费减免", "合作医疗", "村庄规划", "公路养护", "电网改造", "防汛抗旱", "森林防火"),
    *("知青安置", "军人优抚", "民办教师", "校舍修建", "统购统销", "年终分配", "综合治理", "人民调解"),
    *("环境整治", "生态公益", "河道清淤", "扶贫开发", "党员发展", "信访事项", "户口迁移"),
)
_ACTS = ("签订", "审批", "变更", "调整", "申请", "核实", "处理", "登记", "公示", "续签", "终止", "验收")
_KINDS = ("通知", "批复", "请示", "报告", "决定", "意见", "合同书", "协议书", "会议纪要", "证明", "公告", "调查表")
_PERIODS = (("永久", "Y"), ("30年", "D30"), ("10年", "D10"))
_OPENNESS = ("开放", "开放", "控制", "未审核")

Row = tuple[str | int, ...]


def row(number: int, *, fonds: str = "X013", seed: int = 1) -> Row:
    """One row of a catalogue of items; ``number`` counts from 1."""
    draw = random.Random(seed << 40 | number)
    year = 1950 + int(74 * draw.random() ** 0.6)
    month, day = draw.randint(1, 12), draw.randint(1, 28)
    period, period_code = draw.choice(_PERIODS)
    village = f"{draw.choice(_PLACES)}{draw.choice(_SURNAMES)}村"
    person = draw.choice(_SURNAMES) + "".join(draw.choices(_GIVEN, k=draw.choice((1, 2, 2))))
    topic = _TOPICS[draw.randrange(len(_TOPICS))]
    title = f"关于{village}村民{person}{topic}{draw.choice(_ACTS)}事项的{draw.choice(_KINDS)}（第{number}号）"
    date = draw.choice((f"{year}{month:02d}{day:02d}", f"{year}-{month:02d}-{day:02d}", f"{year}年{month}月{day}日"))
    return (
        *(number, f"{fonds}-WS·{year}·{period_code}·BGS-{number:05d}", fonds, year, period, "办公室", f"{number:05d}"),
        *(f"{village}村民委员会", f"{village[0]}政〔{year}〕{draw.randint(1, 199)}号", title, date),
        *(draw.randint(1, 60), draw.choice(_OPENNESS), ""),
    )


def rows(count: int, *, fonds: str = "X013", seed: int = 1) -> Iterator[Row]:
    """The first ``count`` rows of a sheet."""
    return (row(number, fonds=fonds, seed=seed) for number in range(1, count + 1))


def write_workbook(path: Path, content: Iterable[Row], headings: Sequence[str] = HEADINGS) -> None:
    """Write a sheet as a digitising firm's program would: every cell text or number, one header row."""
    workbook = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = workbook.add_worksheet("归档文件目录")
    sheet.write_row(0, 0, headings)
    for line, cells in enumerate(content, 1):
        sheet.write_row(line, 0, cells)
    workbook.close()


def record(cells: Row, site: str) -> Record:
    """The record that a node makes of a row, made without the node: what the floors and peers carry."""
    number, code, fonds, year, period, org, item, party, doc_no, title, date, pages, _, _ = map(str, cells)
    draw = random.Random(f"{site}{number}")
    day = datetime.date(int(year), 1 + int(number) % 12, 1 + int(number) % 28)
    return Record(
        # Time first, as nodes mint them: ids that grow are cheaper to index than random ones.
        record_id=UUID(int=(FIRST_MS + int(number)) << 80 | draw.getrandbits(80), version=4),
        repository_id=site,
        title=title,
        ref_code=code,
        code_profile="dat13-item",
        fonds_no=fonds,
        category_code="WS",
        filing_year=int(year),
        org_or_subject=org,
        item_no=item,
        retention_as_given=period,
        responsible_parties=(party,),
        doc_no=doc_no,
        date_raw=date,
        date_edtf=day.isoformat(),
        date_earliest=day,
        date_latest=day,
        access_status=AccessStatus.OPEN,
        page_count=int(pages),
        changed_by="import",
        changed_at_ms=FIRST_MS + int(number),
    )
