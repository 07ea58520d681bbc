"""The fields that a column can hold, and the many headers under which vendors and offices name them.

Sources: DA/T 18-2022 and DA/T 22-2015 (names of fields), DA/T 46-2009, published vendors' sheets, systems that export
columns named by pinyin initials, and the English names of exports in use elsewhere. A header is compared after folding
(width, case, traditional characters, punctuation), so only one spelling of each stands here.
"""

import functools
import re
import unicodedata
from enum import StrEnum
from typing import Final

import msgspec

from protocol.analysis import fold

HEADER_CHARS_MAX: Final = 60
"""Characters of the longest header; longer cells are instructions or data."""

HEADER_CACHE_ENTRIES: Final = 4_096
"""Entries kept of texts already compared with the table."""


class Field(StrEnum):
    """What a column holds; the value is the name used in ``node.toml``."""

    REF_CODE = "ref_code"
    ARCHIVE_CODE = "archive_code"
    OFFICE_CODE = "office_code"
    OLD_CODE = "old_code"
    FONDS_NO = "fonds_no"
    CATEGORY_CODE = "category_code"
    CATALOGUE_NO = "catalogue_no"
    PROJECT_NO = "project_no"
    VOLUME_NO = "volume_no"
    ITEM_NO = "item_no"
    PAGE_NO = "page_no"
    PAGE_COUNT = "page_count"
    FILING_YEAR = "filing_year"
    RETENTION = "retention"
    ORG_OR_SUBJECT = "org_or_subject"
    TITLE = "title"
    VOLUME_TITLE = "volume_title"
    RESPONSIBLE = "responsible_parties"
    DOC_NO = "doc_no"
    DATE = "date"
    DATE_FROM = "date_from"
    DATE_TO = "date_to"
    SECRECY = "secrecy"
    ACCESS_STATUS = "access_status"
    ACCESS_REASON = "access_reason"
    REVIEWED_ON = "reviewed_on"
    REVIEW_BY = "review_by"
    DISCLOSURE = "disclosure"
    EXTENT = "extent"
    CARRIER = "carrier"
    FORM = "form"
    SCOPE = "scope"
    NOTE = "note"
    LIVELIHOOD_KIND = "livelihood_kind"
    LEVEL = "level"
    SEQUENCE = "sequence"
    """A running number of the list: known, so that it is not reported as unknown, and not part of the record."""
    PERSON = "person_name"
    IDENTITY = "identity_number"


MANY_COLUMNS: Final = frozenset((Field.PERSON, Field.IDENTITY))
"""Fields that several columns of a sheet may hold, such as the names of both spouses."""

SERIAL_RANK: Final = 2
"""Rank from which a column for codes may hold bare running numbers: ``编号`` and ``identifier`` promise no more."""

# For each field its names, the best first: a column under a better name wins over one under a lesser.
_NAMES: Final = (
    (
        Field.REF_CODE,
        "档号 全档号 完整档号 dh refcode referencecode",
        "档案号 档案编号 dah",
        "编号 identifier unitid code",
    ),
    (Field.ARCHIVE_CODE, "馆编档号 馆编号 gbdh"),
    (Field.OFFICE_CODE, "室编档号 室编号 sbdh"),
    (Field.OLD_CODE, "旧档号 原档号 老档号 ydh"),
    (Field.FONDS_NO, "全宗号 全宗编号 qzh fondsno fondsnumber", "全宗 fonds"),
    (Field.CATEGORY_CODE, "类别号 门类 档案门类 门类代码 档案门类代码 类别代码 lbh dalb categorycode"),
    (Field.CATALOGUE_NO, "目录号 案卷目录号 mlh catalogueno"),
    (Field.PROJECT_NO, "项目号 工程号 工程编号 xmh projectno"),
    (Field.VOLUME_NO, "案卷号 卷号 组号 册号 ajh volumeno", "馆编案卷号", "室编案卷号 案卷顺序号"),
    (Field.ITEM_NO, "件号 jh itemno", "馆编件号", "室编件号 归档件号"),
    (Field.PAGE_NO, "页号 页次 页码 起止页号 起止页码 起止页次 所在页号 yh pageno"),
    (Field.PAGE_COUNT, "页数 总页数 张数 总张数 卷内张数 卷内页数 文件页数 ys pagecount numberofpages", "页 张 pages"),
    (Field.FILING_YEAR, "年度 归档年度 nd filingyear", "年份 year"),
    (Field.RETENTION, "保管期限 保管年限 保存期限 保管期 bgqx retention retentionperiod", "期限"),
    (Field.ORG_OR_SUBJECT, "机构或问题 机构问题 机构 问题 归档部门 jghwt", "部门 处室 科室", "分类 分类名称"),
    (
        Field.TITLE,
        "题名 文件题名 标题 文件标题 正题名 tm wjtm wjbt title documenttitle",
        "文件名称 公文标题 名称 titleproper",
        "事由 件名 现名称 name",
    ),
    (Field.VOLUME_TITLE, "案卷题名 案卷标题 卷题名 案卷名称 ajtm ajbt volumetitle filetitle"),
    (
        Field.RESPONSIBLE,
        "责任者 文件责任者 第一责任者 作者 发文机关 zrz author creator creators responsibleparty",
        "发文单位 制发机关 形成单位 形成者 issuer mainissuer",
        "归档单位 立档单位 发布机构 发布单位 来源单位 sourcegovernment",
    ),
    (
        Field.DOC_NO,
        "文号 文件编号 发文字号 文件字号 文件文号 发文号 字号 wh wjbh docnumber docno documentnumber",
        "批准文号 批准文件 controlsymbol",
    ),
    (
        Field.DATE,
        "日期 成文日期 形成日期 文件日期 成文时间 形成时间 文件时间 rq cwrq xcrq wjrq date issued dateissued",
        "起止日期 起止时间 起止年月 起止年代 起讫日期 起讫时间 qzrq contentsdatestr contentsdate eventdates dates",
        "时间 年月日 签发日期 发文日期 登记日期 发布日期 印发日期 pubdate pubdateparsed publishingdate published",
    ),
    (Field.DATE_FROM, "起始日期 开始日期 起始时间 开始时间 起始年月 最早日期 datefrom startdate contentsstartdate"),
    (Field.DATE_TO, "终止日期 截止日期 结束日期 终止时间 截止时间 最晚日期 dateto enddate contentsenddate"),
    (Field.SECRECY, "密级 涉密等级 秘密等级 保密级别 mj secrecy securityclassification"),
    (Field.ACCESS_STATUS, "开放标识 开放状态 开放审核 划控 开放划控 控制标识 是否开放 kfzt kfbs accessstatus", "开放"),
    (Field.ACCESS_REASON, "控制理由 划控理由 控制原因 延期理由 不开放理由 accessreason reasons"),
    (Field.REVIEWED_ON, "开放审核日期 审核日期 鉴定日期 reviewedon accessdecisiondate"),
    (Field.REVIEW_BY, "复审日期 下次审核日期 延期至 reviewby"),
    (Field.DISCLOSURE, "公开属性 公开标识 公开方式 公开选择 disclosure"),
    (Field.EXTENT, "载体形态 数量及单位 extent extentandmedium", "数量"),
    (Field.CARRIER, "载体类型 载体 档案载体 carrier"),
    (Field.FORM, "生成方式 形成方式 form"),
    (Field.SCOPE, "范围和提要 内容提要 提要 摘要 内容摘要 主要内容 scope scopeandcontent abstract"),
    (Field.NOTE, "备注 附注 bz note notes remark remarks", "说明 comment generalnote"),
    (Field.LIVELIHOOD_KIND, "民生类别 民生档案类别 民生类型 专题 专题名称 专题类别", "类别 档案类别 档案种类 种类"),
    (Field.LEVEL, "著录层级 层级 聚合层次 著录级别 level levelofdescription descriptionlevel"),
    (Field.SEQUENCE, "序号 顺序号 流水号 xh sxh no seq"),
    (
        Field.PERSON,
        "姓名 人名 男方 女方 夫 妻 父名 母名 户主 当事人 承包方代表 产权人 收养人 信访人 持证人 xm personname",
    ),
    (Field.IDENTITY, "身份证号 身份证号码 身份证 公民身份号码 证件号码 sfzh sfzhm idnumber identitynumber"),
)

_TABLE: Final = {
    name: (field, rank) for field, *ranks in _NAMES for rank, names in enumerate(ranks) for name in names.split()
}
_ENDINGS: Final = (
    (re.compile(".{1,6}(?:身份证号码?|身份证|公民身份号码)"), Field.IDENTITY),
    (re.compile(".{1,6}(?:姓名|名字)"), Field.PERSON),
)
_IN_BRACKETS: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_MARKS: Final = re.compile(r"[\W_]+")


HEADER_NAME_CHARS_MAX: Final = 16
"""Characters of a cell that may be a header's name: longer ones are titles, and need no closer look."""


_CALLED: Final[dict[str, str]] = {field.value: ranks[0].split()[0] for field, *ranks in _NAMES}


class Meaning(msgspec.Struct, frozen=True):
    """The field that a header means, and how good a name for it the header is: 0 is best."""

    field: Field
    rank: int


def called(field: str) -> str:
    """Return what a field is called in Chinese, the best of its names; one of a later version as it came."""
    return _CALLED.get(field, field)


def is_header_name(text: str) -> bool:
    """Tell quickly whether a cell is just a header's name; a fuller comparison is `meaning_of`."""
    return len(text) <= HEADER_NAME_CHARS_MAX and plain_header(text) in _TABLE


def plain_header(text: str) -> str:
    """Return a header as it is compared: one width, case and script, without blanks and punctuation."""
    return _MARKS.sub("", fold(unicodedata.normalize("NFKC", text)))


@functools.lru_cache(maxsize=HEADER_CACHE_ENTRIES)
def meaning_of(text: str) -> Meaning | None:
    """Return what a header means, or None if the table does not know it."""
    if not text or len(text) > HEADER_CHARS_MAX or "{" in text:
        # Braces mark the places of a template that nobody has filled in.
        return None
    without_brackets = _IN_BRACKETS.sub("", unicodedata.normalize("NFKC", text))
    for plain in (plain_header(text), plain_header(without_brackets)):
        if plain in _TABLE:
            return Meaning(*_TABLE[plain])
        for ending, field in _ENDINGS:
            if ending.fullmatch(plain):
                return Meaning(field, 0)
    return None
