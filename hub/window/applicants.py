"""Who asks 申请人: a person or an organ, for whom, on which papers; no identity number is kept as it is written.

A number is checked by its check character where it has one (GB 11643-1999), kept as a keyed hash, by which the same
person is known again, and shown as its first and last characters. The form of 15 digits, which has neither century nor
check character, is taken with a note. The area is never judged: areas are abolished and numbers stay.
"""

import datetime
from enum import StrEnum
from typing import Final

import msgspec

from protocol.case_words import REQUESTER_WORDS
from protocol.errors import BadValue
from protocol.identity_numbers import is_identity_number, is_truncated_identity_number, mask_identity_numbers
from protocol.person_keys import current_number, is_old_form, keyed
from protocol.wording import Text

NAME_CHARS_MAX: Final = 100
"""Characters of a name: of a person, also a foreign one, or of an organ."""

NUMBER_CHARS_MAX: Final = 60
"""Characters of the number of a document."""

PAPERS_MAX: Final = 30
"""Papers that are shown for one request."""


class Requester(StrEnum):
    """As what somebody asks 申请人类型."""

    PERSON = "person"
    AGENT = "agent"
    GUARDIAN = "guardian"
    HEIR = "heir"
    LAWYER = "lawyer"
    MEDIATION = "mediation"
    """A mediator or the centre: an organ's request, never the citizen's own."""
    PETITION = "petition"
    JUDICIAL = "judicial"
    UNIT = "unit"
    FOREIGN = "foreign"


REQUESTERS: Final = {one: REQUESTER_WORDS[one.value] for one in Requester}

ORGANS: Final = frozenset((Requester.MEDIATION, Requester.PETITION, Requester.JUDICIAL, Requester.UNIT))
"""They ask as an organ, with a letter."""

FOR_ANOTHER: Final = frozenset((Requester.AGENT, Requester.GUARDIAN, Requester.HEIR))
"""They ask for somebody else's records, who is named."""

WITH_CASE: Final = frozenset((Requester.LAWYER, Requester.MEDIATION, Requester.PETITION, Requester.JUDICIAL))
"""They have a case of their own, whose number must be said."""


class Paper(StrEnum):
    """What is shown as evidence 证明材料."""

    IDENTITY = "identity"
    PRINCIPAL_IDENTITY = "principal_identity"
    PRINCIPAL_HOUSEHOLD = "principal_household"
    PRINCIPAL_COPIES = "principal_copies"
    AUTHORISATION = "authorisation"
    NOTARISED_AUTHORISATION = "notarised_authorisation"
    WARD_IDENTITY = "ward_identity"
    INCAPACITY = "incapacity"
    GUARDIANSHIP = "guardianship"
    DEATH = "death"
    KINSHIP = "kinship"
    LAWYER_CARD = "lawyer_card"
    CASE_ACCEPTANCE = "case_acceptance"
    UNIT_LETTER = "unit_letter"
    WORK_CARD = "work_card"
    OWNER_APPROVAL = "owner_approval"
    INTRODUCTION = "introduction"
    ARCHIVE_CONSENT = "archive_consent"


PAPERS: Final = {
    Paper.IDENTITY: Text(zh="有效身份证件", en="identity document"),
    Paper.PRINCIPAL_IDENTITY: Text(zh="委托人身份证件原件", en="principal's identity document"),
    Paper.PRINCIPAL_HOUSEHOLD: Text(zh="委托人户口簿原件", en="principal's household book"),
    Paper.PRINCIPAL_COPIES: Text(zh="委托人证件复印件", en="copies of the principal's documents"),
    Paper.AUTHORISATION: Text(zh="授权委托书", en="letter of authorisation"),
    Paper.NOTARISED_AUTHORISATION: Text(zh="经公证的委托书", en="notarised letter of authorisation"),
    Paper.WARD_IDENTITY: Text(zh="被监护人身份证件", en="ward's identity document"),
    Paper.INCAPACITY: Text(zh="无或限制民事行为能力证明", en="proof of incapacity"),
    Paper.GUARDIANSHIP: Text(zh="监护关系证明", en="proof of guardianship"),
    Paper.DEATH: Text(zh="死亡证明", en="proof of death"),
    Paper.KINSHIP: Text(zh="亲属关系或继承证明", en="proof of kinship or inheritance"),
    Paper.LAWYER_CARD: Text(zh="律师执业证", en="lawyer's card"),
    Paper.CASE_ACCEPTANCE: Text(zh="法院受理案件通知书", en="the court's notice of acceptance"),
    Paper.UNIT_LETTER: Text(zh="单位介绍信", en="unit's letter"),
    Paper.WORK_CARD: Text(zh="工作证件", en="work identity card"),
    Paper.OWNER_APPROVAL: Text(zh="移交（形成）单位盖章同意", en="sealed consent of the unit that transferred it"),
    Paper.INTRODUCTION: Text(zh="主管部门介绍函", en="introduction by the competent body"),
    Paper.ARCHIVE_CONSENT: Text(zh="档案馆负责人同意", en="consent of the head of the archive"),
}

PERSONAL: Final = frozenset(
    (
        *(Paper.IDENTITY, Paper.PRINCIPAL_IDENTITY, Paper.PRINCIPAL_HOUSEHOLD, Paper.PRINCIPAL_COPIES),
        *(Paper.WARD_IDENTITY, Paper.WORK_CARD, Paper.LAWYER_CARD, Paper.DEATH),
    )
)
"""Their numbers are a person's own: kept as a keyed hash, shown masked. The number of a letter is kept as it is."""


class Document(StrEnum):
    """Which identity document it is 证件类型."""

    RESIDENT = "resident"
    HOUSEHOLD_BOOK = "household_book"
    OFFICER = "officer"
    PASSPORT = "passport"
    PERMIT = "permit"
    OTHER = "other"


DOCUMENTS: Final = {
    Document.RESIDENT: Text(zh="居民身份证", en="resident identity card"),
    Document.HOUSEHOLD_BOOK: Text(zh="户口簿", en="household book"),
    Document.OFFICER: Text(zh="军官证或警官证", en="officer's card"),
    Document.PASSPORT: Text(zh="护照", en="passport"),
    Document.PERMIT: Text(zh="港澳台居民通行证或居住证", en="Hong Kong, Macao or Taiwan permit"),
    Document.OTHER: Text(zh="其他", en="other"),
}

BY_IDENTITY_NUMBER: Final = frozenset((Document.RESIDENT, Document.HOUSEHOLD_BOOK))
"""They bear the identity number of GB 11643."""


class NumberNote(StrEnum):
    """What was noticed in a number."""

    NONE = ""
    OLD_FORM = "old_form"
    """15 digits: no check character, the century is supposed."""


class PaperShown(msgspec.Struct, frozen=True, kw_only=True):
    """A paper as the window types it; holds the number in the clear and is never stored or logged."""

    kind: Paper
    document: Document = Document.OTHER
    """Which document, where ``kind`` is an identity."""
    number: str = ""
    valid_until: datetime.date | None = None
    is_original: bool = True
    note: str = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A paper as it is kept."""

    kind: Paper
    document: Document = Document.OTHER
    number_shown: str = ""
    """Masked for a person's own number (``330523********0015``), as it is for a letter's."""
    number_key: str = ""
    """``protocol.person_keys``: the same as that of the person in catalogue entries; empty for letters."""
    number_note: NumberNote = NumberNote.NONE
    valid_until: datetime.date | None = None
    is_original: bool = True
    note: str = ""

    def is_expired(self, today: datetime.date) -> bool:
        """True from the day after the last day on which the paper is good."""
        return self.valid_until is not None and today > self.valid_until


class ApplicantGiven(msgspec.Struct, frozen=True, kw_only=True):
    """An applicant as the window types it; never stored or logged."""

    requester: Requester
    name: str
    """The person who stands at the window."""
    organ: str = ""
    """Of the organ, the law office, or the foreign organisation."""
    phone: str = ""
    on_behalf_of: str = ""
    """Principal, ward, or the deceased."""
    papers: tuple[PaperShown, ...] = ()


class Applicant(msgspec.Struct, frozen=True, kw_only=True):
    """An applicant as it is kept: with names, without numbers."""

    requester: Requester
    name: str
    organ: str = ""
    phone: str = ""
    on_behalf_of: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def identity_key(self) -> str:
        """The key of the applicant's own number; empty if none was shown."""
        return next((one.number_key for one in self.evidence if one.kind is Paper.IDENTITY and one.number_key), "")

    @property
    def name_masked(self) -> str:
        """The name as lists show it: its first character."""
        return masked_name(self.name)


def masked_name(name: str) -> str:
    """Return a name with all but its first character hidden."""
    return f"{name[:1]}{'*' * min(len(name) - 1, 2)}" if name else ""


def kept(given: ApplicantGiven, county_key: bytes) -> Applicant:
    """Return what is kept of an applicant.

    Raises:
        BadValue: a name is missing or too long, an identity number is wrong; says which and what to do.

    """
    name = said(given.name, NAME_CHARS_MAX)
    if not name:
        raise BadValue(
            Text(zh="没有填写申请人姓名。", en="the applicant's name is missing"),
            Text(zh="请填写到场人员的姓名。", en="Write the name of the person at the window."),
        )
    organ, on_behalf_of = said(given.organ, NAME_CHARS_MAX), said(given.on_behalf_of, NAME_CHARS_MAX)
    if given.requester in ORGANS and not organ:
        raise BadValue(
            Text(zh="单位申请没有填写单位名称。", en="an organ's request names no organ"),
            Text(zh="请填写介绍信上的单位全称。", en="Write the organ's full name as on its letter."),
        )
    if given.requester in FOR_ANOTHER and not on_behalf_of:
        raise BadValue(
            Text(zh="没有填写代谁申请。", en="it is not said for whom this is asked"),
            Text(zh="请填写委托人、被监护人或已故者的姓名。", en="Name the principal, the ward or the deceased."),
        )
    if len(given.papers) > PAPERS_MAX:
        raise BadValue(
            Text(zh=f"证明材料超过 {PAPERS_MAX} 份。", en=f"there are more than {PAPERS_MAX} papers"),
            Text(zh="请只登记决定所需的材料。", en="Record those that the decision needs."),
        )
    return Applicant(
        requester=given.requester,
        name=name,
        organ=organ,
        phone=plain(given.phone, NUMBER_CHARS_MAX),
        on_behalf_of=on_behalf_of,
        evidence=tuple(kept_paper(one, county_key) for one in given.papers),
    )


def kept_paper(shown: PaperShown, county_key: bytes) -> Evidence:
    """Return what is kept of a paper.

    Raises:
        BadValue: an identity number that is none, or one that a spreadsheet has spoilt.

    """
    number = "".join(plain(shown.number, NUMBER_CHARS_MAX).split()).upper()
    shown_as, key, noted = number, "", NumberNote.NONE
    if number and shown.kind in PERSONAL:
        shown_as, key, noted = _personal(number, shown.document, county_key)
    return Evidence(
        kind=shown.kind,
        document=shown.document,
        number_shown=shown_as,
        number_key=key,
        number_note=noted,
        valid_until=shown.valid_until,
        is_original=shown.is_original,
        note=said(shown.note, NAME_CHARS_MAX),
    )


def _personal(number: str, document: Document, county_key: bytes) -> tuple[str, str, NumberNote]:
    if document not in BY_IDENTITY_NUMBER:
        return masked_number(number), keyed(county_key, "d", f"{document}\0{number}"), NumberNote.NONE
    current = current_number(number)
    if not current:
        raise _wrong_number(number)
    noted = NumberNote.OLD_FORM if is_old_form(number) else NumberNote.NONE
    return masked_number(number), keyed(county_key, "i", current), noted


def masked_number(number: str) -> str:
    """Return a number as it is shown: the first six and last four characters of an identity number, else the last two.

    A short number is hidden whole: its ends would be most of it.
    """
    if is_identity_number(number) or is_old_form(number):
        return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"
    return f"{'*' * (len(number) - 2)}{number[-2:]}" if len(number) > 6 else "*" * len(number)


def _wrong_number(number: str) -> BadValue:
    """Say what is wrong with a number without repeating it."""
    if is_truncated_identity_number(number):
        return BadValue(
            Text(
                zh="身份证号码末三位是 000，像是表格软件改坏的。",
                en="the identity number ends in 000, as spreadsheets spoil it",
            ),
            Text(zh="请照证件重新输入。", en="Type it again from the document."),
        )
    if len(number) not in (15, 18):
        return BadValue(
            Text(
                zh=f"身份证号码应为 18 位（旧证 15 位），现为 {len(number)} 位。",
                en=f"an identity number has 18 characters (15 on old papers), not {len(number)}",
            ),
            Text(zh="请照证件重新输入。", en="Type it again from the document."),
        )
    return BadValue(
        Text(
            zh="身份证号码有误：出生日期或校验位不对。",
            en="the identity number is wrong: its birth date or check character does not fit",
        ),
        Text(zh="请照证件逐位核对。", en="Compare it with the document, character by character."),
    )


def said(text: str, chars_max: int) -> str:
    """Return a typed text as ``plain`` does, with every identity number in it masked: numbers belong to papers.

    Raises:
        BadValue: as ``plain``.

    """
    return mask_identity_numbers(plain(text, chars_max))[0]


def plain(text: str, chars_max: int) -> str:
    """Return a typed text without control characters and outer blanks.

    Raises:
        BadValue: it is longer than ``chars_max``, or has half a character in it.

    """
    cleaned = "".join(one if one >= " " and one != "\x7f" else " " for one in text).strip()
    if len(cleaned) > chars_max:
        raise BadValue(
            Text(zh=f"内容过长（最多 {chars_max} 字）。", en=f"the text is too long (at most {chars_max} characters)"),
            Text(zh="请缩短。", en="Shorten it."),
        )
    if any("\ud800" <= one <= "\udfff" for one in cleaned):
        raise BadValue(
            Text(zh="内容里有无法保存的字符。", en="the text has a character that cannot be kept"),
            Text(zh="请重新输入。", en="Type it again."),
        )
    return cleaned
