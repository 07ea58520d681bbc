"""Masking a record: what remains of it under a treatment.

Only fields that are named here survive, so that a field of a later version is never told by mistake.
Of a masked title those words remain that the question itself said, and words that name a kind of paper and nobody: who
asks for 王某 learns that the paper names 王某, and not whom else.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from protocol.analysis import fold
from protocol.codec import decode_record, encode_record
from protocol.lookup_policy import Treatment
from protocol.query_tree import Node, Word, leaves
from protocol.records import Record

HIDDEN: Final = "＊＊"
"""What stands for words that are not told, however many they are: their length may name somebody."""

UNTOLD_TITLE: Final = "［题名不予显示］"
"""The title of a record of which only its existence is told."""

WORD_CHARS_MIN: Final = 2
"""Characters of a word of the question that may stay in a title: single ones would spell a name one by one."""

_PLACE_FIELDS: Final = (
    *("record_id", "repository_id", "level", "ref_code", "code_profile", "fonds_no", "category_code", "sub_codes"),
    *("filing_year", "secrecy", "access_status", "owner", "custodian", "releaser", "livelihood_kind", "version"),
)
_MASKED_FIELDS: Final = (
    *_PLACE_FIELDS,
    *("title_is_supplied", "parent_id", "org_or_subject", "catalogue_no", "project_no", "volume_no", "item_no"),
    *("page_no", "retention", "doc_no", "date_edtf", "date_earliest", "date_latest", "access_reason", "reviewed_on"),
    *("review_by", "disclosure", "page_count", "carrier", "form"),
)

_PLAIN_WORDS: Final = (
    *("结婚登记", "离婚登记", "婚姻登记", "结婚", "离婚", "登记", "申请书", "申请表", "审批表", "登记表"),
    *("名册", "花名册", "证明", "证书", "存根", "合同", "协议书", "协议", "通知", "批复", "决定", "报告"),
    *("请示", "意见", "材料", "案卷", "卷宗", "调解", "判决书", "裁定书", "公证书", "招工", "退休", "离休"),
    *("退伍", "安置", "知青", "下乡", "返城", "独生子女", "准生", "生育", "收养", "户籍", "学籍", "毕业生"),
    *("职称", "工伤", "认定", "信访", "救助", "低保", "残疾", "烈士", "申请", "审批", "档案", "关于", "与"),
    *("和", "的", "等", "人", "表", "证"),
)
_PLAIN: Final = re.compile("|".join(sorted(map(re.escape, _PLAIN_WORDS), key=len, reverse=True)))


def said_words(parts: Iterable[Node], others: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the words of a question that may stay in a title: as typed, and as they were also read."""
    typed = (leaf.text for leaf in leaves(tuple(parts)) if isinstance(leaf, Word))
    return tuple(dict.fromkeys(folded for word in (*typed, *others) if len(folded := _tight(word)) >= WORD_CHARS_MIN))


def treated(body: bytes, treatment: Treatment, said: Iterable[str]) -> bytes | None:
    """Return what may be told of a record's bytes; None for nothing.

    Raises:
        BadValue: the bytes are not a record.

    """
    if treatment is Treatment.REFUSE:
        return None
    if treatment is Treatment.SHOW:
        return body
    return encode_record(masked(decode_record(body), treatment, said))


def masked(record: Record, treatment: Treatment, said: Iterable[str]) -> Record:
    """Return a record as far as it may be told; whole for a treatment that masks nothing."""
    if treatment is Treatment.SHOW:
        return record
    is_masked = treatment is Treatment.MASK
    kept = {name: getattr(record, name) for name in (_MASKED_FIELDS if is_masked else _PLACE_FIELDS)}
    return msgspec.convert({**kept, "title": masked_title(record.title, said) if is_masked else UNTOLD_TITLE}, Record)


def masked_title(title: str, said: Iterable[str]) -> str:
    """Return a title in which only words of the question and names of kinds of paper can be read."""
    folded, places = _folded(title)
    # A blank pads a name (王　伟) and says nothing itself.
    kept = [character.isspace() for character in title]
    for pattern in (*(re.compile(re.escape(word)) for word in said), _PLAIN):
        for found in pattern.finditer(folded):
            for place in range(found.start(), found.end()):
                kept[places[place]] = True
    told: list[str] = []
    for at, character in enumerate(title):
        if kept[at]:
            told.append(character)
        elif not told or told[-1] != HIDDEN:
            told.append(HIDDEN)
    return "".join(told)


def _folded(text: str) -> tuple[str, list[int]]:
    """Return a text folded character by character, and where each character of that stood."""
    folded: list[str] = []
    places: list[int] = []
    for at, character in enumerate(text):
        for plain in fold(character):
            if not plain.isspace():
                folded.append(plain)
                places.append(at)
    return "".join(folded), places


def _tight(word: str) -> str:
    return "".join(fold(word).split())
