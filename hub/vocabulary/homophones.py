"""Which characters sound alike: the same without its tone, or nearly so to the people who wrote the catalogues.

The readings of characters come from pypinyin. Only its table of single characters is wanted, so its phrases, four times
as large, stay on the disk. The table is read when the first name is asked for (0.2 s, 11 MB), never at import.

"Usual in text" are the 6,763 characters of GB 2312, ordered as they are met in names: those of ``USUAL_IN_NAMES``
first, then the standard's first level, then its second. Of the readings of a character only the usual one counts, and
those of ``NAME_READINGS``: with every reading of the dictionary each name would sound like any other.
"""

import functools
import os
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from hub.vocabulary.person_names import SURNAMES, PersonName
from protocol.analysis import fold
from protocol.readings import SOUND_ALIKES_MAX, Homophones, SoundAlikes

CACHE_ENTRIES: Final = 4_096
"""Characters whose sound-alikes are kept ready: some 150 bytes each."""

LESS_USUAL: Final = 10_000
"""Rank from which characters are usual in text but not in names."""

_READ_IN_NAMES: Final = (
    "曾zeng 单shan 解xie 仇qiu 查zha 区ou 任ren 华hua 盖ge 朴piao 翟zhai 缪miao 冼xian 员yun 乐le/yue 折she 黑he "
    "种chong 秘bi 洗xian 召shao 繁po 宓mi 覃qin/tan 尉yu 车ju 贾gu 柏bo 薄bo 燕yan 宁ning 纪ji 葛ge 沈shen 莘xin/shen "
    "茜qian/xi 长chang/zhang 行xing/hang 朝chao/zhao 盛sheng/cheng 晟sheng/cheng 娜na/nuo 莎sha 露lu 隽jun 炅jiong "
    "参shen 重chong/zhong 都du 佘she 逄pang 郗xi 祭zhai 那na 臧zang 谌chen/shen 么yao 乜nie 万wan/mo 俟qi"
)
NAME_READINGS: Final = {told[0]: tuple(told[1:].split("/")) for told in _READ_IN_NAMES.split(" ")}
"""How characters of names are read beside what the library names first: the other readings that are met there."""

USUAL_IN_NAMES: Final = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲华红春梅国建玉金凤花生荣福祥林海峰波斌鑫志忠义仁礼智信永发財财水"
    "根土火木山川江河云龙虎松柏竹菊莲珍珠宝翠琴琪琳瑛瑜璐瑶珊珠环佩慧惠蕙兰香芬芝芸莉萍蓉萱颖颜婷婉媛嫣娇姣妹妮姗"
    "子小大长良正德学成光明亮晨阳旭昊昌星月新华民东南西北中元亨利贞康健安宁平和顺昌盛兴旺富贵全友有才财茂"
    "林森树柳杨桃李宏洪鸿弘红虹毅义艺逸益怡宜依伊奕弈懿翊亦一立力利丽莉黎理礼莹盈颖英应映晓筱孝笑肖潇"
    "俊峻骏浚军君钧均菁晶静靖敬竞清青卿轻晴庆睿瑞锐蕊欣新鑫心馨昕芯辛忻兴幸雨玉宇瑜羽语育煜钰渝裕愉毓"
    "嘉佳家加甲杰洁婕捷涛陶韬浩皓昊豪彬斌滨冰兵炳秉泽则哲喆梓紫子梦孟萌思斯诗施师世士仕诚城成承程"
    "凯楷恺博波伯柏雯文闻雪学薇威维伟玮炜蔚卫巍苗妙淼钊昭照兆朝振镇震珍真贞祯臻涵寒翰汉晗韩轩萱宣玄璇旋"
    "芷之志芝智枝知治彤桐同童铜希熙曦西溪惜茜倩千谦乾前仙先贤娴献宪显先瀚焕欢寰洲舟周州祖组阿"
)
"""Characters that are often met in given names, beside the surnames."""

WITHOUT_PHRASES: Final = "PYPINYIN_NO_PHRASES"
"""The switch by which pypinyin leaves its phrases unread; it looks at it once, when it is imported."""

_INITIALS: Final = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
_SYLLABLES_MIXED_UP: Final = (
    "wang huang|wu hu|wei hui|fa hua|fan huan|fang huang|fei hui|fen hun|fu hu|feng hong|lv nv|lv lu|yu ru"
)


def _pairs(written: str) -> dict[str, frozenset[str]]:
    """What each part is mixed up with, in both directions."""
    pairs = [pair.split() for pair in written.split("|")]
    both = [*pairs, *(reversed(pair) for pair in pairs)]
    found: dict[str, set[str]] = {}
    for one, other in both:
        found.setdefault(one, set()).add(other)
    return {one: frozenset(others) for one, others in found.items()}


_NEAR_INITIALS: Final = _pairs("z zh|c ch|s sh|n l|l r|f h")
_NEAR_FINALS: Final = _pairs("an ang|en eng|in ing|ian iang|uan uang|un ong|eng ong")
_NEAR_SYLLABLES: Final = _pairs(_SYLLABLES_MIXED_UP)


def homophones(name: PersonName) -> Homophones:
    """Return what each character of a name sounds like; in the place of a surname the other surnames come first."""
    surname_chars = len(name.surname)
    return Homophones(
        name=name.whole,
        characters=tuple(
            sound_alikes(character, is_surname=place < surname_chars) for place, character in enumerate(name.whole)
        ),
    )


@functools.lru_cache(maxsize=CACHE_ENTRIES)
def sound_alikes(character: str, *, is_surname: bool = False) -> SoundAlikes:
    """Return the usual characters that sound like ``character``, at most ``SOUND_ALIKES_MAX`` of either likeness."""
    syllables = syllables_of(character)
    mixed_up = dict.fromkeys(near for one in syllables for near in sorted(near_syllables(one)))
    same = _sounding(syllables, {character})
    near = _sounding(mixed_up, {character, *same})
    if is_surname:
        same, near = (sorted(found, key=lambda one: one not in SURNAMES) for found in (same, near))
    return SoundAlikes(
        character=character, same="".join(same[:SOUND_ALIKES_MAX]), near="".join(near[:SOUND_ALIKES_MAX])
    )


def syllables_of(character: str) -> tuple[str, ...]:
    """Return the readings of a character without tones, the usual one first; none for what has no reading."""
    return _readings().get(character) or _read(character)


def near_syllables(syllable: str) -> frozenset[str]:
    """Return the syllables that people mix up with this one; some of them no character has."""
    initial = next((one for one in _INITIALS if syllable.startswith(one)), "")
    final = syllable.removeprefix(initial)
    initials = {initial, *_NEAR_INITIALS.get(initial, ())}
    finals = {final, *_NEAR_FINALS.get(final, ())}
    return frozenset(
        ({one + other for one in initials for other in finals} | _NEAR_SYLLABLES.get(syllable, frozenset()))
        - {syllable}
    )


def _sounding(syllables: Iterable[str], besides: set[str]) -> list[str]:
    """The usual characters of some syllables; those come first that are usually read so."""
    found = [one for syllable in syllables for one in _by_syllable().get(syllable, ()) if one not in besides]
    wanted = frozenset(syllables)
    rank = _usual()
    return sorted(
        dict.fromkeys(found), key=lambda one: (rank[one] >= LESS_USUAL, syllables_of(one)[0] not in wanted, rank[one])
    )


@functools.cache
def _usual() -> Mapping[str, int]:
    """The usual characters and their ranks; characters that are folded into others are left out."""
    in_names = dict.fromkeys(one for one in USUAL_IN_NAMES if fold(one) == one)
    in_text = [one for row in range(0xB0, 0xF8) for one in _row(row) if fold(one) == one and one not in in_names]
    ranks = {one: rank for rank, one in enumerate(in_names)}
    return {**ranks, **{one: LESS_USUAL + rank for rank, one in enumerate(in_text)}}


def _row(row: int) -> str:
    return bytes(byte for cell in range(0xA1, 0xFF) for byte in (row, cell)).decode("gb2312", "ignore")


@functools.cache
def _readings() -> Mapping[str, tuple[str, ...]]:
    return {character: _read(character) for character in {*_usual(), *SURNAMES}}


@functools.cache
def _by_syllable() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for character in _usual():
        for syllable in syllables_of(character):
            found.setdefault(syllable, []).append(character)
    return {syllable: tuple(characters) for syllable, characters in found.items()}


def _read(character: str) -> tuple[str, ...]:
    """The usual reading of one character by the library, then those that names have."""
    told = _table().get(ord(character), "") if len(character) == 1 else ""
    usual = [_toneless(told.split(",")[0])] if told else []
    return tuple(dict.fromkeys([*usual, *NAME_READINGS.get(character, ())]))


def _toneless(reading: str) -> str:
    """``lǚ`` becomes ``lv``: the tone goes, the two dots stay as people type them."""
    parts = unicodedata.normalize("NFD", reading.replace("ɡ", "g"))
    return "".join(one for one in parts.replace("u\u0308", "v") if not unicodedata.combining(one))


@functools.cache
def _table() -> Mapping[int, str]:
    """The library's table of single characters: code point to readings with tones, separated by commas."""
    before = os.environ.get(WITHOUT_PHRASES)
    os.environ[WITHOUT_PHRASES] = "true"
    try:
        from pypinyin.pinyin_dict import pinyin_dict  # noqa: PLC0415 - 15 MB that most commands never need
    finally:
        if before is None:
            del os.environ[WITHOUT_PHRASES]
        else:
            os.environ[WITHOUT_PHRASES] = before
    table: Mapping[int, str] = pinyin_dict
    return table
