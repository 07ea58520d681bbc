"""The closed vocabularies of a catalogue entry, each with the Chinese words that stand for its values.

Values and words follow DA/T 18-2022. A reader never raises: it returns the value it may safely assume and the finding
codes that say so. Text that cannot be read in a secrecy cell reads as secret, because a mistake there must not travel.
"""

import functools
import re
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

VOCABULARY_CACHE_ENTRIES: Final = 256
"""Entries kept of texts already read, for each vocabulary: sheets repeat a handful of words."""

Findings = tuple[str, ...]
"""Finding codes of the registry, usually none."""


class Level(StrEnum):
    """Level of description 著录层级."""

    FONDS = "fonds"
    SERIES = "series"
    VOLUME = "volume"
    ITEM = "item"
    PERSON_INDEX_ROW = "person_index_row"
    """One person named in a volume: many rows for one volume of marriage or settlement files."""


class AccessStatus(StrEnum):
    """Outcome of the opening review 开放标识."""

    OPEN = "open"
    RESTRICTED = "restricted"
    DEFERRED = "deferred"
    UNREVIEWED = "unreviewed"


def believed_access(said: str) -> AccessStatus:
    """Return the access status that a site says; a word of a later version counts as the most restrictive one."""
    try:
        return AccessStatus(said)
    except ValueError:
        return AccessStatus.RESTRICTED


class Disclosure(StrEnum):
    """Disclosure attribute 公开属性 given by the body that made the document."""

    PROACTIVE = "proactive"
    ON_REQUEST = "on_request"
    WITHHELD = "withheld"


class Secrecy(StrEnum):
    """Security classification 密级."""

    NONE = "none"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    """秘密"""
    SECRET = "secret"  # noqa: S105 - a classification, not a password
    """机密"""
    TOP_SECRET = "top_secret"  # noqa: S105 - a classification, not a password
    """绝密"""

    @property
    def travels(self) -> bool:
        """True if an entry so marked may leave its site (promise 8)."""
        return self in _TRAVELLING


_TRAVELLING: Final = frozenset((Secrecy.NONE, Secrecy.INTERNAL))


class Form(StrEnum):
    """How the record exists 生成方式."""

    BORN_DIGITAL = "born_digital"
    DIGITISED = "digitised"
    PAPER = "paper"


Value = TypeVar("Value", bound=StrEnum)


def _words(*rows: tuple[Value, str]) -> dict[str, Value]:
    return {word.casefold(): value for value, words in rows for word in (*words.split(), value.value)}


# English words are those of ISAD(G), as AtoM, ArchivesSpace and national archives export them: a file there is a volume
# of papers 案卷, and a single document is an item.
_LEVELS: Final = _words(
    (Level.FONDS, "全宗级 全宗 collection recordgroup"),
    (Level.SERIES, "类别级 类别 系列 系列级 subseries sub-series"),
    (Level.VOLUME, "案卷级 案卷 卷 卷级 file"),
    (Level.ITEM, "文件级 文件 件 件级 卷内文件 卷内级 document"),
    (Level.PERSON_INDEX_ROW, "人名级 人名 人名索引 人员"),
)
_ACCESS: Final = _words(
    (AccessStatus.OPEN, "开放 已开放 开放档案"),
    (AccessStatus.RESTRICTED, "控制 控制使用 划控 限制 限制使用 不开放 不予开放 未开放 closed openwithexception"),
    (AccessStatus.DEFERRED, "延期开放 延期 暂缓开放 延迟开放"),
    (AccessStatus.UNREVIEWED, "未审核 待审核 未鉴定 待审 未审 notyetexamined"),
)
_DISCLOSURES: Final = _words(
    (Disclosure.PROACTIVE, "主动公开 公开"),
    (Disclosure.ON_REQUEST, "依申请公开 申请公开"),
    (Disclosure.WITHHELD, "不予公开 不公开 非公开"),
)
_FORMS: Final = _words(
    (Form.BORN_DIGITAL, "原生 电子 原生电子 电子文件 编辑"),
    (Form.DIGITISED, "数字化 扫描 扫描件 数字化副本 纸质数字化"),
    (Form.PAPER, "纸质 纸 纸张 传统载体"),
)
_UNCLASSIFIED: Final = frozenset(
    ("无", "无密级", "非密", "非涉密", "不涉密", "不保密", "公开", "一般", "普通", "none", "/", "\\", "-", "—", "、")
)
_INTERNAL: Final = frozenset(
    ("内部", "内部资料", "内部文件", "内部使用", "内部事项", "内部材料", "内部刊物", "内部★", "internal")
)
_MARKS: Final = (
    (Secrecy.TOP_SECRET, re.compile(r"绝密|絕密|top.?secret", re.IGNORECASE)),
    (Secrecy.SECRET, re.compile(r"机密|機密|secret", re.IGNORECASE)),
    (Secrecy.CONFIDENTIAL, re.compile(r"秘密|祕密|confidential", re.IGNORECASE)),
)
_UNREADABLE_SECRECY: Final = (Secrecy.CONFIDENTIAL, ("secrecy_unreadable",))
_NEGATED: Final = re.compile(r"[非不无未已解降]")


def _tight(raw: str) -> str:
    return "".join(raw.split())


def _word(raw: str) -> str:
    """Return a cell as the tables of words have it: spaces and capitals say nothing."""
    return _tight(raw).casefold()


@functools.lru_cache(maxsize=VOCABULARY_CACHE_ENTRIES)
def parse_level(raw: str) -> tuple[Level, Findings]:
    """Read a level of description; an empty cell is an item, as every row of an item list is."""
    word = _word(raw)
    if word in _LEVELS:
        return _LEVELS[word], ()
    return Level.ITEM, ("level_unreadable",) if word else ()


@functools.lru_cache(maxsize=VOCABULARY_CACHE_ENTRIES)
def parse_access_status(raw: str) -> tuple[AccessStatus, Findings]:
    """Read an access status; an empty or unreadable cell is unreviewed, which opens nothing."""
    word = _word(raw)
    if word in _ACCESS:
        return _ACCESS[word], ()
    return AccessStatus.UNREVIEWED, ("access_status_unreadable",) if word else ()


@functools.lru_cache(maxsize=VOCABULARY_CACHE_ENTRIES)
def parse_disclosure(raw: str) -> tuple[Disclosure | None, Findings]:
    """Read a disclosure attribute; None where the sheet does not say."""
    word = _word(raw)
    if word in _DISCLOSURES:
        return _DISCLOSURES[word], ()
    return None, ("disclosure_unreadable",) if word else ()


@functools.lru_cache(maxsize=VOCABULARY_CACHE_ENTRIES)
def parse_form(raw: str) -> tuple[Form | None, Findings]:
    """Read the form of a record; None where the sheet does not say."""
    word = _word(raw)
    if word in _FORMS:
        return _FORMS[word], ()
    return None, ("form_unreadable",) if word else ()


@functools.lru_cache(maxsize=VOCABULARY_CACHE_ENTRIES)
def parse_secrecy(raw: str) -> tuple[Secrecy, Findings]:
    """Read a classification with or without its period (``机密★10年``); the highest mark in the cell wins.

    Text that is neither a mark nor a known word for "none" reads as CONFIDENTIAL with ``secrecy_unreadable``: the entry
    stays at its site until somebody corrects the cell.
    """
    word = _word(raw)
    if not word or word in _UNCLASSIFIED:
        return Secrecy.NONE, ()
    if word in _INTERNAL:
        return Secrecy.INTERNAL, ()
    for mark, pattern in _MARKS:
        if pattern.search(word):
            # "已解密", "原机密", "非秘密" may mean the opposite of the mark: keep the mark, and ask somebody to look.
            return mark, ("secrecy_unreadable",) if _NEGATED.search(word) else ()
    return _UNREADABLE_SECRECY


class LivelihoodKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of livelihood records 民生档案; ``id`` is what a record carries and is never renamed."""

    id: str
    zh: str
    en: str


_TABLE: Final = (
    ("marriage", "婚姻登记", "marriage registration"),
    ("only_child", "独生子女", "only-child certificates"),
    ("birth_permit", "再生育审批", "birth permits"),
    ("youth_sent_down", "知青下乡", "educated youth sent to the countryside"),
    ("youth_returned", "知青返城", "educated youth returned to the city"),
    ("recruitment", "招工录用", "recruitment"),
    ("job_transfer", "工人干部调动", "job transfers"),
    ("downsizing", "精减下放", "staff reduced in the 1960s"),
    ("retirement", "退休离休", "retirement"),
    ("veterans", "退伍军人安置", "resettlement of veterans"),
    ("martyrs", "优抚烈士", "martyrs and special care"),
    ("social_insurance", "社会保险工龄", "social insurance and length of service"),
    ("work_injury", "工伤认定", "work injury findings"),
    ("professional_titles", "职称", "professional titles"),
    ("school_roll", "学籍毕业生", "school rolls and graduates"),
    ("forest_rights", "山林权属", "forest tenure"),
    ("forest_contracts", "林地承包流转", "forest land contracts and transfers"),
    ("land_contracts", "土地承包延包", "farmland contracts and their extension"),
    ("land_reform", "土改房地产所有证", "land reform title deeds of the 1950s"),
    ("homesteads", "宅基地农民建房", "homesteads and farmers' houses"),
    ("housing", "房产登记房改", "housing registration and reform"),
    ("land_taking", "征地拆迁补偿", "land taking and compensation"),
    ("resettlement", "移民", "reservoir and power-station resettlement"),
    ("notarisation", "公证", "notarisation"),
    ("mediation", "人民调解", "people's mediation"),
    ("court_cases", "法院诉讼", "court cases"),
    ("petitions", "信访", "petitions"),
    ("enterprise_reform", "企业改制职工安置", "enterprise reform and resettled employees"),
    ("relief", "低保救助残疾", "minimum allowance, relief and disability"),
    ("adoption_household", "收养户籍生育接种", "adoption, household, birth and vaccination"),
)

LIVELIHOOD_KINDS: Final = {kind: LivelihoodKind(id=kind, zh=zh, en=en) for kind, zh, en in _TABLE}
"""The thirty kinds by id. The list is assembled from several archives' published catalogues and stands in until the
county gives its own."""
