import pytest

from protocol.identity_numbers import (
    identity_numbers_in,
    is_identity_number,
    is_truncated_identity_number,
    mask_identity_numbers,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("11010519491231002X", True),
        ("11010519491231002x", True),
        ("330523190001010015", True),
        ("330523190001010016", False),
        ("330523190013010015", False),
        ("110105491231002", False),
        ("", False),
        ("33052319000101001五", False),
    ],
)
def test_a_number_is_checked_by_birth_date_and_check_character(text: str, expected: bool) -> None:
    """The area is not judged: areas are abolished and numbers stay."""
    assert is_identity_number(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("330523190001010015", "330523********0015"),
        ("身份证33052319000101001X，某甲", "身份证330523********001X，某甲"),
        ("330523 19000101 0015", "330523********0015"),
        ("330523-19000101-0015", "330523********0015"),
        ("33052319000101-0015", "330523********0015"),
        ("33052319000101 001X", "330523********001X"),
        ("330523　19000101－0015", "330523********0015"),
        ("330523190001010016", "330523********0016"),
        ("330523490101001", "330523*****1001"),
        ("３３０５２３１９０００１０１００１５", "３３０５２３********００１５"),
    ],
)
def test_a_number_in_a_text_is_masked(text: str, expected: str) -> None:
    assert mask_identity_numbers(text) == (expected, 1)


@pytest.mark.parametrize(
    "text", ["330523190001010015", "33052319000101-0015", "33052319000101 0015", "330523　19000101－0015"]
)
def test_a_number_is_found_however_its_parts_stand(text: str) -> None:
    assert identity_numbers_in(f"身份证{text}") == ("330523190001010015",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "关于印发〔2014〕12号的通知",
        "12345678901234567890",
        "330523991301001",
        "330523139001010015",
        "J019-KU·01·2017-001",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert mask_identity_numbers(text) == (text, 0)


def test_every_number_of_a_text_is_masked() -> None:
    text = "330523190001010015、330523190001010023"

    assert mask_identity_numbers(text) == ("330523********0015、330523********0023", 2)


def test_masking_twice_changes_nothing() -> None:
    once, _ = mask_identity_numbers("330523190001010015")

    assert mask_identity_numbers(once) == (once, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("330523190001010000", True), ("330523190001010015", False), ("330523990001010000", False)],
)
def test_a_number_stored_as_a_value_has_lost_its_end(text: str, expected: bool) -> None:
    assert is_truncated_identity_number(text) is expected
