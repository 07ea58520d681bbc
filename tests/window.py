"""Builders of fictitious requests, papers and cases of the mediation window."""

import datetime
import random
from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from hub.staff.administration import Actor
from hub.window.applicants import ApplicantGiven, Document, Paper, PaperShown, Requester
from hub.window.mediation import Case, DisputeKind, DisputeKinds, Result
from hub.window.requests import Draft, HistoryLine, Move, Purpose, Question, Use, first_line, fold, stepped
from hub.window.states import Step
from protocol.retention import PERMANENT, Retention, RetentionKind
from protocol.wording import Text

KEY = b"county key of a test"
LIN, WU = Actor(who="lin.min", origin="10.20.0.7"), Actor(who="wu.hai")
"""A clerk and a reviewer."""

NUMBER = "330523190001010015"
"""A fictitious identity number with the right check character."""

MONDAY = datetime.date(2026, 3, 2)
NOW_MS = int(
    datetime.datetime(2026, 3, 2, 9, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=8))).timestamp() * 1000
)
"""Nine in the morning of ``MONDAY`` in China."""

DAY_MS = 86_400_000

KINDS = DisputeKinds(
    kinds=(
        DisputeKind(id="forest_land", name=Text(zh="山林", en="forest land"), retention=PERMANENT),
        DisputeKind(
            id="neighbours",
            name=Text(zh="邻里", en="neighbours"),
            retention=Retention(kind=RetentionKind.YEARS, years=10, text="10年"),
        ),
    )
)


def uuid(number: int) -> UUID:
    """An id that is the same for the same number."""
    return UUID(bytes=random.Random(number).randbytes(16), version=4)


def identity(number: str = NUMBER, **changes: object) -> PaperShown:
    """A resident's card."""
    fields: dict[str, object] = {"kind": Paper.IDENTITY, "document": Document.RESIDENT, "number": number, **changes}
    return PaperShown(**fields)  # type: ignore[arg-type]


def given(requester: Requester = Requester.PERSON, **changes: object) -> ApplicantGiven:
    """A citizen with a card."""
    fields: dict[str, object] = {"requester": requester, "name": "甲某", "papers": (identity(),), **changes}
    return ApplicantGiven(**fields)  # type: ignore[arg-type]


def draft(number: int = 1, **changes: object) -> Draft:
    """A citizen's request for an own marriage record."""
    question = Question(question_id=uuid(1000 + number), text="甲某 1979 年结婚登记", persons=("甲某",))
    fields: dict[str, object] = {
        "request_id": uuid(number),
        "applicant": given(),
        "purpose": Purpose.MARRIAGE,
        "questions": (question,),
        "uses": (Use.VIEW, Use.COPY),
        **changes,
    }
    return Draft(**fields)  # type: ignore[arg-type]


def case(number: int = 1, **changes: object) -> Case:
    """A pending case about forest land."""
    fields: dict[str, object] = {
        "case_id": uuid(number),
        "case_no": f"(2026)某人调字第{number}号",
        "body": "某镇人民调解委员会",
        "kind": "forest_land",
        "place": "上石村",
        "opened_on": MONDAY,
        **changes,
    }
    return Case(**fields)  # type: ignore[arg-type]


def closed(number: int = 1, result: Result = Result.AGREED, **changes: object) -> Case:
    """A case with a result."""
    return case(number, result=result, closed_on=MONDAY + datetime.timedelta(days=9), **changes)


def at(day: datetime.date, hour: int = 9) -> int:
    """An hour of a day in China, in milliseconds."""
    zone = datetime.timezone(datetime.timedelta(hours=8))
    return int(datetime.datetime(day.year, day.month, day.day, hour, tzinfo=zone).timestamp() * 1000)


Taken: TypeAlias = tuple[Step, datetime.date] | tuple[Step, datetime.date, str, int]
"""A step and its day, and where they matter its reason and its days."""


def history(*steps: Taken, who: str = "lin.min") -> list[HistoryLine]:
    """A history of steps, each on a day; the draft is of the first one's day."""
    lines = [first_line(who, at(steps[0][1]))]
    for taken in steps:
        step, day, reason, days = taken if len(taken) == 4 else (*taken, "理由", 0)
        by = "wu.hai" if step in (Step.APPROVE, Step.DENY) else who
        lines.append(stepped(fold(lines), Move(step=step, who=by, at_ms=at(day), reason=reason, days=days)))
    return lines


TO_ACCEPTED: Sequence[Step] = (Step.SUBMIT, Step.CHECK_IDENTITY, Step.ACCEPT)
TO_FOUND: Sequence[Step] = (*TO_ACCEPTED, Step.ROUTE, Step.SEARCH, Step.FIND)
