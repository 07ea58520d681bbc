"""What is told of a record under a case, and what remains of it when it is masked."""

from uuid import UUID

import msgspec
import pytest

from protocol.codec import encode_record
from protocol.errors import BadValue
from protocol.lookup_cases import LookupCase, checked_case
from protocol.lookup_policy import DEFAULT_POLICY, NO_KIND, Policy, PolicyRule, Treatment
from protocol.masking import HIDDEN, UNTOLD_TITLE, masked, masked_title, said_words, treated
from protocol.queries import parse
from protocol.records import Alias, Attachment, Record
from protocol.vocabularies import LIVELIHOOD_KINDS, AccessStatus
from tests.catalogue import fictitious

CASE = LookupCase(request_id=UUID(int=1), purpose="marriage", requester="person")


def case(**changes: object) -> LookupCase:
    return msgspec.structs.replace(CASE, **changes)


@pytest.mark.parametrize(
    ("kind", "access", "purpose", "treatment"),
    [
        ("marriage", AccessStatus.OPEN, "marriage", Treatment.MASK),
        ("marriage", AccessStatus.UNREVIEWED, "marriage", Treatment.MASK),
        ("marriage", AccessStatus.RESTRICTED, "marriage", Treatment.EXISTENCE),
        ("marriage", AccessStatus.OPEN, "research", Treatment.EXISTENCE),
        ("forest_contracts", AccessStatus.UNREVIEWED, "land_and_forest", Treatment.SHOW),
        ("forest_contracts", AccessStatus.DEFERRED, "land_and_forest", Treatment.MASK),
        ("", AccessStatus.OPEN, "history", Treatment.SHOW),
        ("", AccessStatus.OPEN, "", Treatment.REFUSE),
    ],
)
def test_the_countys_defaults_are_on_the_safe_side(
    kind: str, access: AccessStatus, purpose: str, treatment: Treatment
) -> None:
    assert DEFAULT_POLICY.treatment(kind, access, case(purpose=purpose)) is treatment


def test_every_kind_under_every_status_has_a_treatment() -> None:
    told = {DEFAULT_POLICY.treatment(kind, access, CASE) for kind in ("", *LIVELIHOOD_KINDS) for access in AccessStatus}

    assert told == {Treatment.SHOW, Treatment.MASK, Treatment.EXISTENCE}


def test_the_first_rule_of_the_site_that_fits_decides() -> None:
    policy = Policy(
        name="own",
        rules=(
            PolicyRule(treatment=Treatment.SHOW, kinds=("marriage",), requesters=("person",)),
            PolicyRule(treatment=Treatment.REFUSE, kinds=("marriage",)),
            PolicyRule(treatment=Treatment.EXISTENCE, kinds=(NO_KIND,), access=(AccessStatus.OPEN,)),
        ),
    )

    assert [
        policy.treatment("marriage", AccessStatus.RESTRICTED, CASE),
        policy.treatment("marriage", AccessStatus.OPEN, case(requester="mediation")),
        policy.treatment("", AccessStatus.OPEN, CASE),
        policy.treatment("", AccessStatus.UNREVIEWED, CASE),
    ] == [Treatment.SHOW, Treatment.REFUSE, Treatment.EXISTENCE, Treatment.SHOW]


@pytest.mark.parametrize(
    ("title", "words", "told"),
    [
        ("王小明与李红梅结婚登记", "王小明", f"王小明与{HIDDEN}结婚登记"),
        ("王小明与李红梅结婚登记", "李红梅 1986", f"{HIDDEN}与李红梅结婚登记"),
        ("王　小明与李红梅結婚登記", "王小明", f"王　小明与{HIDDEN}結婚登記"),
        ("甲某、乙某、丙某调解协议书", "山林", f"{HIDDEN}调解协议书"),
        ("王小明结婚登记", "王", f"{HIDDEN}结婚登记"),
    ],
)
def test_a_masked_title_says_what_was_asked_and_no_more(title: str, words: str, told: str) -> None:
    assert masked_title(title, said_words(parse(words).parts)) == told


def test_a_word_that_must_not_occur_is_no_word_that_was_said() -> None:
    assert said_words(parse("王小明 -李红梅").parts) == ("王小明",)


def test_a_masked_record_keeps_its_place_and_loses_who_is_in_it() -> None:
    whole = fictitious(
        1,
        title="王小明与李红梅结婚登记",
        responsible_parties=("某公社",),
        note="附李红梅照片",
        scope="李红梅",
        aliases=(Alias(code="李红梅-1"),),
        attachments=(Attachment(file_id=UUID(int=1), name="李红梅.tif", size_bytes=1),),
        person_keys=("n:00",),
        date_raw="李红梅填",
        ref_code_as_given="李红梅",
    )
    for treatment in (Treatment.MASK, Treatment.EXISTENCE):
        left = masked(whole, treatment, ("王小明",))
        assert "李红梅" not in encode_record(left).decode()
        assert (left.record_id, left.ref_code, left.fonds_no) == (whole.record_id, whole.ref_code, whole.fonds_no)


def test_of_existence_alone_the_title_says_nothing() -> None:
    left = masked(fictitious(1, title="王小明与李红梅结婚登记"), Treatment.EXISTENCE, ("王小明",))

    assert (left.title, left.page_count, left.date_earliest) == (UNTOLD_TITLE, None, None)


def test_a_record_that_may_be_told_leaves_as_its_owner_wrote_it() -> None:
    """Also with fields that this version does not know."""
    body = encode_record(fictitious(1))[:-1] + b',"of_a_later_version":1}'

    assert treated(body, Treatment.SHOW, ()) == body
    assert b"of_a_later_version" not in (treated(body, Treatment.MASK, ()) or b"")
    assert treated(body, Treatment.REFUSE, ()) is None


def test_every_field_of_a_record_is_either_told_when_masked_or_known_to_be_left_out() -> None:
    """A field that is added to records is not told by mistake, and somebody decides about it here."""
    left_out = {
        *("aliases", "responsible_parties", "scope", "note", "attachments", "person_keys", "extent", "reason"),
        *("ref_code_as_given", "retention_as_given", "doc_no_as_given", "date_raw"),
        *("previous_digest", "changed_by", "changed_at_ms"),
    }
    every = {field.name for field in msgspec.structs.fields(Record)}
    defaults = {field.name: field.default for field in msgspec.structs.fields(Record)}
    whole = fictitious(1)
    told = masked(whole, Treatment.MASK, ())
    lost = {name for name in every if getattr(told, name) != getattr(whole, name) and name != "title"}

    assert lost <= left_out <= every
    assert all(getattr(told, name) == defaults[name] for name in left_out)


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": ""},
        {"purpose": "王小明"},
        {"requester": "Person Wang"},
        {"case_ref": "案" * 65},
        {"case_ref": "11010519491231002X"},
    ],
)
def test_a_case_that_names_somebody_does_not_travel(wrong: dict[str, str]) -> None:
    with pytest.raises(BadValue):
        checked_case(case(**wrong))
