"""Under which case a question is asked of a holder: why, for what kind of requester, in which matter.

A site needs it to apply its own policy and to log who saw what; it never learns who the applicant is. A case reference
is the number of a file, and nothing that holds an identity number is one.
"""

import re
from typing import Final
from uuid import UUID

import msgspec

from protocol.errors import BadValue
from protocol.identity_numbers import mask_identity_numbers
from protocol.wording import Count, Text

CASE_REF_CHARS_MAX: Final = 64
"""Characters of a case reference: the longest numbers of court files have about forty."""

CODE_CHARS_MAX: Final = 40
"""Characters of the code of a purpose or of a kind of requester."""

_CODE: Final = re.compile(r"[a-z][a-z0-9_]*")


class LookupCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a holder is told about a request 查档申请."""

    request_id: UUID
    case_ref: str = ""
    """Number of the matter, of the mediation file for example; empty where there is none."""
    purpose: str = ""
    """Code of the purpose (``land_and_forest``, ``marriage``); no rule of a site fits one that it does not name."""
    requester: str = ""
    """Code of the kind of requester (``person``, ``agent``, ``mediation``), never a name."""


def checked_case(case: LookupCase) -> LookupCase:
    """Return a case that may travel.

    Raises:
        BadValue: no purpose is stated, a code is none, or the reference is too long or holds an identity number.

    """
    if not case.purpose:
        raise BadValue(
            Text(zh="查档目的没有填写。", en="a lookup without a purpose"),
            Text(zh="请先选择查档目的，再向各站点提问。", en="Choose a purpose before the sites are asked."),
        )
    for code in (case.purpose, case.requester):
        if code and (len(code) > CODE_CHARS_MAX or not _CODE.fullmatch(code)):
            raise BadValue(Text(zh=f"不是有效的代码：{code!r}", en=f"not a code: {code!r}"))
    if len(case.case_ref) > CASE_REF_CHARS_MAX:
        raise BadValue(
            Text(zh="案号过长。", en=f"a case reference of {Count(len(case.case_ref)):character|characters}"),
            Text(zh=f"案号最多 {CASE_REF_CHARS_MAX} 个字。", en=f"It may have {CASE_REF_CHARS_MAX} characters."),
        )
    if mask_identity_numbers(case.case_ref)[1]:
        raise BadValue(
            Text(zh="案号里含有身份证号码。", en="the case reference holds an identity number"),
            Text(zh="案号会告知保管单位，请改填案件编号。", en="Holders are told it: write the number of the file."),
        )
    return case
