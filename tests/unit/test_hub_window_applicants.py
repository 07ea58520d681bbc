"""Applicants and their papers: numbers are checked, keyed and masked; texts are cleaned; what is missing is said."""

import datetime

import msgspec
import pytest

from hub.window.applicants import (
    NAME_CHARS_MAX,
    PAPERS_MAX,
    Document,
    Evidence,
    NumberNote,
    Paper,
    PaperShown,
    Requester,
    kept,
    kept_paper,
    masked_name,
    masked_number,
    plain,
)
from hub.window.identity import fault_of
from node.catalogues.persons import person_keys
from protocol.errors import BadValue
from tests.window import KEY, MONDAY, NUMBER, given, identity

YESTERDAY = MONDAY - datetime.timedelta(days=1)


def test_a_number_is_kept_as_its_key_and_its_ends() -> None:
    paper = kept_paper(identity(), KEY)

    assert (paper.number_shown, paper.number_note) == ("330523********0015", NumberNote.NONE)
    assert NUMBER not in msgspec.json.encode(kept(given(), KEY)).decode()


def test_the_key_is_that_of_the_person_in_the_catalogues_of_the_nodes() -> None:
    """A village that indexes persons by number and the window that checks one speak of the same person."""
    (key,) = person_keys([], [NUMBER], KEY).keys

    assert kept(given(), KEY).identity_key == key


def test_the_old_form_is_the_same_person_with_a_note() -> None:
    old, new = (kept_paper(identity(number), KEY) for number in ("330523900101001", "330523199001010016"))

    assert (old.number_key, old.number_note, old.number_shown) == (
        new.number_key,
        NumberNote.OLD_FORM,
        "330523*****1001",
    )


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("330523190001010016", "校验位"),
        ("330523190013010015", "校验位"),
        ("33052319000101001", "17 位"),
        ("330523199001010000", "000"),
        ("33052390010199X", "校验位"),
        ("=1+1", "4 位"),
    ],
)
def test_a_wrong_number_is_refused_and_never_repeated(number: str, said: str) -> None:
    with pytest.raises(BadValue) as refused:
        kept(given(papers=(identity(number),)), KEY)

    words = refused.value.reason.both() + refused.value.hint.both()
    assert (said in words, number in words) == (True, False)


def test_a_number_in_wide_digits_is_refused() -> None:
    with pytest.raises(BadValue):
        kept_paper(identity("３３０５２３１９０００１０１００１５"), KEY)


@pytest.mark.parametrize("number", [" 330523 19000101 0015 ", "330523190001010015\t"])
def test_blanks_do_not_make_another_number(number: str) -> None:
    assert kept_paper(identity(number), KEY).number_key == kept_paper(identity(), KEY).number_key


def test_other_documents_are_keyed_by_their_kind() -> None:
    passport, permit = (
        kept_paper(PaperShown(kind=Paper.IDENTITY, document=one, number="E12345678"), KEY)
        for one in (Document.PASSPORT, Document.PERMIT)
    )

    assert (passport.number_shown, passport.number_key[:2], passport.number_key != permit.number_key) == (
        "*******78",
        "d:",
        True,
    )


def test_the_number_of_a_letter_is_no_persons() -> None:
    letter = kept_paper(PaperShown(kind=Paper.UNIT_LETTER, number="某信函〔2026〕3号"), KEY)

    assert (letter.number_shown, letter.number_key) == ("某信函〔2026〕3号", "")


@pytest.mark.parametrize(("number", "shown"), [("123456", "******"), ("12345678", "******78"), ("", "")])
def test_short_numbers_are_hidden_whole(number: str, shown: str) -> None:
    assert masked_number(number) == shown


@pytest.mark.parametrize(("name", "shown"), [("王伟", "王*"), ("欧阳小明", "欧**"), ("", ""), ("𠮷田", "𠮷*")])
def test_lists_show_the_first_character_of_a_name(name: str, shown: str) -> None:
    assert masked_name(name) == shown


@pytest.mark.parametrize(
    ("requester", "changes", "said"),
    [
        (Requester.PERSON, {"name": "  "}, "姓名"),
        (Requester.MEDIATION, {}, "单位名称"),
        (Requester.PETITION, {"organ": "\t"}, "单位名称"),
        (Requester.AGENT, {}, "代谁申请"),
        (Requester.HEIR, {}, "代谁申请"),
        (Requester.PERSON, {"name": "甲" * (NAME_CHARS_MAX + 1)}, "过长"),
        (Requester.PERSON, {"papers": (identity(),) * (PAPERS_MAX + 1)}, "超过"),
        (Requester.PERSON, {"name": "甲\ud800"}, "无法保存"),
    ],
)
def test_what_is_missing_or_wrong_is_said(requester: Requester, changes: dict[str, object], said: str) -> None:
    with pytest.raises(BadValue) as refused:
        kept(given(requester, **changes), KEY)

    assert said in refused.value.reason.zh


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("甲\x00某", "甲 某"),
        ("甲\n某", "甲 某"),
        ("<script>", "<script>"),
        ("'; DROP TABLE lookup_request; --", "'; DROP TABLE lookup_request; --"),
        ("　甲某　", "甲某"),
        ("㐀𠀀", "㐀𠀀"),
        ("\x1b[31m红", "[31m红"),
    ],
)
def test_texts_lose_control_characters_and_nothing_else(typed: str, stored: str) -> None:
    """PostgreSQL keeps no NUL, a terminal obeys an escape; rare characters stay as they are."""
    assert plain(typed, 100) == stored


def test_a_paper_is_good_through_its_last_day() -> None:
    paper = Evidence(kind=Paper.IDENTITY, valid_until=MONDAY)

    assert (paper.is_expired(MONDAY), paper.is_expired(MONDAY + datetime.timedelta(days=1))) == (False, True)


@pytest.mark.parametrize(
    ("requester", "papers", "said"),
    [
        (Requester.PERSON, (), "没有出示有效身份证件"),
        (Requester.PERSON, (identity(valid_until=YESTERDAY),), "到期"),
        (Requester.PERSON, (identity(is_original=False),), "不是原件"),
        (Requester.PERSON, (PaperShown(kind=Paper.UNIT_LETTER),), "没有出示"),
        (Requester.LAWYER, (PaperShown(kind=Paper.CASE_ACCEPTANCE),), "没有出示有效身份证件或律师执业证"),
    ],
)
def test_papers_that_do_not_say_who_it_is(requester: Requester, papers: tuple[PaperShown, ...], said: str) -> None:
    fault = fault_of(kept(given(requester, papers=papers), KEY), MONDAY)

    assert fault is not None
    assert said in fault.zh


def test_an_organ_is_known_by_its_letter() -> None:
    applicant = kept(given(Requester.MEDIATION, organ="某镇调委会", papers=(PaperShown(kind=Paper.UNIT_LETTER),)), KEY)

    assert fault_of(applicant, MONDAY) is None
