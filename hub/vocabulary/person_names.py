"""What looks like a person's name, and how else people write it.

Surnames are a closed list, so a word of two to four Han characters that begins with one may be a name. Many words that
are none begin so as well (林地承包, 安吉县): what speaks of papers is left out here, places and words of the county's
tables by the caller (``hub.vocabulary.readings``). A wrong guess costs a few look-ups that find nothing.
"""

import re
from collections.abc import Iterable
from itertools import product
from typing import Final

import msgspec

from protocol.analysis import HAN, fold
from protocol.readings import Reading, ReadingKind
from protocol.wording import Text

NAME_CHARS_MIN: Final = 2
"""Characters of the shortest name."""

NAME_CHARS_MAX: Final = 4
"""Characters of the longest name: a compound surname, or that of the husband before one's own, and two more."""

NAME_FORMS_MAX: Final = 12
"""Other spellings of one name."""

SURNAMES: Final = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞"
    "任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏"
    "成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘"
    "缪干解应宗丁宣贲邓郁单杭洪包诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊惠甄曲家封芮羿储靳汲邴糜松井段富巫乌焦巴弓牧隗山谷车"
    "侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘钭厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴胥能苍双"
    "闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍郤璩桑桂濮牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居"
    "衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾毋沙乜养鞠须丰巢关蒯相查后荆红游竺权逯"
    "盖益桓公仉督岳帅缑亢况郈有琴归海晋楚闫法汝鄢涂钦付肖代丘兰占芦闪苟靖仝佟揭昂甫谯尉言火勇户答冼朴覃兀邸窄奕尧蓑练鹿由"
    "但揣来栗青苑侍线门接敬麦占卿冷令辜区律门种粟原相邝迟初年修银淡谌矫战翦亓官楼苪旷戚撒母才候雒邬粘阳拓敏信仵丑漆藏买晓税"
    "雪俎鲜植帖玉巨忻逯臧丛尢阙佘折黑秘妥要冶脱虎木旦台未计绪问光闾"
    "牟隋商南盘位豆普赫哈宾呼斯檀衣展智奉闭甯恽蹇綦苻沐畅过员铁留伦释阿"
)
"""Surnames of one character, simplified: those of the Hundred Surnames and others that are met today."""

_COMPOUND: Final = (
    "欧阳 上官 司马 诸葛 夏侯 皇甫 尉迟 公孙 慕容 长孙 宇文 司徒 司空 令狐 东方 独孤 南宫 端木 轩辕 百里 东郭 "
    "西门 呼延 闻人 澹台 公冶 宗政 濮阳 淳于 单于 太叔 申屠 仲孙 钟离 鲜于 闾丘 亓官 司寇 拓跋 赫连 万俟 第五 "
    "梁丘 左丘 完颜 纳兰"
)
COMPOUND_SURNAMES: Final = frozenset(_COMPOUND.split())
"""Surnames of two characters, simplified."""

SURNAME_FORMS: Final = "傅付 萧肖 阎闫 戴代 邱丘 蓝兰 詹占 卢芦 侯候 佘余 芮苪 涂凃 仝同 宁甯"
"""Surnames that people write for each other: simplifications of 1977 that were taken back, and slips of the pen."""

GIVEN_FORMS: Final = (
    "堃坤 喆哲 珮佩 曜耀 燿耀 邨村 濬浚 叡睿 甦苏 珎珍 秊年 煇辉 槑梅 囍喜 愽博 絜洁 仝同 栢柏 凃涂 晳皙 "
    "暎映 炤照 曌照 翺翱 蘓苏 麐麟 筱小 弍二 弎三 逹达 琁璇 昺炳 昞炳 皜皓 皞皓 粦磷 頴颖 鳯凤 巌岩 浜滨 "
    "悳德 惪德 茘荔 喦岩 嵒岩 崐昆 瑠琉 俢修 伩信"
)
"""Characters of given names that stand for each other and that folding leaves apart."""

_PAPERS: Final = re.compile(
    "合同|登记|承包|通知|报告|档案|证明|申请|协议|决定|意见|批复|请示|公告|公证|调解|纠纷|土地|山林|林地|林权|房产|名单|名册|花名|"
    "会议|工作|人民|政府|委员|公社|大队|小队|生产|村委|学校|小学|中学|医院|企业|公司|工厂|水库|移民|退休|退伍|社保|户口|户籍|婚姻|"
    "结婚|离婚|规划|计划|总结|统计|报表|账册|会计|财务|文件|材料|目录|[省市县区镇乡村]$|街道$|社区$"
)
_HAN_WORD: Final = re.compile(f"[{HAN}]{{{NAME_CHARS_MIN},{NAME_CHARS_MAX}}}")


class PersonName(msgspec.Struct, frozen=True, kw_only=True):
    """A name in its two parts, folded."""

    surname: str
    given: str

    @property
    def whole(self) -> str:
        """The name as one word."""
        return self.surname + self.given


def person_name(word: str) -> PersonName | None:
    """Return ``word`` as a person's name, or None if it does not look like one.

    Four characters are a name only with two surnames or a compound one: 欧阳建国, 王李秀英.
    """
    name = fold(word)
    if not _HAN_WORD.fullmatch(name) or _PAPERS.search(name):
        return None
    if len(name) > 2 and name[:2] in COMPOUND_SURNAMES:
        return PersonName(surname=name[:2], given=name[2:])
    is_double = name[0] in SURNAMES and name[1] in SURNAMES
    if name[0] in SURNAMES and (len(name) < NAME_CHARS_MAX or is_double):
        return PersonName(surname=name[0], given=name[1:])
    return None


def name_forms(name: PersonName) -> tuple[Reading, ...]:
    """Return the other spellings of a name, one changed character before two."""
    surnames = [name.surname] if len(name.surname) > 1 else [name.surname, *_SURNAME_FORMS.get(name.surname, ())]
    places = [surnames, *([character, *_GIVEN_FORMS.get(character, ())] for character in name.given)]
    # The first of all combinations is the name itself.
    spelt = ["".join(parts) for parts in product(*places)][1:]
    nearest = sorted(spelt, key=lambda text: len(_changes(name, text)))
    return tuple(_reading(name, text) for text in nearest[:NAME_FORMS_MAX])


def _changes(name: PersonName, text: str) -> list[tuple[str, str]]:
    return [(given, other) for given, other in zip(name.whole, text, strict=True) if given != other]


def _reading(name: PersonName, text: str) -> Reading:
    pairs = _changes(name, text)
    zh, en = ("、".join(f"{given}与{other}" for given, other in pairs), ", ".join(map("/".join, pairs)))
    note = Text(zh=f"{zh}常通写", en=f"{en} are written for each other")
    return Reading(text=text, kind=ReadingKind.NAME_FORM, note=note)


def _forms(groups: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Each character's other forms, those that folding makes equal left out."""
    found: dict[str, dict[str, None]] = {}
    for group in groups:
        folded = dict.fromkeys(map(fold, group))
        for one in folded:
            found.setdefault(one, {}).update({other: None for other in folded if other != one})
    return {one: tuple(others) for one, others in found.items()}


_SURNAME_FORMS: Final = _forms(SURNAME_FORMS.split())
_GIVEN_FORMS: Final = _forms(GIVEN_FORMS.split())
