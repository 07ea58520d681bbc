"""Whatever is typed at the window: it is kept without identity numbers, or refused in words; nothing else happens."""

import msgspec
from hypothesis import example, settings
from hypothesis import given as given_that
from hypothesis import strategies as st

from hub.window.applicants import Document, Paper, PaperShown
from hub.window.contents import content_of
from hub.window.requests import Content, Purpose, Question, digest_of
from protocol.errors import BadValue
from protocol.identity_numbers import identity_numbers_in
from protocol.person_keys import current_number
from tests.window import KEY, NUMBER, draft, given, uuid

OLD = "330523900101001"
PIECES = st.sampled_from(
    [NUMBER, OLD, "11010519491231002X", "甲某", " ", "\x00", "\n", "１", "=1+1", "<b>", "林地", "𠀀"]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=6).map("".join)


@settings(deadline=None, max_examples=80)
@given_that(name=TEXTS, text=TEXTS, note=TEXTS, number=TEXTS, document=st.sampled_from(Document))
@example(name="甲某", text=f"{NUMBER}{OLD}", note=f"{OLD} {NUMBER}", number=NUMBER, document=Document.RESIDENT)
def test_no_identity_number_is_kept_and_nothing_but_words_comes_back(
    name: str, text: str, note: str, number: str, document: Document
) -> None:
    paper = PaperShown(kind=Paper.IDENTITY, document=document, number=number, note=note)
    asked = draft(
        applicant=given(name=name, phone="0572-5000000", papers=(paper,)),
        purpose=Purpose.OTHER,
        purpose_note=note,
        questions=(Question(question_id=uuid(3), text=text, persons=(name, note), place=text),),
    )
    try:
        kept = content_of(asked, KEY)
    except BadValue:
        return

    assert [number for one in _texts(kept) for number in identity_numbers_in(one)] == []
    written = msgspec.json.encode(kept)
    assert (b"\x00" in written, b"\\u0000" in written) == (False, False)
    assert msgspec.json.decode(written, type=Content) == kept
    assert digest_of(kept) == digest_of(content_of(asked, KEY))


def _texts(kept: Content) -> list[str]:
    applicant, (question,) = kept.applicant, kept.questions
    texts = [applicant.name, kept.purpose_note, question.text, *question.persons, question.place]
    return texts + [one for paper in applicant.evidence for one in (paper.note, paper.number_shown)]


@given_that(area=st.integers(100000, 999999), day=st.dates(), serial=st.integers(0, 999))
def test_a_number_is_found_in_any_of_its_writings(area: int, day: object, serial: int) -> None:
    digits = f"{area}{str(day).replace('-', '')}{serial:03}"
    for check in "0123456789X":
        number = current_number(f"{digits}{check}")
        if not number:
            continue
        parts = (number[:6], number[6:14], number[14:])
        wide = number.translate({ord(str(n)): ord("０") + n for n in range(10)})

        assert identity_numbers_in(f"（{' '.join(parts)}）") == (number,)
        assert identity_numbers_in(f"甲{'-'.join(parts)}乙{wide}") == (number,)
