"""The form in which a request is begun, as its fields are named, kept unsent, and read into a request. Pure.

Two pages make one form: who asks and why, and what is looked for. A page sends its own fields whole; those of the other
page stay as they were kept.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar
from uuid import UUID, uuid5

import msgspec

from hub.window.applicants import (
    FOR_ANOTHER,
    ORGANS,
    WITH_CASE,
    ApplicantGiven,
    Document,
    Evidence,
    Paper,
    PaperShown,
    Requester,
    kept_paper,
)
from hub.window.requests import QUESTIONS_MAX, Draft, Purpose, Question, Use
from hub.window.unsent import Fields
from protocol.errors import BadValue
from protocol.vocabularies import LIVELIHOOD_KINDS
from protocol.wording import Text

QUESTION: Final = "q"
"""Begins the names of the fields of the second page."""

COUNT: Final = "count"
"""Field that says how many questions the second page shows."""

TRUE: Final = "yes"
"""Value of a ticked box."""

_WITH_ORGAN: Final = ORGANS | {Requester.LAWYER, Requester.FOREIGN}
_PERSONS: Final = re.compile(r"[、，,;；\s]+")
_YEAR: Final = re.compile(r"[0-9]{4}")
_NOT_KEPT: Final = frozenset(("token", "go", "next"))

E = TypeVar("E", Document, Purpose, Requester)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Which fields the first page shows for whoever asks."""

    requester: Requester
    with_organ: bool
    for_another: bool
    with_case: bool


class NumberCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of an identity number as it is typed; nothing for an empty one."""

    evidence: Evidence | None = None
    fault: BadValue | None = None


class QuestionFields(msgspec.Struct, frozen=True, kw_only=True):
    """One question as it is typed."""

    number: int
    text: str
    persons: str
    kind: str
    year_from: str
    year_to: str
    place: str

    @property
    def is_blank(self) -> bool:
        """True if nothing was typed."""
        return not (self.text or self.persons or self.kind or self.year_from or self.year_to or self.place)


def merged(before: Fields, sent: Mapping[str, Sequence[str]], *, is_question: bool) -> Fields:
    """Return a form after one of its pages was sent."""
    other = {name: some for name, some in before.items() if _is_of_question(name) is not is_question}
    return other | {
        name: tuple(some)
        for name, some in sent.items()
        if name not in _NOT_KEPT and _is_of_question(name) is is_question
    }


def line(fields: Fields, name: str) -> str:
    """Return a field's first value, cleaned; empty if it is not there."""
    value = next(iter(fields.get(name, ())), "")
    return "".join(one if one >= " " and not "\x7f" <= one <= "\x9f" else " " for one in value).strip()


def is_ticked(fields: Fields, name: str) -> bool:
    """Tell whether a box was ticked."""
    return line(fields, name) == TRUE


def requester_of(fields: Fields) -> Requester:
    """Return as what is asked; a citizen unless something else was chosen."""
    return _chosen(Requester, line(fields, "requester"), Requester.PERSON)


def shape_of(fields: Fields) -> Shape:
    """Return which fields the first page shows."""
    requester = requester_of(fields)
    return Shape(
        requester=requester,
        with_organ=requester in _WITH_ORGAN,
        for_another=requester in FOR_ANOTHER,
        with_case=requester in WITH_CASE,
    )


def check_of(fields: Fields, county_key: bytes) -> NumberCheck:
    """Say what is right or wrong with the number of the document, without repeating it."""
    if not line(fields, "number"):
        return NumberCheck()
    try:
        return NumberCheck(evidence=kept_paper(_identity(fields, without_day=True), county_key))
    except BadValue as error:
        return NumberCheck(fault=error)


def applicant_of(fields: Fields) -> ApplicantGiven:
    """Read the first page.

    Raises:
        BadValue: a day is none.

    """
    shape = shape_of(fields)
    others = [
        PaperShown(kind=paper, number=line(fields, f"paper-{paper.value}"))
        for paper in Paper
        if paper is not Paper.IDENTITY and paper.value in fields.get("paper", ())
    ]
    return ApplicantGiven(
        requester=shape.requester,
        name=line(fields, "name"),
        organ=line(fields, "organ") if shape.with_organ else "",
        phone=line(fields, "phone"),
        on_behalf_of=line(fields, "on_behalf_of") if shape.for_another else "",
        papers=(*([_identity(fields)] if line(fields, "number") else []), *others),
    )


def purpose_of(fields: Fields) -> Purpose:
    """Return for what it is needed."""
    return _chosen(Purpose, line(fields, "purpose"), Purpose.OTHER)


def uses_of(fields: Fields) -> tuple[Use, ...]:
    """Return what is wanted of a record."""
    return tuple(use for use in Use if use.value in fields.get("use", ()))


def questions_shown(fields: Fields) -> list[QuestionFields]:
    """Return the questions of the second page: as many as were typed, one at least."""
    count = line(fields, f"{QUESTION}-{COUNT}")
    shown = int(count) if re.fullmatch(r"[0-9]{1,2}", count) else 1
    return [_question_fields(fields, number) for number in range(1, max(1, min(shown, QUESTIONS_MAX)) + 1)]


def draft_of(request_id: UUID, fields: Fields) -> Draft:
    """Read the whole form.

    Raises:
        BadValue: a day or a year is none.

    """
    asked = [one for one in questions_shown(fields) if not one.is_blank]
    return Draft(
        request_id=request_id,
        applicant=applicant_of(fields),
        purpose=purpose_of(fields),
        purpose_note=line(fields, "purpose_note"),
        case_ref=line(fields, "case_ref") if shape_of(fields).with_case else "",
        questions=tuple(_question(request_id, one) for one in asked),
        uses=uses_of(fields) or (Use.VIEW,),
    )


def _question(request_id: UUID, typed: QuestionFields) -> Question:
    persons = tuple(one for one in _PERSONS.split(typed.persons) if one)
    return Question(
        question_id=uuid5(request_id, f"question {typed.number}"),
        # A question may name nobody and nothing but a kind and years; the register still wants it in words.
        text=typed.text or "、".join(persons) or typed.place or _kind_name(typed.kind),
        persons=persons,
        livelihood_kind=typed.kind,
        year_from=_year(typed.year_from),
        year_to=_year(typed.year_to),
        place=typed.place,
    )


def _kind_name(kind: str) -> str:
    return LIVELIHOOD_KINDS[kind].zh if kind in LIVELIHOOD_KINDS else ""


def _question_fields(fields: Fields, number: int) -> QuestionFields:
    def of(name: str) -> str:
        return line(fields, f"{QUESTION}-{name}-{number}")

    kind = of("kind")
    return QuestionFields(
        number=number,
        text=of("text"),
        persons=of("persons"),
        kind=kind if kind in LIVELIHOOD_KINDS else "",
        year_from=of("from"),
        year_to=of("to"),
        place=of("place"),
    )


def _identity(fields: Fields, *, without_day: bool = False) -> PaperShown:
    return PaperShown(
        kind=Paper.IDENTITY,
        document=_chosen(Document, line(fields, "document"), Document.RESIDENT),
        number=line(fields, "number"),
        valid_until=None if without_day else _day(line(fields, "valid_until")),
    )


def _chosen(kind: type[E], value: str, otherwise: E) -> E:
    return kind(value) if value in tuple(kind) else otherwise


def _year(typed: str) -> int | None:
    if not typed:
        return None
    if not _YEAR.fullmatch(typed):
        raise BadValue(
            Text(zh="年份应为四位数字。", en="a year has four digits"),
            Text(zh="例如 1986；不知道可以不填。", en="Such as 1986; leave it empty if it is not known."),
        )
    return int(typed)


def _day(typed: str) -> datetime.date | None:
    if not typed:
        return None
    try:
        return datetime.date.fromisoformat(typed)
    except ValueError as error:
        raise BadValue(
            Text(zh="证件有效期不是日期。", en="the document's last day is no date"),
            Text(zh="请写成 2030-12-31；长期有效可不填。", en="Write it as 2030-12-31, or leave it empty."),
        ) from error


def _is_of_question(name: str) -> bool:
    return name.startswith(f"{QUESTION}-")
