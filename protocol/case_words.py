"""The code lists of a case in words: for what a record is needed, and as what somebody asks.

The codes travel (``LookupCase``, ``CopyAsked``); whoever reads them at either end reads words. A code of a later
version is shown as it came.
"""

from collections.abc import Mapping
from typing import Final

from protocol.wording import Text

PURPOSE_WORDS: Final[Mapping[str, Text]] = {
    "length_of_service": Text(zh="工龄、社保", en="length of service, social insurance"),
    "marriage": Text(zh="婚姻", en="marriage"),
    "housing": Text(zh="房产、宅基地", en="housing, homestead"),
    "land_and_forest": Text(zh="土地、山林", en="land and forest"),
    "schooling": Text(zh="子女入学", en="a child's schooling"),
    "inheritance": Text(zh="公证、继承", en="notarisation, inheritance"),
    "going_abroad": Text(zh="出国", en="going abroad"),
    "litigation": Text(zh="诉讼", en="litigation"),
    "mediation": Text(zh="信访、矛盾调解", en="petition, mediation"),
    "history": Text(zh="编史修志", en="writing of local history"),
    "research": Text(zh="学术研究", en="research"),
    "official": Text(zh="工作查考", en="official business"),
    "other": Text(zh="其他", en="other"),
}

REQUESTER_WORDS: Final[Mapping[str, Text]] = {
    "person": Text(zh="公民本人", en="citizen"),
    "agent": Text(zh="委托代理人", en="agent"),
    "guardian": Text(zh="监护人", en="guardian"),
    "heir": Text(zh="近亲属或继承人", en="near kin or heir"),
    "lawyer": Text(zh="律师或诉讼代理人", en="lawyer or litigation agent"),
    "mediation": Text(zh="调解组织", en="mediation body"),
    "petition": Text(zh="信访机构", en="petition office"),
    "judicial": Text(zh="公检法和国家安全机关", en="court, procuratorate, police or state security"),
    "unit": Text(zh="其他单位", en="another unit"),
    "foreign": Text(zh="境外个人或组织", en="foreigner or foreign organisation"),
}


def purpose_in_words(code: str) -> Text:
    """Return a purpose in words; a code that is not known here as it is, nothing for none."""
    return PURPOSE_WORDS.get(code) or Text(zh=code, en=code)


def requester_in_words(code: str) -> Text:
    """Return a kind of requester in words; a code that is not known here as it is, nothing for none."""
    return REQUESTER_WORDS.get(code) or Text(zh=code, en=code)
