"""What is kept of a request that the window typed: checked field by field, each fault with its way on."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hub.window.applicants import ORGANS, WITH_CASE, Requester, kept, said
from hub.window.requests import (
    CASE_CHARS_MAX,
    PERSONS_MAX,
    PURPOSES,
    QUESTIONS_MAX,
    TEXT_CHARS_MAX,
    Content,
    Draft,
    Purpose,
    Question,
    Use,
)
from protocol.errors import BadValue
from protocol.identity_numbers import identity_numbers_in, without_identity_numbers
from protocol.person_keys import current_number, keyed
from protocol.wording import Text

OF_ORGANS: Final = frozenset((Purpose.OFFICIAL,))
"""Purposes that only an organ has."""

OF_PERSONS: Final = frozenset((Purpose.MARRIAGE, Purpose.SCHOOLING, Purpose.GOING_ABROAD))
"""Purposes that no organ has: a court's or a mediator's is its case."""


def content_of(draft: Draft, county_key: bytes) -> Content:
    """Return what is kept of a draft; its case number may still be empty.

    Raises:
        BadValue: something that is needed is missing, or cannot be right; says which and what to do.

    """
    case_ref, note = said(draft.case_ref, CASE_CHARS_MAX), said(draft.purpose_note, TEXT_CHARS_MAX)
    check_purpose(draft.applicant.requester, draft.purpose, case_ref, note)
    if not 0 < len(draft.questions) <= QUESTIONS_MAX:
        raise BadValue(
            Text(zh=f"一份申请应有 1 至 {QUESTIONS_MAX} 个问题。", en=f"a request has 1 to {QUESTIONS_MAX} questions"),
            Text(zh="名单类的请登记为专题查档。", en="A list of persons is a research request."),
        )
    return Content(
        applicant=kept(draft.applicant, county_key),
        purpose=draft.purpose,
        purpose_note=note,
        case_ref=case_ref,
        questions=tuple(_question(one, county_key) for one in draft.questions),
        uses=tuple(use for use in Use if use in draft.uses) or (Use.VIEW,),
    )


def check_purpose(requester: Requester, purpose: Purpose, case_ref: str, note: str) -> None:
    """Check that somebody of this kind may have this purpose, and says what belongs to it.

    Raises:
        BadValue: a case number or a note is missing, or the purpose does not fit; says which and what to do.

    """
    if requester in WITH_CASE and not case_ref:
        raise BadValue(
            Text(zh="没有填写案号。", en="the case number is missing"),
            Text(
                zh="请填写调解、信访或诉讼的案号；公民没有案件的，由登记号代替。",
                en="Give the number of the mediation, petition or court case; a citizen without one needs none.",
            ),
        )
    if purpose in (OF_PERSONS if requester in ORGANS else OF_ORGANS):
        raise BadValue(
            Text(
                zh=f"查档目的“{PURPOSES[purpose].zh}”与申请人类型不符。",
                en=f"{PURPOSES[purpose].en} is no purpose of this kind of applicant",
            ),
            Text(
                zh="单位请选其公务或案件，公民请选自己的事由。",
                en="For an organ choose its business or case, for a citizen the citizen's own need.",
            ),
        )
    if purpose is Purpose.OTHER and not note:
        raise BadValue(
            Text(zh="查档目的选了“其他”，但没有说明。", en="the purpose is “other” and not said in words"),
            Text(zh="请写明用途。", en="Say what it is needed for."),
        )


def _question(asked: Question, county_key: bytes) -> Question:
    text = said(asked.text, TEXT_CHARS_MAX)
    if not text:
        raise BadValue(
            Text(zh="问题是空的。", en="a question is empty"),
            Text(zh="请写明要查什么。", en="Say what is looked for."),
        )
    if len(asked.persons) > PERSONS_MAX:
        raise BadValue(
            Text(zh=f"一个问题最多 {PERSONS_MAX} 人。", en=f"a question names at most {PERSONS_MAX} persons"),
            Text(zh="名单类的请登记为专题查档。", en="A list of persons is a research request."),
        )
    if asked.year_from is not None and asked.year_to is not None and asked.year_from > asked.year_to:
        raise BadValue(
            Text(zh="起始年份晚于终止年份。", en="the first year is after the last"),
            Text(zh="请改正年份。", en="Correct the years."),
        )
    looked_for(text, asked.persons)
    numbers = identity_numbers_in("\n".join((asked.text, *asked.persons)))
    return msgspec.structs.replace(
        asked,
        text=text,
        persons=tuple(name for one in asked.persons if (name := said(one, TEXT_CHARS_MAX))),
        place=said(asked.place, TEXT_CHARS_MAX),
        person_keys=tuple(keyed(county_key, "i", current) for one in numbers if (current := current_number(one))),
    )


def looked_for(text: str, persons: Sequence[str] = ()) -> str:
    """Return the words that are looked for in catalogues: no catalogue has an identity number, whole or masked.

    Raises:
        BadValue: nothing but numbers was typed.

    """
    typed = " ".join((text, *(name for name in persons if name not in text)))
    words = " ".join(without_identity_numbers(typed).split())
    if words != " ".join(typed.split()) and not any(one.isalnum() for one in words):
        raise BadValue(
            Text(zh="只填了身份证号码，目录里查不到号码。", en="nothing but identity numbers: no catalogue has them"),
            Text(
                zh="请写明姓名和要查的事项；号码请登记在证件一栏。",
                en="Write the name and what is looked for; the number belongs to the papers.",
            ),
        )
    return words
